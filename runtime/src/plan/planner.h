#ifndef UNSTRIDE_RUNTIME_PLAN_PLANNER_H
#define UNSTRIDE_RUNTIME_PLAN_PLANNER_H

#include <string>
#include <vector>

#include "kernels/catalog.h"
#include "plan/program.h"
#include "problem/problem.h"

namespace unstride {

// What the caller demands in place of what the planner would choose.
struct Forced {
    const Entry *entry = nullptr;  // the kernel to run; null leaves the choice to the planner
    int64_t rows_per_task = 0;     // output rows of each task; 0 leaves the choice to the planner
};

// Returns the options of the layer whose kernels compute a problem of a layer with these options: another one only
// where kernels of the forward compute an input gradient.
ConvTranspose3dOptions options_of_kernels(ConvTranspose3dOptions options, bool by_forward);

// Returns why a kernel cannot run a layer on a machine, to be said after the kernel's name; empty if it can. The
// options are those of options_of_kernels(), here and in what follows. It does not look for a GPU, as layers on a GPU
// find out by themselves whether it is there.
std::string obstacle(const Entry &entry, const ConvTranspose3dOptions &options, const Machine &machine);

// Returns the kernels that the planner chooses from, each of which can compute all output channels of a problem or a
// range of them; none if no kernel can. All of them round alike, so that the choice does not change results: they sum
// in the one way that pays for this problem, and all have FMA, or none has. They are for any instruction sets of the
// machine, as wider vectors are not always faster.
std::vector<const Entry *> candidates(const ConvTranspose3dOptions &options, const Problem &problem,
                                      const Machine &machine);

// Returns which kernels compute a problem, and how its work is split among threads, or among the processors of a GPU.
// The kernel is the one that is forced; or else the one that wisdom names for this problem; or else the one that is
// expected to take the least time. `machine` has as many threads as the problem; on a GPU, nothing else of it matters.
// Throws InvalidArgument if no kernel can run, or if the one that is forced cannot.
Program decide(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
               const Forced &forced);

// Returns how many cycles the planner expects a call to take from its start to its end, on the machine that the
// program was made for. The true number is larger where a layer has few multiply-adds for each byte and so waits for
// memory, of which the estimate knows nothing, and for short calls, as it leaves out the microseconds that a call costs
// beside its tasks.
Estimate expected_cycles(const Program &program, const Geometry &geometry, const Machine &machine);

// Returns the bytes of scratch memory that a kernel takes at most, in all threads together. A thread keeps there what
// its task has prepared, such as the slab of padded input that the task reads. Sums over positions are there, too,
// until they are added up.
int64_t scratch_bytes(const Part &part, int threads);

}  // namespace unstride

#endif
