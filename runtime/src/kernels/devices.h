#ifndef UNSTRIDE_RUNTIME_KERNELS_DEVICES_H
#define UNSTRIDE_RUNTIME_KERNELS_DEVICES_H

#include "device/stream.h"

namespace unstride {

// These functions, and device_info() and devices() of unstride/device.h, know the devices that this program has kernels
// for.

// Whether a device is there, whose driver is loaded to find out.
bool exists(Device device);

// Where the calling thread's work for a device goes: with CUDA, to a stream of its current context. Throws DeviceError
// where there is no such device.
Stream stream_on(Device device, const CudaStream &stream = {});

}  // namespace unstride

#endif
