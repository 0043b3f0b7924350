#ifndef UNSTRIDE_SCHEDULES_SCHEDULES_H
#define UNSTRIDE_SCHEDULES_SCHEDULES_H

#include "stages.h"

namespace unstride {

enum class Family { Channels, Columns, Depthwise, Winograd, Taps, Pairs, Quads };

// A register tile: `block` output channels by `columns` output columns of one phase, `lanes` floats to a vector.
struct Tile {
    int block, columns, lanes;
};

// The output's loops over the register tiles of a row, and over blocks of output channels.
inline const Halide::Var tiles{"tiles"}, blocks{"blocks"};

// Splits the loops over rows and blocks, with minimal filters those over slices and items, too, and shares the pieces
// among threads. Returns the loop over them, which is where input is staged: a task's slab serves all of its blocks.
Halide::Var parallelize(Stages &s);

// Schedules `slab`, in vectors along its dense dimension, x or c, once for each turn of the loop over `tasks`. The
// channels of ncdhw are turned innermost for the latter.
void stage_input(Stages &s, const Halide::Var &dense, int lanes, const Halide::LoopLevel &tasks);

// Schedules `sum` and `phases`, what all families share: a tile's accumulators, in vectors along one dimension of the
// tile that share what is broadcast along the other (c and q, or q and c). `tiles` is the loop over the tiles of the
// output.
void compute_in_registers(Stages &s, const Tile &tile, const Halide::Var &vectors, const Halide::Var &broadcasts,
                          const Halide::LoopLevel &tiles);

// Turns a tile of vectors across channels, all phases that interleave, to rows of the output.
void turn_tile(Stages &s, const Tile &tile, const Halide::LoopLevel &tiles);

// Schedules `product` and `products` of minimal filters, in vectors across channels, for all positions in a turn of the
// loop over `blocks` together.
void multiply_in_registers(Stages &s, const Tile &tile, const Halide::LoopLevel &blocks);

// Schedules `product`, a tile of accumulators, once for each turn of the loop over `tiles`.
void multiply_tile(Stages &s, const Tile &tile, const Halide::Var &vectors, const Halide::Var &broadcasts,
                   const Halide::LoopLevel &tiles);

// Vectors across output channels; inputs are broadcast.
void schedule_channels(Stages &s, const Tile &tile);

// Products of all taps of a position along x and y first, then their sums. Products are in vectors across taps in
// ndhwc, across columns in ncdhw.
void schedule_taps(Stages &s, const Tile &tile);

// Threads of a GPU, each with a tile; in a depthwise kernel of ndhwc, each with one channel of a tile.
void schedule_gpu(Stages &s, const Tile &tile, Family family);

// Vectors across output columns; weights are broadcast, and phases interleave on the store.
void schedule_columns(Stages &s, const Tile &tile);

}  // namespace unstride

#endif
