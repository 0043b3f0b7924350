#ifndef UNSTRIDE_GENERATORS_OUTER_PRODUCTS_H
#define UNSTRIDE_GENERATORS_OUTER_PRODUCTS_H

#include "stages.h"

namespace unstride {

// Dimensions of the weight gradient's stages. A tile is the outer product of channels that lie across vectors and of
// what is broadcast: other channels, or taps along x.
inline const Halide::Var lane{"lane"}, other{"other"};  // within a tile: vectors, broadcasts
inline const Halide::Var tap_x{"tap_x"}, tap_y{"tap_y"}, tap_z{"tap_z"};
inline const Halide::Var lane_block{"lane_block"}, other_block{"other_block"};
inline const Halide::Var block{"block"};  // of the channels of an operand

// An operand as a tile reads it: the channels of a block lie side by side, then its positions, and blocks apart. The
// columns of grad_output with the same number modulo the stride, its phases, are apart as well, since a tap reads just
// one of them: columns that lie a power of two apart would share few sets of a cache.
struct Operand {
    Halide::Func source;  // (x, y, z, channel, n), in the type of the sums
    Halide::Func rows;    // (lane, x, y, z, n, block): the same in blocks; for grad_output, where y and z are those of
                          // the input, also of a tap: (..., tap_y, tap_z)
    Halide::Func staged;  // the same with phases of columns, (lane, x, p, y, ...)
    int width;            // channels of a block
    Halide::Expr columns, phases, columns_of_phase;
};

// The contract between the mathematics of the weight gradient and its schedule.
struct OuterProducts {
    Operand input, grad_output;
    Halide::Func sum;      // (lane, other, tap_x, tap_y, tap_z, lane_block, other_block): the accumulators of a tile
    Halide::Func partial;  // the same dimensions: what sums are added to, in memory
    Halide::RDom positions;
    Halide::Expr rows, slices, items;  // of the positions
    bool channels_last;
};

void schedule_outer_products(OuterProducts &stages, const Tile &tile);

}  // namespace unstride

#endif
