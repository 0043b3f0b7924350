#ifndef UNSTRIDE_RUNTIME_PLAN_WEIGHT_GRADIENT_H
#define UNSTRIDE_RUNTIME_PLAN_WEIGHT_GRADIENT_H

#include <string>

#include "kernels/weight_gradient.h"
#include "plan/planner.h"
#include "problem/problem.h"
#include "unstride/variants.h"

namespace unstride {

// How a weight gradient is computed. A task sums up one chunk for some of the weights of a group: `lane_share` blocks
// of the tiles' lanes by `other_share` blocks of the others. How many these are depends on the threads, but no bit of
// the result does.
struct WeightGradientProgram {
    const Entry *entry;
    Channels seen;  // as the kernel sees them
    SummationOrder order;
    ProductTiles tiles;
    int64_t lane_share, other_share;
    std::string reason;
    Estimate estimate;

    int64_t tasks() const;
    int64_t partial_elements() const;  // of the arrays of all chunks
};

// Returns the kernel that is forced, or the one of least estimated time, with tasks for the machine's threads. Wisdom
// and trials know nothing of this operator. Throws InvalidArgument if no kernel can run, or if the one that is forced
// cannot.
WeightGradientProgram decide_weight_gradient(const ConvTranspose3dOptions &options, const Problem &problem,
                                             const Machine &machine, const Forced &forced);

// Returns the plan of a weight gradient, for users.
Plan plan_weight_gradient(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
                          const Forced &forced);

}  // namespace unstride

#endif
