#ifndef UNSTRIDE_TOOLS_MEMORY_H
#define UNSTRIDE_TOOLS_MEMORY_H

#include <cstdint>
#include <functional>

namespace unstride::tools {

// Returns the memory of this process in bytes, as Linux counts it once free memory has been given back; 0 if it does
// not say.
int64_t resident_bytes();

// Returns the most such memory during a call; 0 if Linux does not let a process start counting anew.
int64_t peak_resident_bytes(const std::function<void()> &call);

}  // namespace unstride::tools

#endif
