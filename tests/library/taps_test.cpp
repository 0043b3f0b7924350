// Layers with few output channels, for which the products of all taps come first, and then their sums: where the
// library computes so, and that layouts, threads and splits agree.

#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/machines.h"
#include "support/splits.h"

namespace unstride::tests {
namespace {

const ConvTranspose3dOptions few{64, 3, 4, 2, 1};
const Shape input_shape{2, 64, 3, 5, 9};

TEST_CASE("products of all taps are planned for few output channels, and only there", "[taps]") {
    const auto planned = [](const ConvTranspose3dOptions &options, const Shape &input) {
        const auto takes_taps = [&](const Machine &machine, Layout layout) {
            return ConvTranspose3d(options).plan(input, layout, {}, {}, machine).variant.family == "taps";
        };
        const bool first = takes_taps(machines[0], Layout::ncdhw);
        for (const Machine &machine : machines) {
            INFO(machine.cpu);
            for (Layout layout : layouts) {
                CHECK(takes_taps(machine, layout) == first);
            }
        }
        return first;
    };
    CHECK(planned(few, input_shape));
    CHECK(planned({64, 1, 4, 2, 1}, {8, 64, 32, 32, 32}));
    CHECK(planned({32, 1, 3, 2, 1, 1}, {1, 32, 48, 64, 128}));
    CHECK(planned({128, 2, {1, 2, 2}, {1, 2, 2}}, {1, 128, 4, 4, 4}));
    CHECK_FALSE(planned({64, 8, 4, 2, 1}, input_shape));  // There are channels enough for a tile.
    CHECK_FALSE(planned({64, 1, {4, 1, 2}, {2, 1, 2}, {1, 0, 0}}, input_shape));  // There are too few taps for a tile.
    CHECK_FALSE(planned({8, 1, 4, 2, 1}, {1, 8, 3, 5, 9}));  // The sums are too short to store products for them.
    CHECK_FALSE(planned({64, 64, 3, 2, 1, 0, 64}, input_shape));
}

TEST_CASE("products of all taps give the same bits in both layouts, for any number of threads and split",
          "[taps][threads]") {
    check_same_bits(Case(few, input_shape, Data::reals, 21), "taps", 10);
}

}  // namespace
}  // namespace unstride::tests
