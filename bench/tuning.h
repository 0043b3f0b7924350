#ifndef UNSTRIDE_BENCH_TUNING_H
#define UNSTRIDE_BENCH_TUNING_H

#include <functional>
#include <string>

#include "layers.h"
#include "unstride/unstride.h"

namespace unstride::bench {

struct Candidate {
    std::string variant;  // empty: the planner's choice, where that is two variants
    int64_t rows_per_task;
    double seconds;  // median
};

struct Tuning {
    Candidate planned;  // the planner's choice without wisdom
    Candidate winner;   // `planned` too, unless another one is faster by more than 1 %
    int measured;       // how many variants and splits
    int left_out;       // how many variants were expected to take more than three times the least, so not measured
};

// Measures, in turns, what can compute an operator of a layer with elements of these types: first all variants as the
// planner splits them, then the fastest two and the planned one again with other splits. Takes a few seconds, or a few
// calls of each if they take longer. `progress` is told how much of it is done, up to 1.
Tuning tune(const Layer &layer, Layout layout, const std::function<void(double)> &progress, const Types &types = {},
            Operator op = Operator::forward);

}  // namespace unstride::bench

#endif
