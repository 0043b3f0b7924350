#ifndef UNSTRIDE_RUNTIME_PROCESS_PROCESSORS_H
#define UNSTRIDE_RUNTIME_PROCESS_PROCESSORS_H

namespace unstride {

// Returns the number of processors that the process may use, at least 1: those of the calling thread's affinity mask,
// but no more than the quotas of the process's control groups allow, rounded up.
int usable_processors();

}  // namespace unstride

#endif
