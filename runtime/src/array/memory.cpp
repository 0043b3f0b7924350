#include "array/memory.h"

#include "problem/checked.h"

namespace unstride {

void *allocate(int64_t count, DType dtype, const std::string &purpose) {
    constexpr int64_t alignment = 64;
    const int64_t bytes = multiply(divide_up(multiply(count, size_of(dtype)), alignment), alignment);
    void *memory = std::aligned_alloc(alignment, static_cast<size_t>(bytes > 0 ? bytes : alignment));
    if (memory == nullptr) {
        throw OutOfMemory("out of memory: could not allocate " + std::to_string(bytes) + " bytes for " + purpose);
    }
    return memory;
}

}  // namespace unstride
