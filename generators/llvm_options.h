#ifndef UNSTRIDE_GENERATORS_LLVM_OPTIONS_H
#define UNSTRIDE_GENERATORS_LLVM_OPTIONS_H

#include "Halide.h"
#include "family.h"

namespace unstride {

// Chooses LLVM's options for a kernel that multiplies. Generators call this before LLVM starts, which is after they
// have generated.
void choose_llvm_options(const Halide::Target &target, const FamilyFacts &facts);

}  // namespace unstride

#endif
