#ifndef UNSTRIDE_RUNTIME_PROCESS_PROCESSORS_H
#define UNSTRIDE_RUNTIME_PROCESS_PROCESSORS_H

namespace unstride {

// Processors that the process may use: those of the calling thread's affinity mask, and no more than the quotas of the
// control groups that the process is in allow, rounded up. At least 1.
int usable_processors();

}  // namespace unstride

#endif
