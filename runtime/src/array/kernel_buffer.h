#ifndef UNSTRIDE_RUNTIME_ARRAY_KERNEL_BUFFER_H
#define UNSTRIDE_RUNTIME_ARRAY_KERNEL_BUFFER_H

#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <limits>

#include "array/device_array.h"
#include "problem/checked.h"

namespace unstride {

// The place in memory where an array begins.
struct Origin {
    Device device;
    DType dtype;
    const void *data;          // memory of the process or of CUDA; null if there is `array`
    const DeviceArray *array;  // memory of a GPU, or null
    int64_t offset;            // elements from there to the first one of the array
};

// A halide_buffer_t, which is how kernels take arrays, with its dimensions, innermost first. Throws InvalidArgument for
// arrays that 32-bit coordinates cannot reach.
template<size_t Rank>
class KernelBuffer {
public:
    KernelBuffer(const Origin &origin, const std::array<int64_t, Rank> &extents,
                 const std::array<int64_t, Rank> &strides) {
        constexpr int64_t most = std::numeric_limits<int32_t>::max();
        int64_t elements = 1;
        for (size_t d = 0; d < Rank; d++) {
            const int64_t extent = std::max<int64_t>(extents[d], 1);
            elements = multiply(elements, extent);
            if (elements > most || multiply(extent, strides[d]) > most) {
                throw InvalidArgument(
                    "arrays that reach over more than 2^31 - 1 elements, apart from the batch, are not supported");
            }
            dimensions_[d] = halide_dimension_t(0, static_cast<int32_t>(extents[d]), static_cast<int32_t>(strides[d]));
        }
        // Kernels take all buffers as writable, but do not write to their inputs.
        auto *const first =
            static_cast<uint8_t *>(const_cast<void *>(origin.data)) + origin.offset * size_of(origin.dtype);
        if (origin.array != nullptr) {
            origin.array->describe(buffer_, origin.offset);
        } else if (origin.device == Device::cuda) {
            describe_cuda_memory(buffer_, first);
        } else {
            buffer_.host = first;
        }
        buffer_.type = kernel_type(origin.dtype);
        buffer_.dimensions = Rank;
        buffer_.dim = dimensions_.data();
    }
    KernelBuffer(const KernelBuffer &) = delete;
    KernelBuffer &operator=(const KernelBuffer &) = delete;

    // Makes a dimension the first one, and keeps the order of the others.
    void put_first(size_t dimension) {
        std::rotate(dimensions_.begin(), dimensions_.begin() + dimension, dimensions_.begin() + dimension + 1);
    }

    halide_buffer_t *get() {
        return &buffer_;
    }

private:
    std::array<halide_dimension_t, Rank> dimensions_;
    halide_buffer_t buffer_{};
};

}  // namespace unstride

#endif
