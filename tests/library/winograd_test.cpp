// Minimal filters: where the library takes them, that they compute what direct kernels do, and what is left to these.

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/input_gradient_case.h"
#include "support/machines.h"
#include "support/splits.h"

namespace unstride::tests {
namespace {

const ConvTranspose3dOptions many{64, 64, 3, 1, 1};  // 64 products, and not 216, for 8 outputs
const Shape input_shape{2, 64, 3, 5, 7};

bool minimal(const Plan &plan) {
    return plan.variant.family == "winograd";
}

std::string direct_variant(Layout layout) {
    for (const Variant &v : variants_here(layout)) {
        if (takes(v, many) && v.family == "channels" && v.isa == variants_here(layout).front().isa) {
            return v.name;
        }
    }
    return "";
}

// The first kernel of this way of summing for the input gradient, which takes the options.
std::string variant_of(const std::string &sums, const ConvTranspose3dOptions &options, Layout layout) {
    const std::vector<Variant> all = variants_here(layout, {}, Operator::input_gradient);
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Variant &v) { return v.sums == sums && takes(v, options); });
    REQUIRE(found != all.end());
    return found->name;
}

TEST_CASE("minimal filters are planned where they save much, and only there", "[winograd]") {
    const auto planned = [](const ConvTranspose3dOptions &options, const Shape &input) {
        const bool first = minimal(ConvTranspose3d(options).plan(input, Layout::ncdhw, {}, {}, machines[0]));
        for (const Machine &machine : machines) {
            INFO(machine.cpu);
            for (Layout layout : layouts) {
                CHECK(first == minimal(ConvTranspose3d(options).plan(input, layout, {}, {}, machine)));
            }
        }
        return first;
    };
    CHECK(planned(many, input_shape));
    CHECK(planned(many, {0, 64, 3, 5, 7}));
    CHECK(planned({128, 64, 4, 2, 1}, {1, 128, 8, 8, 8}));
    CHECK(planned({128, 64, 3, 2, 1, 1}, {1, 128, 8, 8, 8}));
    CHECK(planned({64, 64, 3, 2, 1, 1}, {1, 64, 8, 8, 8}));
    CHECK_FALSE(planned({32, 64, 3, 2, 1, 1}, {1, 32, 8, 8, 8}));  // There are too few input channels for 25/36.
    CHECK(planned({64, 64, 3, 1, 2, 0, 1, with_bias, 2}, {1, 64, 8, 8, 8}));
    CHECK_FALSE(planned({128, 64, 2, 2}, {1, 128, 8, 8, 8}));  // With one tap in each phase there is nothing to save.
    CHECK_FALSE(planned({128, 64, 4, 1}, {1, 128, 8, 8, 8}));  // There are four taps.
    CHECK_FALSE(planned({128, 64, 1, 2}, {1, 128, 8, 8, 8}));  // Some phases have none.
    CHECK_FALSE(planned({64, 1, 4, 2, 1}, {1, 64, 8, 8, 8}));  // There is a single output channel.
    CHECK_FALSE(planned({64, 64, 3, 1, 1, 0, 64}, {1, 64, 8, 8, 8}));  // Groups have single input channels.
    CHECK_FALSE(planned({64, 64, 4, 2, 1, 0, 1, with_bias, 2}, {1, 64, 8, 8, 8}));  // Some outputs have no taps.
    CHECK_FALSE(planned({64, 64, {1, 1, 3}, 1, {0, 0, 1}}, {1, 64, 8, 8, 8}));  // Along the width they sum directly.
}

