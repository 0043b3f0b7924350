#ifndef UNSTRIDE_RUNTIME_PLAN_PLANNER_H
#define UNSTRIDE_RUNTIME_PLAN_PLANNER_H

#include <string>
#include <vector>

#include "kernels/catalog.h"
#include "plan/program.h"
#include "problem/problem.h"

namespace unstride {

// What the caller wants, whatever the planner would take.
struct Forced {
    const Entry *entry = nullptr;  // null: anything
    int64_t rows_per_task = 0;     // 0: what the planner finds best
};

// Why a kernel cannot run a layer on a machine; empty if it can. Whether a GPU is there, its layers know.
std::string obstacle(const Entry &entry, const ConvTranspose3dOptions &options, const Machine &machine);

// The kernels that the planner chooses among for a problem, each of which can compute some of its channels. They round
// alike: all sum in the one way that pays for this problem, and are for the highest instruction set that has any.
std::vector<const Entry *> candidates(const ConvTranspose3dOptions &options, const Problem &problem,
                                      const Machine &machine);

// Picks among the kernels for a problem, and splits the work among its threads, or a GPU's processors: what is forced,
// or else what wisdom has for this problem, or else what is expected to take the least time. The machine's threads are
// those of the problem; on a GPU, nothing else of the machine matters. Throws InvalidArgument if no kernel can run, or
// not the one that is forced.
Program decide(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
               const Forced &forced);

// Cycles that the planner's estimate gives a forward from its start to its end, on the machine that it was made for. It
// knows nothing of memory, which binds layers with few multiply-adds for each byte, nor of what a call costs beside its
// tasks, some microseconds.
double expected_cycles(const Program &program, const Geometry &geometry, const Machine &machine);

// Bytes that a kernel's scratch takes at most, in all threads together: for each, the slab of input that a task reads.
int64_t scratch_bytes(const Part &part, int threads);

}  // namespace unstride

#endif
