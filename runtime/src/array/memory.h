#ifndef UNSTRIDE_RUNTIME_ARRAY_MEMORY_H
#define UNSTRIDE_RUNTIME_ARRAY_MEMORY_H

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "unstride/dtype.h"

namespace unstride {

// Allocates memory for `count` elements, aligned to 64 bytes, which std::free frees. Throws OutOfMemory with a message
// that names the purpose.
void *allocate(int64_t count, DType dtype, const std::string &purpose);

struct FreeMemory {
    void operator()(void *p) const {
        std::free(p);
    }
};
using Memory = std::unique_ptr<void, FreeMemory>;

}  // namespace unstride

#endif
