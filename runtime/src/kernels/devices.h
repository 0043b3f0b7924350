#ifndef UNSTRIDE_RUNTIME_KERNELS_DEVICES_H
#define UNSTRIDE_RUNTIME_KERNELS_DEVICES_H

#include "device/stream.h"

namespace unstride {

// These functions, and device_info() and devices() of unstride/device.h, know the devices that this program has kernels
// for.

// Returns whether a device is there. To find out, it loads the device's driver.
bool exists(Device device);

// Returns where the calling thread's work for a device goes. With CUDA this is `stream`, in the context that is current
// in the thread. Throws DeviceError if there is no such device.
Stream stream_on(Device device, const CudaStream &stream = {});

}  // namespace unstride

#endif
