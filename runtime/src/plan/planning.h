#ifndef UNSTRIDE_RUNTIME_PLAN_PLANNING_H
#define UNSTRIDE_RUNTIME_PLAN_PLANNING_H

#include "unstride/planning.h"

namespace unstride {

// Returns the planning that UNSTRIDE_PLANNING asks for: `estimate` if it is not set or empty. Throws InvalidArgument
// for a value that is none of the names.
Planning planning_of_environment();

}  // namespace unstride

#endif
