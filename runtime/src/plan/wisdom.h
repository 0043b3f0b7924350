#ifndef UNSTRIDE_RUNTIME_PLAN_WISDOM_H
#define UNSTRIDE_RUNTIME_PLAN_WISDOM_H

#include <cstdint>
#include <optional>

#include "kernels/catalog.h"
#include "problem/problem.h"
#include "unstride/machine.h"

namespace unstride {

// The kernel that was measured as the fastest for one problem, and how it ran.
struct Winner {
    const Entry *entry;
    int64_t rows_per_task;  // output rows of a task; 0 where it has none
    int64_t nanoseconds;    // time of a call
    int64_t candidates;     // how many candidates were measured, this one included
};

// Returns what won for a problem on a machine; nothing if that was not measured. There are winners only for the machine
// that the process runs on.
std::optional<Winner> recall(const Problem &problem, const Machine &machine);

// Keeps what won for a problem on this machine, in place of an earlier winner. It does not add to planning_changes: a
// layer that has measured this itself need not plan again, nor need the others, some of which may be measuring.
void remember(const Problem &problem, const Machine &machine, const Winner &winner);

// Loads the wisdom file that the environment names, unless this was done before. Loading adds to planning_changes, so
// that layers which were planned without this wisdom are planned again.
void load_environment_wisdom();

}  // namespace unstride

#endif
