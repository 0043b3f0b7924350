#ifndef UNSTRIDE_RUNTIME_KERNELS_CATALOG_H
#define UNSTRIDE_RUNTIME_KERNELS_CATALOG_H

#include <deque>
#include <string>

#include "device/isa.h"
#include "kernels/family_rules.h"
#include "unstride/register.h"
#include "unstride/variants.h"

namespace unstride {

// A kernel with all that is known of it. This is looked up once, when the kernel is registered.
struct Entry {
    Variant variant;
    const FamilyFacts *facts;  // what generator and runtime both know of its family
    const FamilyRules *rules;  // what only the runtime knows of its family
    const SumsRules *sums;     // what the runtime knows of its way of summing
    const CostModel *cost;     // how the planner estimates its time
    Lanes across;              // the dimension that the vectors of its register tile lie along
    int lanes;                 // how many sums a vector holds
    const Isa *isa;            // its instruction set
    AnyKernel kernel;
    bool autoscheduled = false;  // whether Halide's autoscheduler made it (AddedKernel)
};

// Returns all kernels: those of the build in the order of schedules/catalog.txt, then those that were registered.
// Entries stay where they are in memory when more are registered.
const std::deque<Entry> &catalog();

// Returns the kernel of this name; null if there is none.
const Entry *find_entry(const std::string &name);

// Returns the message for a caller whose program has no kernel for a layout and types. It names the library to link if
// another one has such kernels.
std::string why_no_kernels(Layout layout, const Types &types);

// Returns the kernel that applies activations to outputs of a type. `isa` names an instruction set or a GPU that has
// variants. Throws InvalidArgument if this program has no such kernel.
ActivationKernel activation_kernel(DType dtype, const std::string &isa);

// Returns the kernel with which a GPU adds up sums of chunks, and stores them as elements of a type. Throws
// InvalidArgument if this program has no such kernel.
SumOfChunksKernel sum_of_chunks_kernel(DType dtype, const std::string &isa);

}  // namespace unstride

#endif
