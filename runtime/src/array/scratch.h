#ifndef UNSTRIDE_RUNTIME_ARRAY_SCRATCH_H
#define UNSTRIDE_RUNTIME_ARRAY_SCRATCH_H

#include "array/array.h"
#include "array/memory.h"

namespace unstride {

// Memory for dense copies of parts of arrays, one after the other.
class Scratch {
public:
    // Returns a dense array of a layout, not initialized, that has the sizes and the type of another one. It is valid
    // until the next call. Throws OutOfMemory.
    Array like(const Array &array, Layout layout);

private:
    Memory memory_;
    int64_t bytes_ = 0;
};

}  // namespace unstride

#endif