TEST_CASE("minimal filters of the input gradient are planned where they save much, and only there", "[winograd]") {
    const auto planned = [](const ConvTranspose3dOptions &options, const Shape &input) {
        const auto is_minimal = [&](Layout layout, const Machine &machine) {
            return minimal(ConvTranspose3d(options).plan(input, layout, {}, {}, machine, Operator::input_gradient));
        };
        const bool first = is_minimal(Layout::ncdhw, machines[0]);
        for (const Machine &machine : machines) {
            INFO(machine.cpu);
            for (Layout layout : layouts) {
                CHECK(first == (is_minimal(layout, machine)));
            }
        }
        return first;
    };
    CHECK(planned({128, 64, 4, 2, 1}, {1, 128, 8, 8, 8}));
    CHECK(planned({128, 64, 4, 2, 1}, {0, 128, 8, 8, 8}));
    CHECK(planned({64, 32, 3, 2, 1, 1}, {1, 64, 8, 8, 8}));
    CHECK(planned({64, 64, 5, 2, 2, 1}, {1, 64, 8, 8, 8}));
    CHECK(planned({64, 64, 3, 1, 1}, {1, 64, 8, 8, 8}));             // It is a forward of stride 1.
    CHECK_FALSE(planned({32, 32, 3, 2, 1, 1}, {1, 32, 8, 8, 8}));    // There are too few input channels for 25/36.
    CHECK_FALSE(planned({128, 64, 2, 2}, {1, 128, 8, 8, 8}));        // Each remainder of the stride has one tap.
    CHECK_FALSE(planned({128, 64, 7, 2, 3, 1}, {1, 128, 8, 8, 8}));  // There are four taps.
    CHECK_FALSE(planned({64, 3, 4, 2, 1}, {1, 64, 8, 8, 8}));        // There are three channels to sum over.
    CHECK_FALSE(planned({128, 64, 4, 2, 1, 0, 1, with_bias, 3}, {1, 128, 8, 8, 8}));      // Taps are dilated.
    CHECK_FALSE(planned({128, 64, {1, 4, 4}, {1, 2, 2}, {0, 1, 1}}, {1, 128, 1, 8, 8}));  // Slices have no neighbours.
}

TEST_CASE("minimal filters give the same bits in both layouts, for any number of threads and split",
          "[winograd][threads]") {
    check_same_bits(Case(many, input_shape, Data::reals, 11), "winograd", 3);  // These are pairs of 5 rows.
}

TEST_CASE("numbers that minimal filters of the input gradient cannot take are summed directly", "[winograd]") {
    const ConvTranspose3dOptions options{64, 32, 4, 2, 1};
    const Shape input{2, 64, 4, 6, 7};
    for (const float special : {std::numeric_limits<float>::infinity(), 1.2e15F}) {
        GradientCase c(options, input, Data::reals, 12);
        c.grad_output[c.grad_output.size() / 2] = special;
        for (const Layout layout : layouts) {
            const ConvTranspose3d layer = c.layer();
            REQUIRE(minimal(layer.plan(input, layout, {}, {}, Operator::input_gradient)));
            for (const Variant &v : variants_here(layout, {}, Operator::input_gradient)) {
                ConvTranspose3d forced = c.layer();
                if (!takes(v, options)) {
                    continue;
                }
                forced.set_variant(v.name);
                if (v.family == "winograd") {
                    CHECK(error_of<InvalidArgument>([&] { gradient_of(forced, c, layout); }) ==
                          "variant " + v.name + " needs an input and weights below 2^50 in magnitude, without NaN");
                } else if (instruction_set(v.isa).fma == instruction_set(this_machine().isa).fma) {
                    CHECK(same_bits(gradient_of(layer, c, layout), gradient_of(forced, c, layout)));
                }
            }
        }
    }
}

// New weights take the memory of those before them.
TEST_CASE("a layer computes with the weights that it has last been given", "[winograd][input_gradient]") {
    const GradientCase first({64, 40, 4, 2, 1}, {1, 64, 4, 6, 7}, Data::integers, 14),
        second({64, 40, 4, 2, 1}, {1, 64, 4, 6, 7}, Data::integers, 15);
    for (const Layout layout : layouts) {
        ConvTranspose3d layer = first.layer();
        for (const std::string sums : {"", "direct", "winograd", "", "winograd"}) {
            for (const GradientCase *c : {&first, &second}) {
                layer.set_weight(c->weight.data(), layer.weight_shape());
                layer.set_variant(sums.empty() ? "" : variant_of(sums, c->options, layout));
                INFO(sums);
                check_call(layer, *c, layout);
                check_call(layer, *c, layout);
            }
        }
    }
}

