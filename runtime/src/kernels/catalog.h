#ifndef UNSTRIDE_RUNTIME_KERNELS_CATALOG_H
#define UNSTRIDE_RUNTIME_KERNELS_CATALOG_H

#include <deque>
#include <string>

#include "kernels/family_rules.h"
#include "unstride/register.h"
#include "unstride/variants.h"

namespace unstride {

// A kernel with all that is known of it, looked up once, when it is registered.
struct Entry {
    Variant variant;
    Operator op;
    const FamilyFacts *facts;  // what its family is to the generator, too
    const FamilyRules *rules;  // what its family is to the runtime
    const SumsRules *sums;     // how it sums
    const CostModel *cost;     // what the planner expects of it
    Lanes across;              // what the vectors of its tile lie across
    int lanes;                 // sums in a vector
    int rank;                  // of its instruction set, see InstructionSet
    Kernel kernel;
    bool autoscheduled = false;  // see AddedKernel
};

// All variants: those of the build in the order of schedules/catalog.txt, then those that were registered. Entries stay
// where they are.
const std::deque<Entry> &catalog();

// Null if there is none of this name.
const Entry *find_entry(const std::string &name);

// What to tell a caller whose program has no kernel for a call, with the library to link if another one has it.
std::string why_no_kernels(Layout layout, const Types &types);

// The kernel that computes activations of outputs of a type, for an instruction set or a GPU that has variants.
ActivationKernel activation_kernel(DType dtype, const std::string &isa);

}  // namespace unstride

#endif
