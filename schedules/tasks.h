#ifndef UNSTRIDE_SCHEDULES_TASKS_H
#define UNSTRIDE_SCHEDULES_TASKS_H

#include "stages.h"

namespace unstride {

// The output's loops over the register tiles of a row, and over blocks of output channels.
inline const Halide::Var tiles{"tiles"}, blocks{"blocks"};

// Splits the loops over rows and blocks, with minimal filters those over slices and items, too, and shares the pieces
// among threads. Returns the loop over them, which is where input is staged: a task's slab serves all of its blocks.
Halide::Var parallelize(Stages &s);

// Schedules `slab`, in vectors along its dense dimension, x or c, once for each turn of the loop over `tasks`. The
// channels of ncdhw are turned innermost for the latter.
void stage_input(Stages &s, const Halide::Var &dense, int lanes, const Halide::LoopLevel &tasks);

}  // namespace unstride

#endif
