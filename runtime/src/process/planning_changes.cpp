#include "process/planning_changes.h"

namespace unstride {

// An inline variable would be one for all plugins with the library in them, and keep each from being unloaded.
std::atomic<uint64_t> planning_changes{0};

}  // namespace unstride
