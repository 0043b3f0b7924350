#ifndef UNSTRIDE_RUNTIME_ARRAY_DEVICE_ARRAY_H
#define UNSTRIDE_RUNTIME_ARRAY_DEVICE_ARRAY_H

#include <HalideRuntime.h>

#include <cstdint>

#include "device/stream.h"
#include "unstride/dtype.h"

namespace unstride {

// Returns the type that kernels give elements of a type (generators/element.h).
halide_type_t kernel_type(DType dtype);

// An array in a GPU's memory, whose copies are queued in the stream that it was made with. All members throw
// OutOfMemory or KernelError.
class DeviceArray {
public:
    // How memory comes and goes: at once, where the driver waits for all work of the device before it frees memory; or
    // in the order of the stream's work, so that nothing waits, where the driver can do that.
    enum class Freed {
        at_once,
        in_stream,
    };

    // Allocates at most 2^31 - 1 elements, not initialized.
    DeviceArray(const Stream &stream, int64_t count, DType dtype, Freed freed = Freed::at_once);
    ~DeviceArray();
    DeviceArray(const DeviceArray &) = delete;
    DeviceArray &operator=(const DeviceArray &) = delete;

    // Copy all elements from and to the process's memory. `download` waits until all that was queued before is done.
    void upload(const void *from);
    void download(void *to);
    // Waits until all that was queued before is done.
    void synchronize();

    int64_t count() const {
        return count_;
    }
    const Stream &stream() const {
        return stream_;
    }

    // Makes a kernel's buffer begin at element `offset` of this array. For OpenCL that must be 0, as its arrays can
    // begin only at certain alignments.
    void describe(halide_buffer_t &buffer, int64_t offset) const;

private:
    halide_buffer_t with_host(const void *host) const;

    Stream stream_;
    int64_t count_;
    bool in_stream_ = false;  // whether the memory comes and goes in the order of the stream's work
    halide_dimension_t dimension_;
    halide_buffer_t buffer_{};
};

// Makes a kernel's buffer begin at a pointer to memory of CUDA that the caller owns.
void describe_cuda_memory(halide_buffer_t &buffer, const void *pointer);

}  // namespace unstride

#endif
