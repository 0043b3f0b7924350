#ifndef UNSTRIDE_GENERATORS_POSITIONS_H
#define UNSTRIDE_GENERATORS_POSITIONS_H

#include "family.h"
#include "stages.h"

namespace unstride {

inline const Halide::Var l{"l"}, chunk{"chunk"}, items_group{"items_group"};

// The contract between the sums over positions (bias_gradient.cpp) and their schedule (schedules/positions.cpp).
struct PositionStages {
    Halide::Func partial;  // (l, c, chunk, items_group): the partial sums of a chunk, which go over the steps and the
    Halide::RDom full;     // items of the chunk, then over the positions and the items of a last step that is not full
    Halide::RDom rest;
    Halide::Func sums;  // (c, chunk, items_group): the sum of the partial sums

    Halide::Expr has_one_row;  // whether all positions of an item are one row, whose index then needs no division
    bool gpu;
    Lanes lanes;  // what vectors, or the threads of a warp, lie across: positions or channels
    int vector;   // sums in a vector
};

void schedule_positions(PositionStages &stages);

}  // namespace unstride

#endif
