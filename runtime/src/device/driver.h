#ifndef UNSTRIDE_RUNTIME_DEVICE_DRIVER_H
#define UNSTRIDE_RUNTIME_DEVICE_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "device/stream.h"
#include "unstride/device.h"

namespace unstride {

// These functions ask the driver of a GPU, which they load when they are first called, and which stays loaded.

// Return the answer of device_info(). Throw DeviceError if there is no such GPU.
DeviceInfo describe_cuda();
DeviceInfo describe_opencl();

// Returns the calling thread's current context. If it has none, returns the primary context of the first device, which
// the CUDA runtime uses, too. Throws DeviceError.
void *cuda_context();

// Allocates memory as work of a stream, so that the thread does not wait. Returns 0 where the driver or the device
// cannot do that. Throws OutOfMemory and DeviceError.
uint64_t cuda_allocate_in_stream(const Stream &stream, size_t bytes);
// Frees such memory as work of the stream. An error is ignored: if the context is gone, its memory was freed with it.
void cuda_free_in_stream(const Stream &stream, uint64_t memory);

// Returns a function of a driver, whose library is open. Throws DeviceError if it has none of this name.
void *find_symbol(void *library, const char *name);

}  // namespace unstride

#endif
