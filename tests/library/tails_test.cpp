// Sizes around each variant's own tile: output channels around its block, output columns around its columns.

#include <map>
#include <string>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// Tiles have many sizes in common, whose references are computed once.
using Cases = std::map<std::string, Case>;

// An input of these extents for the layer nearest to `layer_near` that the variant takes.
void check_tail(Cases &cases, const Variant &variant, const ConvTranspose3dOptions &layer_near, const Triple &extents) {
    const ConvTranspose3dOptions options = fitted(layer_near, variant);
    const Shape input_shape{1, options.in_channels, extents[0], extents[1], extents[2]};
    const Case &c =
        cases.try_emplace(describe(options, input_shape), options, input_shape, Data::integers, 7).first->second;
    INFO(variant.name << ": " << describe(options, c.input_shape));
    ConvTranspose3d layer = c.layer();
    layer.set_variant(variant.name);
    CHECK(mismatch(forward(layer, c, variant.layout), c) == "none");
}

// Kernels with a stride_x of 1 run at stride 2 here too.
void check_channels(Cases &cases, const Variant &v) {
    for (int64_t channels : {1, v.block - 1, v.block, v.block + 1, 2 * v.block + 1}) {
        if (channels > 0) {
            check_tail(cases, v, {3, channels, {1, 2, 3}, {1, 2, 2}}, {1, 2, 5});
            check_tail(cases, v, {2, 2 * channels, {1, 2, 3}, {1, 1, 2}, 0, 0, 2}, {1, 2, 3});
        }
    }
}

// Checks outputs with one column, and with widths around one, two and three tiles.
void check_columns(Cases &cases, const Variant &v, int64_t stride) {
    const int64_t tile = int64_t{v.columns} * stride;
    for (int64_t width : {int64_t{1}, tile - 1, tile, tile + 1, 2 * tile - 1, 2 * tile, 2 * tile + 1, 3 * tile + 1}) {
        if (width == 0) {
            continue;
        }
        const int64_t input = (width - 1) / stride + 1;
        const int64_t output_padding = (width - 1) % stride;
        check_tail(cases, v, {2, 3, {1, 1, 1}, {1, 1, stride}, 0, {0, 0, output_padding}}, {1, 2, input});
        // Taps reach across the tiles' borders, and padding keeps the width. Of kernels of 1 and 2 it would leave
        // nothing.
        const int64_t padding = v.known_kernel == 1 || v.known_kernel == 2 ? 0 : 1;
        check_tail(cases, v, {2, 3, {1, 2, 3}, {1, 1, stride}, {0, 0, padding}, {0, 0, output_padding}}, {1, 1, input});
    }
}

void check_every_variant(Layout layout) {
    Cases cases;
    for (const Variant &v : variants_here(layout)) {
        check_channels(cases, v);
        check_columns(cases, v, v.stride_x);
        if (v.stride_x == 1) {
            check_columns(cases, v, 2);
            check_columns(cases, v, 3);
        }
    }
}

TEST_CASE("tails around every tile in ncdhw", "[tails]") {
    check_every_variant(Layout::ncdhw);
}

TEST_CASE("tails around every tile in ndhwc", "[tails]") {
    check_every_variant(Layout::ndhwc);
}

}  // namespace
}  // namespace unstride::tests
