#ifndef UNSTRIDE_RUNTIME_ARRAY_BUFFER_H
#define UNSTRIDE_RUNTIME_ARRAY_BUFFER_H

#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <limits>

#include "array/device_array.h"
#include "problem/checked.h"

namespace unstride {

// Where a buffer begins: so many elements from the start of an array of a GPU's or, where there is none, from a pointer
// of the process's memory, or of CUDA's.
struct Place {
    Device device;
    const void *data;
    DType dtype;
    const DeviceArray *array;
    int64_t offset;
};

// A halide_buffer_t with its dimensions, innermost first.
template<size_t Rank>
class Buffer {
public:
    Buffer(const Place &place, const std::array<int64_t, Rank> &extents, const std::array<int64_t, Rank> &strides) {
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
        auto *const first = static_cast<uint8_t *>(const_cast<void *>(place.data)) +
                            place.offset * size_of(place.dtype);  // kernels do not write to their inputs
        if (place.array != nullptr) {
            place.array->describe(buffer_, place.offset);
        } else if (place.device == Device::cuda) {
            describe_cuda_memory(buffer_, first);
        } else {
            buffer_.host = first;
        }
        buffer_.type = kernel_type(place.dtype);
        buffer_.dimensions = Rank;
        buffer_.dim = dimensions_.data();
    }
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;

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

// Where a caller's view has one element along a dimension, its stride there does not matter, and may be anything: a
// kernel sees `otherwise`.
template<size_t Rank>
std::array<int64_t, Rank> strides_that_matter(const std::array<int64_t, Rank> &extents,
                                              std::array<int64_t, Rank> strides, int64_t otherwise = 1) {
    for (size_t d = 0; d < Rank; d++) {
        strides[d] = extents[d] > 1 ? strides[d] : otherwise;
    }
    return strides;
}

}  // namespace unstride

#endif
