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
    bool (*processor_has)();
};

// Throws InvalidArgument for a name that is not in the table.
const Isa &find_isa(const std::string &name);

// The highest instruction set that the processor has, below the ceiling or in spite of it. The former throws
// InvalidArgument where UNSTRIDE_MAX_ISA is none.
const Isa &usable_isa();
const Isa &best_isa();

}  // namespace unstride

#endif
