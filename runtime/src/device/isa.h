#ifndef UNSTRIDE_RUNTIME_DEVICE_ISA_H
#define UNSTRIDE_RUNTIME_DEVICE_ISA_H

#include <string>

#include "unstride/machine.h"

namespace unstride {

// A row of the table schedules/isas.txt.
struct Isa {
    const char *name;
    Device device;
    int rank, vector_bytes;
    bool fma;
    bool (*processor_has)();  // whether the processor has all instructions that kernels may use
};

// Returns the row of this name. Throws InvalidArgument if there is none.
const Isa &find_isa(const std::string &name);

// Returns the highest instruction set that the processor has and the ceiling allows. Throws InvalidArgument if
// UNSTRIDE_MAX_ISA is not the name of one.
const Isa &usable_isa();

// Returns the highest instruction set that the processor has, whatever the ceiling is.
const Isa &best_isa();

}  // namespace unstride

#endif
