#ifndef UNSTRIDE_RUNTIME_DEVICE_STREAM_H
#define UNSTRIDE_RUNTIME_DEVICE_STREAM_H

#include "unstride/device.h"

namespace unstride {

// Where work goes: to the CPU, or to a GPU and, with CUDA, a stream of a context.
struct Stream {
    Device device = Device::cpu;
    void *context = nullptr;
    void *handle = nullptr;
};

}  // namespace unstride

#endif
