#ifndef UNSTRIDE_RUNTIME_PROCESS_PLANNING_CHANGES_H
#define UNSTRIDE_RUNTIME_PROCESS_PLANNING_CHANGES_H

#include <atomic>
#include <cstdint>

namespace unstride {

// Counts the changes of what decides, besides a layer and its problem, how the layer is planned: the wisdom of the
// process, and the ceiling for instruction sets. A layer plans again where this is another number than before.
extern std::atomic<uint64_t> planning_changes;

}  // namespace unstride

#endif
