#ifndef UNSTRIDE_RUNTIME_PLAN_WISDOM_H
#define UNSTRIDE_RUNTIME_PLAN_WISDOM_H

#include <cstdint>
#include <optional>

#include "kernels/catalog.h"
#include "problem/geometry.h"
#include "unstride/machine.h"

namespace unstride {

// What won for one layer, input, layout, types and number of threads.
struct Winner {
    const Entry *entry;
    int64_t rows_per_task, nanoseconds, candidates;
};

// Of the machine that the process runs on; there is none for another.
std::optional<Winner> recall(const Geometry &geometry, Layout layout, const Types &types, const Machine &machine);

// Changes whenever recall may have another answer than before.
uint64_t wisdom_generation();

}  // namespace unstride

#endif
