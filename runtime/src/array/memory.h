#ifndef UNSTRIDE_RUNTIME_ARRAY_MEMORY_H
#define UNSTRIDE_RUNTIME_ARRAY_MEMORY_H

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "unstride/dtype.h"

namespace unstride {

// 64-byte aligned memory for `count` elements, to be given to std::free. Throws OutOfMemory, which names the purpose.
void *allocate(int64_t count, DType dtype, const std::string &purpose);

struct FreeMemory {
    void operator()(void *p) const {
        std::free(p);
    }
};
using Memory = std::unique_ptr<void, FreeMemory>;

}  // namespace unstride

#endif
