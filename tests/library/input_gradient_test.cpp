// The gradient with respect to the input, of every variant, against a loop that scatters.

#include <limits>
#include <random>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/gradient_reference.h"
#include "support/guarded.h"
#include "support/input_gradient_case.h"
#include "support/problems.h"

namespace unstride::tests {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Runs all variants that take the layer, and the planner's choice.
void check_all_variants(const GradientCase &c, Layout layout) {
    ConvTranspose3d layer = c.layer();
    INFO(describe(c.options, c.input_shape));
    for (const Variant &variant : variants_here(layout, c.types, Operator::input_gradient)) {
        if (!takes(variant, c.options)) {
            continue;
        }
        INFO(variant.name);
        layer.set_variant(variant.name);
        CHECK(layer.plan(c.input_shape, layout, {}, c.types, Operator::input_gradient).variant.name == variant.name);
        check_call(layer, c, layout);
    }
    layer.set_variant("");
    INFO("planned: " << layer.plan(c.input_shape, layout, {}, c.types, Operator::input_gradient).variant.name);
    check_call(layer, c, layout);
}

TEST_CASE("input gradients of the problem table", "[input_gradient]") {
    for (const Problem &problem : problems) {
        INFO(problem.reason);
        for (const Layout layout : layouts) {
            check_all_variants({problem.options(), problem.input_shape(), Data::integers, 1}, layout);
        }
    }
}

TEST_CASE("input gradients of every stride with every dilation", "[input_gradient]") {
    for (const Problem &problem : stride_dilation_sweep()) {
        for (const Layout layout : layouts) {
            check_all_variants({problem.options(), problem.input_shape(), Data::reals, 2}, layout);
        }
    }
}

TEST_CASE("input gradients of all types", "[input_gradient]") {
    for (const Types &types : {Types(DType::f64), Types(DType::f16), Types(DType::bf16)}) {
        INFO(to_string(types));
        for (const Layout layout : layouts) {
            check_all_variants({{12, 20, 3, 2, 1, 1}, {2, 12, 3, 4, 7}, Data::reals, 3, types}, layout);
            check_all_variants(
                {{6, 12, 4, {1, 2, 3}, 2, 0, 2, without_bias, {2, 1, 3}}, {1, 6, 4, 3, 9}, Data::reals, 4, types},
                layout);
            check_all_variants({{17, 17, 3, 2, 1, 0, 17}, {1, 17, 2, 3, 20}, Data::reals, 5, types}, layout);
            check_all_variants({{9, 8, 3, 1, 1}, {1, 9, 3, 4, 11}, Data::reals, 6, types}, layout);
        }
    }
}

// As check_all_variants, for one variant and the layer nearest to this one that it takes.
void check_tail(const Variant &variant, const ConvTranspose3dOptions &layer_near, const Triple &input) {
    const ConvTranspose3dOptions options = fitted(layer_near, variant);
    const GradientCase c(options, {1, options.in_channels, input[0], input[1], input[2]}, Data::integers, 7);
    INFO(variant.name << ": " << describe(options, c.input_shape));
    ConvTranspose3d layer = c.layer();
    layer.set_variant(variant.name);
    check_call(layer, c, variant.layout);
}

TEST_CASE("input gradients around every tile", "[input_gradient]") {
    for (const Layout layout : layouts) {
        for (const Variant &v : variants_here(layout, {}, Operator::input_gradient)) {
            for (const int64_t channels : {1, v.block - 1, v.block, v.block + 1, 2 * v.block + 1}) {
                if (channels > 0) {
                    check_tail(v, {channels, 3, {1, 2, 3}, {1, 2, 2}}, {1, 2, 5});
                    check_tail(v, {2 * channels, 2, {1, 2, 3}, {1, 1, 2}, 0, 0, 2}, {1, 2, 3});
                }
            }
            for (const int64_t width : {1, v.columns - 1, v.columns, v.columns + 1, 3 * v.columns + 1}) {
                for (int64_t stride = 1; stride <= 4 && width > 0; stride++) {
                    check_tail(v, {2, 3, {1, 2, 3}, {1, 1, stride}, {0, 0, 1}, {0, 0, stride - 1}}, {1, 2, width});
                }
            }
        }
    }
}

// Which inputs an output reaches.
std::vector<bool> reached(const GradientCase &c, size_t output) {
    std::vector<double> one(c.grad_output.size(), 0.0);
    one[output] = 1;
    const std::vector<double> ones(c.weight.size(), 1.0);
    const Reference r = reference_input_gradient(c.options, c.input_shape, one, ones);
    std::vector<bool> result;
    for (const double value : r.values) {
        result.push_back(value != 0);
    }
    return result;
}

TEST_CASE("what is not finite reaches only the inputs of its output", "[input_gradient]") {
    for (const int64_t stride : {1, 2, 3}) {
        GradientCase c({8, 16, 3, stride, 1}, {1, 8, 3, 4, 6}, Data::integers, 10);
        std::fill(c.weight.begin(), c.weight.end(), 1.0);
        const size_t count = c.grad_output.size();
        for (const size_t output : {size_t{0}, count / 3, count / 2, count - 1}) {
            for (const double number : {nan, std::numeric_limits<double>::infinity()}) {
                GradientCase with = c;
                with.grad_output[output] = number;
                const std::vector<bool> expected = reached(with, output);
                const std::vector<float> weight(c.weight.begin(), c.weight.end()),
                    grad_output(with.grad_output.begin(), with.grad_output.end());
                for (const Layout layout : layouts) {
                    for (const Variant &v : variants_here(layout, {}, Operator::input_gradient)) {
                        if (takes(v, c.options) && takes_numbers(v, weight, grad_output)) {
                            ConvTranspose3d layer = with.layer();
                            layer.set_variant(v.name);
                            const std::vector<float> got = gradient_of(layer, with, layout);
                            bool same = true;
                            for (size_t i = 0; i < got.size(); i++) {
                                same = same && std::isfinite(got[i]) != expected[i];
                            }
                            INFO(v.name << ", stride " << stride << ", output " << output);
                            CHECK(same);
                        }
                    }
                    const std::vector<float> planned = gradient_of(with.layer(), with, layout);
                    for (size_t i = 0; i < planned.size(); i++) {
                        CHECK(std::isfinite(planned[i]) != expected[i]);
                    }
                }
            }
        }
    }
}

TEST_CASE("an output that no tap reaches has no part in an input gradient", "[input_gradient]") {
    GradientCase c({4, 8, 2, 3, 0, 2}, {1, 4, 2, 3, 4}, Data::integers, 11);
    const Shape &out = c.output_shape;
    for (int64_t i = 0; i < element_count(out); i++) {
        const int64_t x = i % out[4], y = i / out[4] % out[3], z = i / out[4] / out[3] % out[2];
        if (x % 3 == 2 || y % 3 == 2 || z % 3 == 2) {
            c.grad_output[static_cast<size_t>(i)] = nan;
        }
    }
    for (const Layout layout : layouts) {
        check_all_variants(c, layout);
    }
}

TEST_CASE("input gradients of slices of arrays", "[input_gradient]") {
    std::mt19937 random(12);
    const std::vector<ConvTranspose3dOptions> layers{{12, 20, 3, 2, 1, 1}, {12, 20, 3, 1, 1}};
    for (const ConvTranspose3dOptions &options : layers) {
        const GradientCase c(options, {2, 12, 3, 4, 7}, Data::integers, 13);
        const ConvTranspose3d layer = c.layer();
        for (const Layout layout : layouts) {
            Guarded grad_output(c.output_shape, layout, random), grad_input(c.input_shape, layout, random);
            copy_into(grad_output.any_view(), c.grad_output);
            layer.input_gradient(grad_output.any_view(), grad_input.any_view());
            CHECK(c.mismatch(grad_input.any_view()) == "none");
            CHECK(grad_input.surroundings_intact());
            layer.input_gradient(grad_output.any_view(), grad_input.any_view(), Update::accumulate);
            GradientCase twice = c;
            for (double &value : twice.expected.values) {
                value *= 2;
            }
            CHECK(twice.mismatch(grad_input.any_view()) == "none");
            CHECK(grad_input.surroundings_intact());
            CHECK(grad_output.surroundings_intact());
        }
    }
}

TEST_CASE("input gradients of an empty batch and without a batch", "[input_gradient]") {
    const GradientCase c({12, 20, 3, 2, 1, 1}, {1, 12, 3, 4, 7}, Data::integers, 14);
    const ConvTranspose3d layer = c.layer();
    Tensor nothing({0, 12, 3, 4, 7});
    const Tensor no_outputs({0, 20, 6, 8, 14});
    layer.input_gradient(no_outputs.view<void>(), nothing.view<void>());
    const Tensor grad_output = c.grad_output_as(Layout::ncdhw);
    Tensor grad_input = c.grad_input_of(Layout::ncdhw, nan);
    View<void> to = grad_input.view<void>();
    View<const void> from = grad_output.view<void>();
    for (Shape *shape : {&to.sizes, &to.strides, &from.sizes, &from.strides}) {
        shape->erase(shape->begin());
    }
    layer.input_gradient(from, to);
    CHECK(c.mismatch(grad_input.view<void>()) == "none");
}

TEST_CASE("an input gradient of stride 1 is planned as a forward", "[input_gradient]") {
    ConvTranspose3d layer(24, 32, 3, 1, 1), strided(24, 32, 3, 2, 1);
    layer.set_device(tested_device());
    strided.set_device(tested_device());
    const Shape input{1, 24, 4, 5, 16};
    for (const Layout layout : layouts) {
        const Plan plan = layer.plan(input, layout, {}, {}, Operator::input_gradient);
        CHECK(plan.variant.op == Operator::forward);
        CHECK(plan.reason.find("is a forward with the kernel reversed") != std::string::npos);
        CHECK(plan.multiply_adds == layer.plan(input, layout).multiply_adds);
        const Plan of_strided = strided.plan(input, layout, {}, {}, Operator::input_gradient);
        CHECK(of_strided.variant.op == Operator::input_gradient);
        CHECK(of_strided.multiply_adds == strided.plan(input, layout).multiply_adds);
        CHECK(of_strided.compulsory_bytes == strided.plan(input, layout).compulsory_bytes);
    }
}

TEST_CASE("a forced forward leaves the input gradient to the planner, and the other way round", "[input_gradient]") {
    const GradientCase c({12, 20, 3, 2, 1, 1}, {1, 12, 3, 4, 7}, Data::integers, 15);
    ConvTranspose3d layer = c.layer();
    const Variant forward = variants_here(Layout::ncdhw).back(),
                  gradient = variants_here(Layout::ncdhw, {}, Operator::input_gradient).front();
    layer.set_variant(gradient.name);
    CHECK(layer.plan(c.input_shape, Layout::ncdhw).variant.op == Operator::forward);
    CHECK(layer.plan(c.input_shape, Layout::ncdhw, {}, {}, Operator::input_gradient).variant.name == gradient.name);
    CHECK(error_of<InvalidArgument>([&] {
              layer.plan(c.input_shape, Layout::ndhwc, {}, {}, Operator::input_gradient);
          }) == "variant " + gradient.name + " is for layout ncdhw, not ndhwc");
    if (takes(forward, c.options)) {
        layer.set_variant(forward.name);
        CHECK(layer.plan(c.input_shape, Layout::ncdhw, {}, {}, Operator::input_gradient).variant.name == gradient.name);
    }
}

TEST_CASE("an input gradient may have another layout than the gradient of the output", "[input_gradient]") {
    const GradientCase c({12, 20, 3, 2, 1, 1}, {2, 12, 3, 4, 7}, Data::integers, 17);
    const ConvTranspose3d layer = c.layer();
    for (const Layout layout : layouts) {
        const Tensor grad_output = c.grad_output_as(layout);
        Tensor other = c.grad_input_of(layout == Layout::ncdhw ? Layout::ndhwc : Layout::ncdhw, nan);
        layer.input_gradient(grad_output.view<void>(), other.view<void>());
        CHECK(c.mismatch(other.view<void>()) == "none");
    }
}

// Outputs that a kernel of 1 skips make no work: a call takes the memory that it would take without a stride. In ncdhw,
// the columns stay as they are.
TEST_CASE("what a kernel of 1 skips is not staged", "[input_gradient]") {
    if (tested_device() != Device::cpu) {
        SKIP_TEST("GPUs stage nothing");
    }
    for (const Layout layout : layouts) {
        const int64_t along_width = layout == Layout::ncdhw ? 1 : 3;
        for (const Variant &v : variants_here(layout, {}, Operator::input_gradient)) {
            ConvTranspose3d skips(fitted({8, 16, 1, {2, 3, along_width}}, v)), dense(fitted({8, 16, 1}, v));
            if (skips.options().kernel_size.height != 1) {
                continue;  // The variant knows another kernel.
            }
            const auto scratch = [&](ConvTranspose3d &layer) {
                layer.set_variant(v.name, 2, Operator::input_gradient);
                const Shape of_layer{1, layer.options().in_channels, 6, 6, 6};
                return layer.plan(of_layer, layout, {}, {}, Operator::input_gradient).scratch_bytes;
            };
            INFO(v.name);
            CHECK(scratch(skips) == scratch(dense));
        }
    }
}

TEST_CASE("mistakes in calls for an input gradient", "[input_gradient]") {
    const GradientCase c({12, 20, 3, 2, 1, 1}, {1, 12, 3, 4, 7}, Data::integers, 16);
    const ConvTranspose3d layer = c.layer();
    const Tensor grad_output = c.grad_output_as(Layout::ncdhw);
    Tensor grad_input = c.grad_input_of(Layout::ncdhw, 0), narrow({1, 12, 3, 4, 6});
    const auto refused = [&](const View<void> &to) {
        return error_of<InvalidArgument>([&] { layer.input_gradient(grad_output.view<void>(), to); }) != "no error";
    };
    CHECK(refused(narrow.view<void>()));
    if (tested_device() == Device::cpu) {
        CHECK(error_of<InvalidArgument>([&] {
                  layer.input_gradient(grad_output.view<void>(), grad_input.view<void>(), Update::replace,
                                       CudaStream{nullptr});
              }) == "a CudaStream is for layers on CUDA: see set_device");
    }
    // There are no kernels from 16 bits to 32 but where the forward has them.
    const Tensor half(c.output_shape, Layout::ncdhw, 3, DType::f16);
    const std::string error =
        error_of<InvalidArgument>([&] { layer.input_gradient(half.view<void>(), grad_input.view<void>()); });
    CHECK(error.find("this program has no kernel for layout ncdhw and type f16-f32") == 0);
}

}  // namespace
}  // namespace unstride::tests
