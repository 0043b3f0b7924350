#ifndef UNSTRIDE_RUNTIME_DEVICE_STREAM_H
#define UNSTRIDE_RUNTIME_DEVICE_STREAM_H

#include <cstdint>

#include "unstride/device.h"

namespace unstride {

// The place where work is queued: a GPU and, with CUDA, a context and a stream in it. Work of the CPU is not queued.
struct Stream {
    Device device = Device::cpu;
    void *context = nullptr;  // a CUcontext; null for other devices
    void *handle = nullptr;   // a CUstream, null for the default stream; null for other devices
};

// The most blocks of threads that a GPU's grid has along a dimension but the first.
constexpr int64_t grid_limit = 65535;

}  // namespace unstride

#endif
