#ifndef UNSTRIDE_RUNTIME_PLAN_DESCRIBE_H
#define UNSTRIDE_RUNTIME_PLAN_DESCRIBE_H

#include "plan/program.h"
#include "unstride/machine.h"
#include "unstride/variants.h"

namespace unstride {

// What ConvTranspose::plan says of a program, on the machine that it was made for. Views are taken for dense ones.
Plan describe(const Program &program, const Problem &problem, const Machine &machine);

}  // namespace unstride

#endif
