// What is forced runs, or is refused: never does another variant run in silence.

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

const ConvTranspose3dOptions any_family{64, 64, 3, 1, 1};
const Shape input_shape{2, 64, 3, 5, 7};

std::string name_of(const std::string &family, Layout layout, const Types &types = {}) {
    for (const Variant &v : variants_here(layout, types)) {
        if (v.family == family && takes(v, any_family)) {
            return v.name;
        }
    }
    return "";
}

TEST_CASE("a forced variant is for inputs of its layout", "[forced][errors]") {
    const Case c(any_family, input_shape, Data::integers, 1);
    for (Layout layout : layouts) {
        const Layout other = layout == Layout::ncdhw ? Layout::ndhwc : Layout::ncdhw;
        for (const Variant &v : variants_here(layout)) {
            if (!takes(v, any_family)) {
                continue;
            }
            ConvTranspose3d layer = c.layer();
            layer.set_variant(v.name);
            const std::string refused =
                "variant " + v.name + " is for layout " + to_string(layout) + ", not " + to_string(other);
            CHECK(mismatch(forward(layer, c, layout), c) == "none");
            CHECK(error_of<InvalidArgument>([&] { forward(layer, c, other); }) == refused);
            CHECK(error_of<InvalidArgument>([&] { layer.plan(input_shape, other); }) == refused);
            layer.set_variant("");
            CHECK(mismatch(forward(layer, c, other), c) == "none");
        }
    }
}

TEST_CASE("a forced variant is for calls of its types", "[forced][errors]") {
    for (Layout layout : layouts) {
        for (const Types &types : supported_types()) {
            const CaseOf<double> c(any_family, input_shape, Data::integers, 1, types);
            ConvTranspose3d layer = c.layer();
            const Tensor input = c.input_as(layout);
            Tensor output(c.expected.sizes, layout, 3, types.output);
            for (const Types &other : supported_types()) {
                // Below AVX2, ncdhw has no tiles across channels for all types.
                const std::string channels = name_of("channels", layout, other);
                const std::string name = channels.empty() ? name_of("columns", layout, other) : channels;
                layer.set_variant(name);
                const std::string expected = other == types ? "no error"
                                                            : "variant " + name + " is for type " + to_string(other) +
                                                                  ", not " + to_string(types);
                const auto run = [&] { layer.forward(input.view<void>(), output.view<void>()); };
                CHECK(error_of<InvalidArgument>(run) == expected);
                CHECK(error_of<InvalidArgument>([&] { layer.plan(input_shape, layout, {}, types); }) == expected);
            }
        }
    }
}

TEST_CASE("minimal filters that are forced need moderate numbers", "[forced][winograd][errors]") {
    constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    for (Layout layout : layouts) {
        const std::string name = name_of("winograd", layout);
        const std::string refused =
            "variant " + name + " needs an input and weights below 2^50 in magnitude, without NaN";
        const Case usual(any_family, input_shape, Data::reals, 12);
        ConvTranspose3d layer = usual.layer();
        layer.set_variant(name);
        CHECK(mismatch(forward(layer, usual, layout), usual) == "none");
        for (float special : {infinity, -infinity, nan, 1.2e15F}) {
            Case c = usual;
            c.input[5000] = special;
            CHECK(error_of<InvalidArgument>([&] { forward(layer, c, layout); }) == refused);
            ConvTranspose3d weighted = usual.layer();
            weighted.set_variant(name);
            c.weight[1000] = special;
            weighted.set_weight(c.weight.data(), weighted.weight_shape());
            CHECK(error_of<InvalidArgument>([&] { forward(weighted, usual, layout); }) == refused);
            CHECK(error_of<InvalidArgument>([&] { weighted.plan(input_shape, layout); }) == refused);
        }
        CHECK(mismatch(forward(layer, usual, layout), usual) == "none");
    }
}

TEST_CASE("pairs that are forced need weights of bf16", "[forced][pairs][errors]") {
    for (Layout layout : layouts) {
        for (const Types &types : {Types(DType::bf16), Types(DType::bf16, DType::f32)}) {
            for (const Variant &v : variants_here(layout, types)) {
                if (v.family != "pairs") {
                    continue;
                }
                const CaseOf<double> c(fitted({16, 24, 3, 1, 1}, v), {1, 16, 2, 3, 5}, Data::integers, 1, types);
                ConvTranspose3d layer = c.layer();
                layer.set_variant(v.name);
                const Tensor input = c.input_as(layout);
                Tensor output(c.expected.sizes, layout, 3, types.output);
                const auto run = [&] { layer.forward(input.view<void>(), output.view<void>()); };
                CHECK(error_of<InvalidArgument>(run) == "no error");
                fill_weight(layer, 1.F / 3);
                const std::string refused = "variant " + v.name + " needs weights that bf16 has without rounding";
                CHECK(error_of<InvalidArgument>(run) == refused);
                CHECK(error_of<InvalidArgument>([&] { layer.plan(c.input_shape, layout, {}, types); }) == refused);
                fill_weight(layer, 1.5F);
                CHECK(error_of<InvalidArgument>(run) == "no error");
            }
        }
    }
}

TEST_CASE("an output that a refused call would have written stays as it was", "[forced][errors]") {
    Case c(any_family, input_shape, Data::reals, 12);
    c.input[0] = std::nanf("");
    ConvTranspose3d layer = c.layer();
    layer.set_variant(name_of("winograd", Layout::ncdhw));
    const Tensor input = c.input_as(Layout::ncdhw);
    Tensor output(c.expected.sizes, Layout::ncdhw);
    std::fill_n(output.data(), output.element_count(), -7.F);
    CHECK_THROWS_AS(layer.forward(input.view(), output.view()), InvalidArgument);
    CHECK(std::count(output.data(), output.data() + output.element_count(), -7.F) == output.element_count());
}

}  // namespace
}  // namespace unstride::tests
