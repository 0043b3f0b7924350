#ifndef UNSTRIDE_RUNTIME_PLANNER_H
#define UNSTRIDE_RUNTIME_PLANNER_H

#include <string>

#include "catalog.h"
#include "geometry.h"

namespace unstride {

// What the planner decides: everything that does not change the result.
struct Decision {
    const Entry *entry;
    std::string reason;
    int64_t rows_per_task;
    int64_t tasks;
};

// Whether a variant computes this geometry.
bool can_run(const Entry &entry, const Geometry &geometry);

// Picks among the variants of this layout, or takes the `forced` one if not null, and splits the work.
// Throws InvalidArgument if none can run.
Decision decide(const Geometry &geometry, Layout layout, const Entry *forced);

// Bytes that the kernel's scratch takes at most, in all threads together: for each, the input rows that one output row reads.
int64_t scratch_bytes(const Entry &entry, const Geometry &geometry, int threads);

}  // namespace unstride

#endif
