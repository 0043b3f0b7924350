#ifndef UNSTRIDE_GENERATORS_LLVM_OPTIONS_H
#define UNSTRIDE_GENERATORS_LLVM_OPTIONS_H

#include "Halide.h"

namespace unstride {

// Chooses LLVM's options for kernels of a target that multiply. Generators call this before LLVM starts, which is after
// they have generated.
void choose_llvm_options(const Halide::Target &target);

}  // namespace unstride

#endif
