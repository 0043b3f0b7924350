#ifndef UNSTRIDE_RUNTIME_PLAN_WISDOM_H
#define UNSTRIDE_RUNTIME_PLAN_WISDOM_H

#include <cstdint>
#include <optional>

#include "kernels/catalog.h"
#include "problem/problem.h"
#include "unstride/machine.h"

namespace unstride {

// What won for one problem.
struct Winner {
    const Entry *entry;
    int64_t rows_per_task, nanoseconds, candidates;
};

// What won for a problem on a machine: there are winners only for the machine that the process runs on.
std::optional<Winner> recall(const Problem &problem, const Machine &machine);

// Loads the wisdom that the environment names, unless it was loaded before. It counts as one of planning_changes.
void load_environment_wisdom();

}  // namespace unstride

#endif
