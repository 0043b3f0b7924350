// Every problem of the table on every variant that can run it, against the reference.

#include <limits>

#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/problems.h"

namespace unstride::tests {
namespace {

void check_problem(const Problem &problem, Layout layout) {
    const Case c(problem.options(), problem.input_shape(), Data::reals, 1);
    const Tensor input = c.input_as(layout);
    ConvTranspose3d layer = c.layer();
    INFO(problem.reason << ": " << describe(c.options, c.input_shape));
    REQUIRE(layer.output_shape(c.input_shape) == c.expected.sizes);
    for (const Variant &variant : variants_here(layout)) {
        if (!takes(variant, c.options)) {
            continue;
        }
        INFO(variant.name);
        layer.set_variant(variant.name);
        CHECK(layer.plan(c.input_shape, layout).variant.name == variant.name);

        const Tensor result = layer.forward(input.view());
        CHECK(mismatch(result, c) == "none");

        Tensor buffer(c.expected.sizes, layout);
        copy_into(buffer.view(), std::vector<float>(buffer.element_count(), std::numeric_limits<float>::quiet_NaN()));
        layer.forward(input.view(), buffer.view());
        CHECK(mismatch(buffer, c) == "none");
        // An input of one channel does not tell its layout, and the new tensor may have the other.
        if (result.layout() == layout) {
            CHECK(same_bits(dense_copy(buffer), dense_copy(result)));
        }
    }
    layer.set_variant("");
    INFO("planned: " << layer.plan(c.input_shape, layout).variant.name);
    CHECK(mismatch(layer.forward(input.view()), c) == "none");
}

TEST_CASE("problem table in ncdhw", "[correctness]") {
    for (const Problem &problem : problems) {
        check_problem(problem, Layout::ncdhw);
    }
}

TEST_CASE("problem table in ndhwc", "[correctness]") {
    for (const Problem &problem : problems) {
        check_problem(problem, Layout::ndhwc);
    }
}

TEST_CASE("stride and dilation sweep", "[correctness]") {
    for (const Problem &problem : stride_dilation_sweep()) {
        for (Layout layout : layouts) {
            check_problem(problem, layout);
        }
    }
}

TEST_CASE("every instruction set of this machine has variants in both layouts", "[correctness]") {
    for (Layout layout : layouts) {
        std::vector<std::string> strides_any;
        for (const Variant &v : variants_here(layout)) {
            if (v.stride_x == 1) {
                strides_any.push_back(v.isa);
            }
        }
        INFO(to_string(layout));
        CHECK(!strides_any.empty());
    }
}

}  // namespace
}  // namespace unstride::tests
