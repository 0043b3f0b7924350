#ifndef UNSTRIDE_RUNTIME_ARRAY_DEVICE_ARRAY_H
#define UNSTRIDE_RUNTIME_ARRAY_DEVICE_ARRAY_H

#include <HalideRuntime.h>

#include <cstdint>

#include "device/stream.h"
#include "unstride/dtype.h"

namespace unstride {

// The type of elements as kernels know it: see generators/element.h.
halide_type_t kernel_type(DType dtype);

// Elements in a GPU's memory, of the stream that they were made with. All members throw OutOfMemory or KernelError.
class DeviceArray {
public:
    // Allocates at most 2^31 - 1 elements, not initialized.
    DeviceArray(const Stream &stream, int64_t count, DType dtype);
    ~DeviceArray();
    DeviceArray(const DeviceArray &) = delete;
    DeviceArray &operator=(const DeviceArray &) = delete;

    // All of it; `download` waits until what was queued before is done.
    void upload(const void *from);
    void download(void *to);
    void synchronize();

    const Stream &stream() const {
        return stream_;
    }

    // Makes a kernel's buffer begin at element `offset`, which has to be 0 for OpenCL: there, arrays begin at whole
    // lines of memory.
    void describe(halide_buffer_t &buffer, int64_t offset) const;

private:
    halide_buffer_t with_host(const void *host) const;

    Stream stream_;
    int64_t count_;
    halide_dimension_t dimension_;
    halide_buffer_t buffer_{};
};

// The same at memory of CUDA that the caller has.
void describe_cuda_memory(halide_buffer_t &buffer, const void *pointer);

}  // namespace unstride

#endif
