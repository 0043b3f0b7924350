// Sizes around each variant's own tile: output channels around its block, output columns around its columns.

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// An input of these extents for the layer nearest to `layer_near` that the variant takes.
void check_tail(const Variant &variant, const ConvTranspose3dOptions &layer_near, const Triple &extents) {
    const ConvTranspose3dOptions options = fitted(layer_near, variant);
    const Case c(options, {1, options.in_channels, extents[0], extents[1], extents[2]}, Data::integers, 7);
    INFO(variant.name << ": " << describe(options, c.input_shape));
    ConvTranspose3d layer = c.layer();
    layer.set_variant(variant.name);
    CHECK(mismatch(forward(layer, c, variant.layout), c) == "none");
}

// Kernels with a stride_x of 1 run at stride 2 here too.
void check_channels(const Variant &v) {
    for (int64_t channels : {1, v.block - 1, v.block, v.block + 1, 2 * v.block + 1}) {
        if (channels > 0) {
            check_tail(v, {3, channels, {1, 2, 3}, {1, 2, 2}}, {1, 2, 5});
            check_tail(v, {2, 2 * channels, {1, 2, 3}, {1, 1, 2}, 0, 0, 2}, {1, 2, 3});
        }
    }
}

// Checks outputs with one column, and with widths around one, two and three tiles.
void check_columns(const Variant &v, int64_t stride) {
    const int64_t tile = int64_t{v.columns} * stride;
    for (int64_t width : {int64_t{1}, tile - 1, tile, tile + 1, 2 * tile - 1, 2 * tile, 2 * tile + 1, 3 * tile + 1}) {
        if (width == 0) {
            continue;
        }
        const int64_t input = (width - 1) / stride + 1;
        const int64_t output_padding = (width - 1) % stride;
        check_tail(v, {2, 3, {1, 1, 1}, {1, 1, stride}, 0, {0, 0, output_padding}}, {1, 2, input});
        // Taps reach across the tiles' borders, and padding keeps the width.
        check_tail(v, {2, 3, {1, 2, 3}, {1, 1, stride}, {0, 0, 1}, {0, 0, output_padding}}, {1, 1, input});
    }
}

void check_every_variant(Layout layout) {
    for (const Variant &v : variants_here(layout)) {
        check_channels(v);
        check_columns(v, v.stride_x);
        if (v.stride_x == 1) {
            check_columns(v, 2);
            check_columns(v, 3);
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
