#ifndef UNSTRIDE_RUNTIME_MEMORY_H
#define UNSTRIDE_RUNTIME_MEMORY_H

#include <cstdint>
#include <string>

namespace unstride {

// 64-byte aligned memory for `count` floats, to be given to std::free. Throws OutOfMemory, which names the purpose.
float *allocate_floats(int64_t count, const std::string &purpose);

}  // namespace unstride

#endif
