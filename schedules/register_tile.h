#ifndef UNSTRIDE_SCHEDULES_REGISTER_TILE_H
#define UNSTRIDE_SCHEDULES_REGISTER_TILE_H

#include "stages.h"

namespace unstride {

// What all schedules for CPUs do with a tile of accumulators, which are registers from the first tap to the last. A
// tile's vectors lie along one of its dimensions, and share what is broadcast along the other (c and q, or q and c).

// Schedules `sum` and `phases`. `tiles` is the loop over the tiles of the output.
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

}  // namespace unstride

#endif
