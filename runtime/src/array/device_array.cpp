#include "array/device_array.h"

#include <HalideRuntimeCuda.h>
#include <HalideRuntimeOpenCL.h>

#include <algorithm>
#include <limits>

#include "device/driver.h"
#include "device/kernel_call.h"
#include "unstride/error.h"

namespace unstride {
namespace {

halide_buffer_t one_dimensional(DType dtype, halide_dimension_t &dimension) {
    halide_buffer_t buffer{};
    buffer.type = kernel_type(dtype);
    buffer.dimensions = 1;
    buffer.dim = &dimension;
    return buffer;
}

}  // namespace

halide_type_t kernel_type(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return halide_type_of<float>();
    case DType::f64:
        return halide_type_of<double>();
    case DType::f16:
    case DType::bf16:
        break;
    }
    return halide_type_of<uint16_t>();
}

// The buffer has at least one element, as drivers do not allocate arrays of no size.
DeviceArray::DeviceArray(const Stream &stream, int64_t count, DType dtype, Freed freed)
    : stream_(stream), count_(count), dimension_(0, static_cast<int32_t>(std::max<int64_t>(count, 1)), 1),
      buffer_(one_dimensional(dtype, dimension_)) {
    if (count > std::numeric_limits<int32_t>::max()) {
        throw InvalidArgument("arrays of more than 2^31 - 1 elements are not supported on a GPU");
    }
    if (stream.device == Device::cuda && freed == Freed::in_stream) {
        buffer_.device = cuda_allocate_in_stream(stream_, static_cast<size_t>(dimension_.extent) * size_of(dtype));
        buffer_.device_interface = halide_cuda_device_interface();
        in_stream_ = buffer_.device != 0;
    }
    if (in_stream_) {
        return;
    }
    KernelCall call(stream_);
    call.check(halide_device_malloc(call.context(), &buffer_,
                                    stream.device == Device::cuda ? halide_cuda_device_interface()
                                                                  : halide_opencl_device_interface()));
}

DeviceArray::~DeviceArray() {
    if (in_stream_) {
        cuda_free_in_stream(stream_, buffer_.device);
        return;
    }
    KernelCall call(stream_);
    // An error is ignored: if the context is gone, its memory was freed with it.
    halide_device_free(call.context(), &buffer_);
}

// Returns a copy of the buffer with memory of the process to copy from or to. The flags that Halide's runtime sets in a
// buffer stay in the copy, so that a failure does not change the buffer of this array.
halide_buffer_t DeviceArray::with_host(const void *host) const {
    halide_buffer_t buffer = buffer_;
    buffer.host = static_cast<uint8_t *>(const_cast<void *>(host));
    return buffer;
}

void DeviceArray::upload(const void *from) {
    halide_buffer_t buffer = with_host(from);
    buffer.set_host_dirty();
    KernelCall call(stream_);
    call.check(count_ == 0 ? 0 : halide_copy_to_device(call.context(), &buffer, nullptr));
}

void DeviceArray::download(void *to) {
    // Waiting here, and not in Halide's copy, leaves a lock free that other threads need to queue work.
    synchronize();
    halide_buffer_t buffer = with_host(to);
    buffer.set_device_dirty();
    KernelCall call(stream_);
    call.check(count_ == 0 ? 0 : halide_copy_to_host(call.context(), &buffer));
}

void DeviceArray::synchronize() {
    KernelCall call(stream_);
    call.check(halide_device_sync(call.context(), &buffer_));
}

void DeviceArray::describe(halide_buffer_t &buffer, int64_t offset) const {
    buffer.device = buffer_.device + static_cast<uint64_t>(offset * buffer_.type.bytes());
    buffer.device_interface = buffer_.device_interface;
}

void describe_cuda_memory(halide_buffer_t &buffer, const void *pointer) {
    buffer.device = reinterpret_cast<uint64_t>(pointer);
    buffer.device_interface = halide_cuda_device_interface();
}

}  // namespace unstride
