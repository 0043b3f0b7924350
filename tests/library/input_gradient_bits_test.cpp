// Input gradients have the same bits, however they are computed.

#include <map>
#include <string>
#include <vector>

#include "support/catch_compat.h"
#include "support/input_gradient_case.h"
#include "support/settings.h"

namespace unstride::tests {
namespace {

TEST_CASE("input gradients have the same bits for any number of threads", "[input_gradient]") {
    const Settings restored;
    const std::vector<ConvTranspose3dOptions> layers{
        {24, 40, 3, 2, 1, 1}, {8, 4, {1, 1, 5}, {1, 1, 2}}, {16, 24, 3, 1, 1}};
    for (const ConvTranspose3dOptions &options : layers) {
        const bool is_row = options.kernel_size.height == 1;
        const GradientCase c(options, is_row ? Shape{2, 8, 1, 1, 300} : Shape{2, options.in_channels, 3, 9, 17},
                             Data::reals, 8);
        const ConvTranspose3d layer = c.layer();
        for (const Layout layout : layouts) {
            set_num_threads(1);
            const std::vector<float> expected = gradient_of(layer, c, layout);
            for (const int threads : {2, 3, 7}) {
                set_num_threads(threads);
                CHECK(same_bits(gradient_of(layer, c, layout), expected));
                CHECK(same_bits(gradient_of(layer, c, layout), expected));
            }
        }
    }
}

// All that sum alike: the planner's choice, direct sums and minimal filters.
TEST_CASE("input gradients have the same bits in both layouts, with FMA", "[input_gradient]") {
    if (tested_device() != Device::cpu || !instruction_set(this_machine().isa).fma) {
        return;
    }
    const std::vector<ConvTranspose3dOptions> layers{{24, 40, 3, 2, 1, 1}, {64, 32, 4, 2, 1}};
    for (const ConvTranspose3dOptions &options : layers) {
        const GradientCase c(options, {2, options.in_channels, 4, 9, 17}, Data::reals, 9);
        ConvTranspose3d layer = c.layer();
        std::map<std::string, std::vector<float>> expected;
        for (const Layout layout : layouts) {
            const Plan plan = layer.plan(c.input_shape, layout, {}, {}, Operator::input_gradient);
            const std::vector<float> planned = gradient_of(layer, c, layout);
            CHECK(same_bits(expected.emplace(plan.variant.sums, planned).first->second, planned));
            for (const Variant &v : variants_here(layout, {}, Operator::input_gradient)) {
                if (takes(v, options) && instruction_set(v.isa).fma) {
                    INFO(v.name);
                    layer.set_variant(v.name);
                    const std::vector<float> got = gradient_of(layer, c, layout);
                    CHECK(same_bits(expected.emplace(v.sums, got).first->second, got));
                }
            }
            layer.set_variant("");
        }
    }
}

// Weights that are stationary, and filters of pairs, serve rows, slices and items of a task.
TEST_CASE("input gradients have the same bits, however the boxes of tasks are split", "[input_gradient]") {
    const Settings restored;
    // The last tile of a row, the last row, slice and item of a task, and the last block of channels are not full.
    const GradientCase c({20, 40, {4, 3, 4}, 2, 1}, {3, 20, 5, 7, 9}, Data::reals, 10);
    ConvTranspose3d layer = c.layer();
    for (const Layout layout : layouts) {
        for (const Variant &v : variants_here(layout, {}, Operator::input_gradient)) {
            if (v.family != "stationary" && v.family != "winograd") {
                continue;
            }
            INFO(v.name);
            std::vector<float> expected;
            for (const int threads : {1, 2, 5}) {
                set_num_threads(threads);
                for (const int64_t rows : {0, 1, 3, 7}) {
                    layer.set_variant(v.name, rows, Operator::input_gradient);
                    const std::vector<float> got = gradient_of(layer, c, layout);
                    expected = expected.empty() ? got : expected;
                    CHECK(same_bits(got, expected));
                }
            }
            check_call(layer, c, layout);
        }
    }
}

}  // namespace
}  // namespace unstride::tests
