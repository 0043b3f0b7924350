#include "array/device_array.h"

#include <HalideRuntimeCuda.h>
#include <HalideRuntimeOpenCL.h>

#include <algorithm>
#include <limits>

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
    default:
        return halide_type_of<uint16_t>();
    }
}

DeviceArray::DeviceArray(const Stream &stream, int64_t count, DType dtype)
    : stream_(stream), count_(count), dimension_(0, static_cast<int32_t>(std::max<int64_t>(count, 1)), 1),
      buffer_(one_dimensional(dtype, dimension_)) {  // of one element at least, as there are no arrays without memory
    if (count > std::numeric_limits<int32_t>::max()) {
        throw InvalidArgument("arrays of more than 2^31 - 1 elements are not supported on a GPU");
    }
    KernelCall call(stream_);
    call.check(halide_device_malloc(call.context(), &buffer_,
                                    stream.device == Device::cuda ? halide_cuda_device_interface()
                                                                  : halide_opencl_device_interface()));
}

DeviceArray::~DeviceArray() {
    KernelCall call(stream_);
    halide_device_free(call.context(), &buffer_);  // fails where the context is gone, and its memory with it
}

// Of buffers with flags of their own, so that a failure leaves nothing behind.
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
    synchronize();  // before Halide's runtime takes a lock that others need to queue work
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
