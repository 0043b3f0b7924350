#ifndef UNSTRIDE_RUNTIME_PLAN_WISDOM_H
#define UNSTRIDE_RUNTIME_PLAN_WISDOM_H

#include <atomic>
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

// Changes whenever recall may have another answer than before. The first time it is asked for, it looks for the wisdom
// that the environment names, which is a change, too.
inline std::atomic<uint64_t> wisdom_changes{0};  // 0: the environment was not looked at yet
uint64_t load_environment_wisdom();
inline uint64_t wisdom_generation() {
    const uint64_t changes = wisdom_changes;
    return changes > 0 ? changes : load_environment_wisdom();
}

}  // namespace unstride

#endif
