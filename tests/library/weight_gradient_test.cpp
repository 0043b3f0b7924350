// The weight gradient, by every variant: exact sums of integers, bounds for reals, and bits that nothing but the layer,
// the input's size and the types decides.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/gradient_reference.h"
#include "support/harness.h"
#include "support/problems.h"
#include "support/settings.h"

namespace unstride::tests {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool is_bits_of(const std::vector<double> &a, const std::vector<double> &b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// A layer's input and grad_output, dense in PyTorch's order, and the gradient to expect.
struct GradientCase {
    ConvTranspose3dOptions options;
    Types types;
    Shape input_shape, output_shape;
    std::vector<double> input, grad_output;
    Reference expected;

    GradientCase(const ConvTranspose3dOptions &options, const Shape &input_shape, Data data, const Types &types = {})
        : options(options), types(types), input_shape(input_shape),
          output_shape(reference_shape(options, input_shape)) {
        std::mt19937 random(11);
        input = make_data<double>(element_count(input_shape), data, random, types.input);
        grad_output = make_data<double>(element_count(output_shape), data, random, types.input);
        expected = reference_weight_gradient(options, input_shape, input, grad_output);
    }

    Tensor tensor_of(const Shape &shape, const std::vector<double> &numbers, Layout layout) const {
        Tensor tensor(shape, layout, 3, types.input);
        copy_into(tensor.view<void>(), numbers);
        return tensor;
    }

    // The gradient in the weights' order, by a layer that may force a variant; what was there before is `before`.
    std::vector<double> gradient(const ConvTranspose3d &layer, Layout layout, Update update = Update::replace,
                                 double before = not_a_number) const {
        Tensor result(layer.weight_shape(), Layout::ncdhw, 3, types.output);
        copy_into(result.view<void>(), std::vector<double>(static_cast<size_t>(result.element_count()), before));
        layer.weight_gradient(tensor_of(input_shape, input, layout).view<const void>(),
                              tensor_of(output_shape, grad_output, layout).view<const void>(), result.view<void>(),
                              update);
        return numbers_of(result.view<const void>());
    }

    // "exact", or a line about the first number that is not what it has to be.
    std::string difference(const std::vector<double> &got, double added = 0) const {
        for (size_t i = 0; i < got.size(); i++) {
            if (got[i] != rounded(types.output, expected.values[i] + added)) {
                return "weight " + std::to_string(i) + ": " + std::to_string(got[i]) + " in place of " +
                       std::to_string(expected.values[i] + added);
            }
        }
        return got.size() == expected.values.size() ? "exact" : "another size";
    }
};

std::vector<Variant> gradient_variants(DType dtype) {
    std::vector<Variant> found;
    for (const Variant &v : variants()) {
        if (v.op == Operator::weight_gradient && v.types.input == dtype && v.device == tested_device() &&
            v.runs_here()) {
            found.push_back(v);
        }
    }
    REQUIRE(!found.empty());
    return found;
}

bool runs(const Variant &v, const ConvTranspose3dOptions &o) {
    return v.family != "diagonal" || (o.in_channels == o.groups && o.out_channels == o.groups);
}

ConvTranspose3d layer_of(const ConvTranspose3dOptions &options) {
    ConvTranspose3d layer(options);
    layer.set_device(tested_device());
    return layer;
}

ConvTranspose3d forced(const ConvTranspose3dOptions &options, const Variant &v) {
    ConvTranspose3d layer = layer_of(options);
    layer.set_variant(v.name);
    return layer;
}

void check_exact(const GradientCase &c) {
    INFO(describe(c.options, c.input_shape));
    for (const Variant &v : gradient_variants(c.types.input)) {
        if (runs(v, c.options)) {
            INFO(v.name);
            CHECK(c.difference(c.gradient(forced(c.options, v), v.layout)) == "exact");
        }
    }
}

TEST_CASE("weight gradients are exact for integers, by every variant", "[weight_gradient]") {
    for (const std::vector<Problem> &table : {problems, stride_dilation_sweep()}) {
        for (const Problem &p : table) {
            INFO(p.reason);
            check_exact({p.options(), p.input_shape(), Data::integers});
        }
    }
}

TEST_CASE("weight gradients are exact in all types", "[weight_gradient]") {
    for (const Types &types :
         {Types{DType::f64, DType::f64}, Types{DType::f16, DType::f32}, Types{DType::f16, DType::f16},
          Types{DType::bf16, DType::f32}, Types{DType::bf16, DType::bf16}}) {
        INFO(to_string(types));
        check_exact({{5, 19, 3, 2, 1, 1}, {2, 5, 3, 4, 7}, Data::integers, types});
        check_exact({{9, 9, 3, 2, 1, 1, 9}, {2, 9, 3, 4, 7}, Data::integers, types});
    }
}

TEST_CASE("weight gradients do not depend on kernel, layout or threads", "[weight_gradient]") {
    const Settings restored;
    const GradientCase cases[] = {
        {{6, 5, 3, 2, 1, 1}, {2, 6, 6, 9, 17}, Data::reals},
        {{3, 2, {1, 1, 5}, {1, 1, 2}}, {2, 3, 1, 1, 2500}, Data::reals},
        {{8, 8, {3, 5, 7}, {2, 1, 2}, 1, 0, 8}, {3, 8, 5, 8, 9}, Data::reals},
        {{12, 20, 4, 2, 1}, {37, 12, 2, 2, 2}, Data::reals},
    };
    for (const GradientCase &c : cases) {
        INFO(describe(c.options, c.input_shape));
        std::vector<double> first;
        for (const Variant &v : gradient_variants(DType::f32)) {
            if (!runs(v, c.options) || !instruction_set(v.isa).fma) {
                continue;
            }
            const ConvTranspose3d layer = forced(c.options, v);
            for (const int threads : {1, 2, 3, 7}) {
                set_num_threads(threads);
                const std::vector<double> got = c.gradient(layer, v.layout);
                first = first.empty() ? got : first;
                INFO(v.name << ", " << threads << " threads");
                CHECK(is_bits_of(got, first));
            }
        }
        // The bound of docs/algorithm.md, for runs of up to 512 positions and up to 64 chunks.
        for (size_t i = 0; i < first.size(); i++) {
            const double bound = (512 + 64 + 64) * std::ldexp(1.0, -24) * c.expected.magnitudes[i];
            CHECK(std::abs(first[i] - c.expected.values[i]) <= bound);
        }
    }
}

TEST_CASE("weight gradients are added to what is there", "[weight_gradient]") {
    const GradientCase c({5, 19, 3, 2, 1, 1}, {2, 5, 3, 4, 7}, Data::integers);
    CHECK(c.difference(c.gradient(layer_of(c.options), Layout::ndhwc, Update::accumulate, 3), 3) == "exact");
}

TEST_CASE("the weight gradient of an empty batch is zero", "[weight_gradient]") {
    const GradientCase c({5, 19, 3, 2}, {0, 5, 3, 4, 7}, Data::integers);
    const ConvTranspose3d layer = layer_of(c.options);
    CHECK(c.difference(c.gradient(layer, Layout::ncdhw)) == "exact");
    CHECK(c.difference(c.gradient(layer, Layout::ncdhw, Update::accumulate, 2), 2) == "exact");
}

// What is not finite, and how many weights it reaches, is the same as in the reference.
TEST_CASE("NaN and infinity reach just the weights that they meet", "[weight_gradient]") {
    for (const int64_t groups : {1, 4}) {
        GradientCase c({4, 4, 3, 2, 1, 0, groups}, {1, 4, 3, 4, 5}, Data::integers);
        for (const bool in_input : {true, false}) {
            std::vector<double> &numbers = in_input ? c.input : c.grad_output;
            for (const size_t at : {size_t{0}, numbers.size() / 2 + 1, numbers.size() - 1}) {
                for (const double special : {not_a_number, std::numeric_limits<double>::infinity()}) {
                    const double before = std::exchange(numbers[at], special);
                    c.expected = reference_weight_gradient(c.options, c.input_shape, c.input, c.grad_output);
                    for (const Variant &v : gradient_variants(DType::f32)) {
                        if (!runs(v, c.options)) {
                            continue;
                        }
                        INFO(v.name << ", element " << at);
                        const std::vector<double> got = c.gradient(forced(c.options, v), v.layout);
                        bool alike = true;
                        for (size_t i = 0; i < got.size(); i++) {
                            const double e = c.expected.values[i];
                            alike = alike && (std::isnan(e) ? std::isnan(got[i]) : got[i] == e);
                        }
                        CHECK(alike);
                    }
                    numbers[at] = before;
                }
            }
        }
    }
}

// Views of every second channel of larger arrays, and a gradient whose elements lie apart.
TEST_CASE("weight gradients take strided views", "[weight_gradient]") {
    const GradientCase c({4, 6, 3, 2, 1, 1}, {2, 4, 3, 4, 7}, Data::integers);
    const ConvTranspose3d layer = layer_of(c.options);
    const auto apart = [](Shape shape) {
        shape[1] *= 2;
        return shape;
    };
    Tensor input(apart(c.input_shape), Layout::ncdhw), grad_output(apart(c.output_shape), Layout::ncdhw),
        result(apart(layer.weight_shape()), Layout::ncdhw);
    const auto every_second = [](Tensor &tensor, const Shape &shape) {
        View<void> view = tensor.view<void>();
        view.sizes = shape;
        view.strides[1] *= 2;
        return view;
    };
    for (Tensor *tensor : {&input, &grad_output, &result}) {
        std::fill(tensor->data(), tensor->data() + tensor->element_count(), std::numeric_limits<float>::quiet_NaN());
    }
    const View<void> in = every_second(input, c.input_shape), out = every_second(grad_output, c.output_shape),
                     to = every_second(result, layer.weight_shape());
    copy_into(in, c.input);
    copy_into(out, c.grad_output);
    layer.weight_gradient(in, out, to);
    CHECK(c.difference(numbers_of(to)) == "exact");
    int64_t untouched = 0;
    for (int64_t i = 0; i < result.element_count(); i++) {
        untouched += std::isnan(result.data()[i]) ? 1 : 0;
    }
    CHECK(untouched == result.element_count() / 2);
}

// Gradients of 2 MiB and more are written past the caches, in whole vectors as far as memory is aligned.
TEST_CASE("large weight gradients, at any address", "[weight_gradient]") {
    const DType dtype = GENERATE(DType::f32, DType::f64, DType::f16);
    const ConvTranspose3dOptions options =
        GENERATE(ConvTranspose3dOptions{250, 171, 3, 2, 1, 1}, ConvTranspose3dOptions{520, 260, 2, 2, 0, 0, 2, false},
                 ConvTranspose3dOptions{50, 65, {7, 7, 7}}, ConvTranspose3dOptions{3500, 1, {7, 6, 5}, 2});
    const GradientCase c(options, {1, options.in_channels, 2, 2, 3}, Data::integers, dtype);
    const ConvTranspose3d layer = layer_of(options);
    INFO(describe(options, c.input_shape) << ", " << to_string(dtype));
    const int64_t count = static_cast<int64_t>(c.expected.values.size()), size = size_of(dtype);
    REQUIRE(count * size >= (dtype == DType::f16 ? 1 << 20 : 2 << 20));
    constexpr unsigned char untouched = 0xA5;
    std::vector<unsigned char> memory(static_cast<size_t>((count + 2) * size), untouched);
    Tensor like(layer.weight_shape(), Layout::ncdhw, 3, dtype);
    View<void> to = like.view<void>();
    to.data = memory.data() + size;
    for (const Layout layout : layouts) {
        layer.weight_gradient(c.tensor_of(c.input_shape, c.input, layout).view<const void>(),
                              c.tensor_of(c.output_shape, c.grad_output, layout).view<const void>(), to);
        CHECK(c.difference(numbers_of(to)) == "exact");
        const auto is_untouched = [](unsigned char byte) { return byte == untouched; };
        CHECK(std::all_of(memory.begin(), memory.begin() + size, is_untouched));
        CHECK(std::all_of(memory.end() - size, memory.end(), is_untouched));
    }
}

TEST_CASE("a plan of a weight gradient names its variant", "[weight_gradient]") {
    ConvTranspose3d layer = layer_of({16, 32, 3, 2, 1, 1});
    const Shape input{1, 16, 8, 8, 8};
    const Plan plan = layer.plan(input, Layout::ndhwc, {}, {}, Operator::weight_gradient);
    CHECK(plan.variant.op == Operator::weight_gradient);
    CHECK(plan.variant.layout == Layout::ndhwc);
    CHECK(plan.tasks > 0);
    CHECK(plan.scratch_bytes > 0);
    CHECK(plan.multiply_adds > 0);
    layer.set_variant(gradient_variants(DType::f32).front().name);
    CHECK(error_of<InvalidArgument>([&] { layer.set_variant(plan.variant.name, 2); }).find("tasks of its own") !=
          std::string::npos);
}

}  // namespace
}  // namespace unstride::tests
