#ifndef UNSTRIDE_SCHEDULES_SCHEDULES_H
#define UNSTRIDE_SCHEDULES_SCHEDULES_H

#include "stages.h"

namespace unstride {

// The schedules. schedules.cpp says which families they are for.

// Vectors lie across output channels; inputs are broadcast.
void schedule_channels(Stages &s, const Tile &tile);

// Vectors lie across output columns; weights are broadcast, and phases interleave on the store.
void schedule_columns(Stages &s, const Tile &tile);

// Products of all taps of a position along x and y come first, then their sums. Products are in vectors across taps in
// ndhwc, across columns in ncdhw.
void schedule_taps(Stages &s, const Tile &tile);

// Threads of a GPU have a tile each. Where lanes are channels, a warp has a tile, and each thread one channel of it.
void schedule_gpu(Stages &s, const Tile &tile);

// The same, with input channels that are read four at once.
void schedule_gpu_quads(Stages &s, const Tile &tile);

}  // namespace unstride

#endif
