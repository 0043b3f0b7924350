#ifndef UNSTRIDE_TOOLS_MEMORY_H
#define UNSTRIDE_TOOLS_MEMORY_H

#include <cstdint>
#include <functional>

namespace unstride::tools {

// Memory of this process in bytes, as Linux counts it once free memory has been given back. 0 if it does not say.
int64_t resident_bytes();

// The most of it during a call; 0 if the kernel does not let us start counting anew.
int64_t peak_resident_bytes(const std::function<void()> &call);

}  // namespace unstride::tools

#endif
