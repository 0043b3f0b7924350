#ifndef UNSTRIDE_RUNTIME_DEVICE_DRIVER_H
#define UNSTRIDE_RUNTIME_DEVICE_DRIVER_H

#include <string>

#include "unstride/device.h"

namespace unstride {

// What the drivers of GPUs say. They are loaded when they are first asked, and stay loaded.

// For device_info().
DeviceInfo describe_cuda();
DeviceInfo describe_opencl();

// The calling thread's current context or, where it has none, the first device's primary one, which the CUDA runtime
// uses, too. Throws DeviceError.
void *cuda_context();

// A function of a driver whose library is open; throws DeviceError if it has none of this name.
void *find_symbol(void *library, const char *name);

}  // namespace unstride

#endif
