#ifndef UNSTRIDE_RUNTIME_DEVICE_ARRAY_H
#define UNSTRIDE_RUNTIME_DEVICE_ARRAY_H

#include <HalideRuntime.h>

#include <cstdint>

#include "queue.h"

namespace unstride {

// Floats in a GPU's memory, of the queue that they were made with. All members throw OutOfMemory or KernelError.
class DeviceArray {
public:
    // Allocates at most 2^31 - 1 floats, not initialized.
    DeviceArray(const Queue &queue, int64_t count);
    ~DeviceArray();
    DeviceArray(const DeviceArray &) = delete;
    DeviceArray &operator=(const DeviceArray &) = delete;

    // All of it; `download` waits until what was queued before is done.
    void upload(const float *from);
    void download(float *to);
    void synchronize();

    const Queue &queue() const {
        return queue_;
    }

    // Makes a kernel's buffer begin at element `offset`, which has to be 0 for OpenCL: there, arrays begin at whole lines of memory.
    void describe(halide_buffer_t &buffer, int64_t offset) const;

private:
    halide_buffer_t with_host(const float *host) const;

    Queue queue_;
    int64_t count_;
    halide_dimension_t dimension_;
    halide_buffer_t buffer_{};
};

// The same at memory of CUDA that the caller has.
void describe_cuda_memory(halide_buffer_t &buffer, const float *pointer);

}  // namespace unstride

#endif