// With minimal filters, infinity minus infinity would be NaN.
TEST_CASE("numbers that minimal filters cannot take are summed directly", "[winograd]") {
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    for (Layout layout : layouts) {
        for (float special : {infinity, -infinity, nan, 1.2e15f, -3e38f}) {
            for (int64_t place : {int64_t{0}, int64_t{2 * 64 * 3 * 5 * 7 - 1}, int64_t{5000}}) {
                Case c(many, input_shape, Data::reals, 12);
                c.input[static_cast<size_t>(place)] = special;
                const ConvTranspose3d layer = c.layer();
                REQUIRE(minimal(layer.plan(input_shape, layout)));
                ConvTranspose3d direct = c.layer();
                direct.set_variant(direct_variant(layout));
                const std::vector<float> expected = dense_copy(forward(direct, c, layout));
                INFO(special << " at " << place);
                CHECK(same_bits(dense_copy(forward(layer, c, layout)), expected));
            }
        }
        // Numbers between the elements of a view do not count.
        const Case c(many, input_shape, Data::reals, 12);
        const ConvTranspose3d layer = c.layer();
        Tensor wide({2, 64, 3, 5, 8}, layout);
        std::fill_n(wide.data(), wide.element_count(), infinity);
        const View<float> all = wide.view();
        const View<float> part{all.data, {2, 64, 3, 5, 7}, all.strides};
        copy_into(part, c.input);
        CHECK(same_bits(dense_copy(layer.forward({part.data, part.sizes, part.strides})),
                        dense_copy(forward(layer, c, layout))));
        part.data[offset(part.sizes, part.strides, 2 * 64 * 3 * 5 * 7 - 1)] = infinity;
        ConvTranspose3d direct = c.layer();
        direct.set_variant(direct_variant(layout));
        CHECK(same_bits(dense_copy(layer.forward({part.data, part.sizes, part.strides})),
                        dense_copy(direct.forward({part.data, part.sizes, part.strides}))));
    }
}

TEST_CASE("weights that minimal filters cannot take are summed directly", "[winograd]") {
    const Case c(many, input_shape, Data::reals, 13);
    for (Layout layout : layouts) {
        ConvTranspose3d layer = c.layer();
        const std::string usual = layer.plan(input_shape, layout).variant.family;
        std::vector<float> weight = c.weight;
        weight[1000] = std::numeric_limits<float>::infinity();
        layer.set_weight(weight.data(), layer.weight_shape());
        CHECK(usual == "winograd");
        CHECK_FALSE(minimal(layer.plan(input_shape, layout)));
        layer.set_weight(c.weight.data(), layer.weight_shape());
        CHECK(minimal(layer.plan(input_shape, layout)));
        CHECK(mismatch(forward(layer, c, layout), c) == "none");
    }
}

TEST_CASE("wisdom chooses among kernels that round alike", "[winograd][wisdom]") {
    const ConvTranspose3d layer(many);
    for (Layout layout : layouts) {
        const std::string planned = layer.plan(input_shape, layout).variant.name;
        add_wisdom({many, input_shape, {}, layout, num_threads(), planned, 2, 1e-3, 3});
        CHECK(layer.plan(input_shape, layout).measured);
        CHECK(layer.plan(input_shape, layout).rows_per_task == 2);
        const std::string direct = direct_variant(layout);
        CHECK(error_of<InvalidArgument>([&] {
                  add_wisdom({many, input_shape, {}, layout, num_threads(), direct, 2, 1e-3, 3});
              }) == "variant " + direct + " rounds unlike those that the layer runs with");
    }
    forget_wisdom();
}

}  // namespace
}  // namespace unstride::tests
