#ifndef UNSTRIDE_SCHEDULES_SCHEDULES_H
#define UNSTRIDE_SCHEDULES_SCHEDULES_H

#include "stages.h"

namespace unstride {

enum class Family { Channels,
                    Columns,
                    Depthwise };

// A register tile: `block` output channels by `columns` output columns of one phase, `lanes` floats to a vector.
struct Tile {
    int block, columns, lanes;
};

// Splits the loops over rows and over `blocks` of output channels, and shares the pieces among threads. Returns the loop over
// them, which is where input is staged: the rows' slab serves all of a task's blocks.
Halide::Var parallelize(Stages &s, const Halide::Var &blocks);

// Schedules `sum` and `phases`, what all families share: a tile's accumulators, in vectors along one dimension of the tile
// that share what is broadcast along the other (c and q, or q and c). `tiles` is the loop over the tiles of the output.
void compute_in_registers(Stages &s, const Tile &tile, const Halide::Var &vectors, const Halide::Var &broadcasts,
                          const Halide::LoopLevel &tiles);

// Vectors across output channels; inputs are broadcast.
void schedule_channels(Stages &s, const Tile &tile);

// Vectors across output columns; weights are broadcast, and phases interleave on the store.
void schedule_columns(Stages &s, const Tile &tile);

}  // namespace unstride

#endif
