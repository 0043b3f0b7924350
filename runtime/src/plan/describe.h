#ifndef UNSTRIDE_RUNTIME_PLAN_DESCRIBE_H
#define UNSTRIDE_RUNTIME_PLAN_DESCRIBE_H

#include "plan/program.h"
#include "unstride/machine.h"
#include "unstride/variants.h"

namespace unstride {

// Returns what ConvTranspose::plan reports of a program on the machine that it was made for. A program does not know
// the strides of the views that it will run on, so that the number of calls is the one for dense views.
Plan describe(const Program &program, const Problem &problem, const Machine &machine);

}  // namespace unstride

#endif
