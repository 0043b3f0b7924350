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

// Vectors across output channels; inputs are broadcast.
void schedule_channels(Stages &s, const Tile &tile);

// Vectors across output columns; weights are broadcast, and phases interleave on the store.
void schedule_columns(Stages &s, const Tile &tile);

}  // namespace unstride

#endif
