// Kernels of the family *pairs*, which take two input channels of bf16 at once. Those of the catalog need a processor
// that multiplies such pairs; the ones here, compiled for any, stand in for them in all tests of variants.

#include <cmath>
#include <limits>

#include "ncdhw_pairs_8x4_s2_bf16_baseline.h"
#include "ndhwc_pairs_8x4_s1_bf16_f32_baseline.h"
#include "support/catch_compat.h"
#include "support/harness.h"
#include "unstride/register.h"

namespace unstride::tests {
namespace {

const int registered = register_kernels({{"ncdhw_pairs_8x4_s2_bf16_baseline", "pairs", Layout::ncdhw, "baseline", 2, 8,
                                          4, unstride_ncdhw_pairs_8x4_s2_bf16_baseline, false, DType::bf16},
                                         {"ndhwc_pairs_8x4_s1_bf16_f32_baseline",
                                          "pairs",
                                          Layout::ndhwc,
                                          "baseline",
                                          1,
                                          8,
                                          4,
                                          unstride_ndhwc_pairs_8x4_s1_bf16_f32_baseline,
                                          false,
                                          {DType::bf16, DType::f32}}});

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<Variant> pairs_here() {
    std::vector<Variant> found;
    for (Layout layout : layouts) {
        for (const Types &types : {Types(DType::bf16), Types(DType::bf16, DType::f32)}) {
            for (const Variant &v : variants_here(layout, types)) {
                if (v.family == "pairs") {
                    found.push_back(v);
                }
            }
        }
    }
    return found;
}

// The output, everywhere the same, of a layer with one tap in each phase. All weights are `weight`, and all inputs one,
// but those of the last channel are `last_input`.
float sum_of(ConvTranspose3d &layer, const Variant &v, float weight, float last_input = 1) {
    fill_weight(layer, weight);
    const Shape shape{1, layer.options().in_channels, 2, 3, 5};
    Tensor input(shape, v.layout, 3, DType::bf16), output(layer.output_shape(shape), v.layout, 3, v.types.output);
    std::vector<double> numbers(static_cast<size_t>(element_count(shape)), 1);
    for (size_t i = 0; i < 30; i++) {
        numbers[numbers.size() - 1 - i] = last_input;
    }
    copy_into(input.view<void>(), numbers);
    layer.forward(input.view<void>(), output.view<void>());
    const std::vector<double> sums = numbers_of(output.view<void>());
    for (double sum : sums) {
        CHECK((std::isnan(sum) || sum == sums.front()));
    }
    return static_cast<float>(sums.front());
}

// Numbers that bf16 rounds to 1, from above and from below, and one that processors take for zero.
const float weights_of_f32[] = {1 + std::ldexp(1.F, -9), 1 - std::ldexp(1.F, -10), std::ldexp(1.F, -127)};

TEST_CASE("pairs are computed with weights that bf16 has", "[pairs]") {
    CHECK(registered == 2);
    for (const Variant &v : pairs_here()) {
        INFO(v.name);
        ConvTranspose3d layer(fitted({16, 24, {1, 1, v.stride_x}, {1, 1, v.stride_x}, 0, 0, 1, without_bias}, v));
        layer.set_variant(v.name);
        CHECK(sum_of(layer, v, 1.5F) == 24);
        CHECK(sum_of(layer, v, infinity) == infinity);
        for (float weight : weights_of_f32) {
            fill_weight(layer, weight);
            CHECK_THROWS_AS(layer.plan({1, 16, 2, 3, 5}, v.layout, {}, v.types), InvalidArgument);
        }
        CHECK(sum_of(layer, v, 0) == 0);
    }
}

TEST_CASE("other weights are computed as they are", "[pairs]") {
    for (const Variant &v : pairs_here()) {
        ConvTranspose3d layer(fitted({16, 24, {1, 1, v.stride_x}, {1, 1, v.stride_x}, 0, 0, 1, without_bias}, v));
        for (float weight : weights_of_f32) {
            INFO(v.name << ", " << weight);
            CHECK(sum_of(layer, v, weight) == static_cast<float>(rounded(v.types.output, 16. * weight)));
            CHECK(layer.plan({1, 16, 2, 3, 5}, v.layout, {}, v.types).variant.family != "pairs");
        }
    }
}

TEST_CASE("the last of an odd number of channels has nothing beside it", "[pairs]") {
    for (const Variant &v : pairs_here()) {
        for (int64_t channels : {1, 7, 33}) {
            INFO(v.name << ", " << channels);
            ConvTranspose3d layer(
                fitted({channels, 5, {1, 1, v.stride_x}, {1, 1, v.stride_x}, 0, 0, 1, without_bias}, v));
            layer.set_variant(v.name);
            CHECK(sum_of(layer, v, 2, 3) == static_cast<float>(2 * (channels - 1) + 6));
            CHECK(sum_of(layer, v, 2, infinity) == infinity);
        }
    }
}

}  // namespace
}  // namespace unstride::tests
