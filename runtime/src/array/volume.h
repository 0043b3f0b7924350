#ifndef UNSTRIDE_RUNTIME_ARRAY_VOLUME_H
#define UNSTRIDE_RUNTIME_ARRAY_VOLUME_H

#include "array/device_array.h"

namespace unstride {

// Memory of an activation: strides in elements from one item, group, channel, slice, row and column to the next, and
// its first element, so many elements from a pointer of the process's memory, or of CUDA's; or the pointer is null, and
// there is an array in a GPU's memory.
struct Volume {
    const void *data;  // also of the output
    DType dtype;
    int64_t batch, group, channel, depth, height, width;
    const DeviceArray *array = nullptr;
    int64_t offset = 0;
};

}  // namespace unstride

#endif
