#ifndef UNSTRIDE_RUNTIME_QUEUE_H
#define UNSTRIDE_RUNTIME_QUEUE_H

#include "unstride/device.h"

namespace unstride {

// Where work goes: to the CPU, or to a GPU and, with CUDA, a stream of a context.
struct Queue {
    Device device = Device::cpu;
    void *context = nullptr;
    void *stream = nullptr;
};

// Of the calling thread's context. Throws DeviceError.
Queue queue_of(Device device, const CudaStream &stream = {});

}  // namespace unstride

#endif
