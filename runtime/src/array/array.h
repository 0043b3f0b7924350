#ifndef UNSTRIDE_RUNTIME_ARRAY_ARRAY_H
#define UNSTRIDE_RUNTIME_ARRAY_ARRAY_H

#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "array/device_array.h"
#include "problem/checked.h"
#include "unstride/tensor.h"

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

// `count` elements of a dimension: first, first + step, first + 2 * step and so on.
struct Range {
    int64_t first = 0, step = 1, count = 1;
};

// An input, an output or a residual with the dimensions that all kernels know, whatever the layout, which the strides
// tell. It is the only form in which the runtime has arrays between a caller's view and a kernel's buffer. An Array
// does not own the memory.
class Array {
public:
    // The dimensions, innermost first. Neighbouring columns of an output belong to different phases
    // (docs/algorithm.md). For a kernel that computes several phases, dimension `column` goes along the columns of one
    // phase, and dimension `phase` from one phase to the next. An array as a whole has one phase.
    enum Dimension : size_t { column, phase, row, slice, channel, group, item };
    static constexpr size_t rank = 7;

    // The elements to take of each dimension.
    using Window = std::array<Range, rank>;

    // Makes an Array of a view of a device's memory. The view has `spatial` dimensions of space, with or without a
    // batch, and its channels are in `groups` groups.
    template<typename Void>
    Array(Device device, const View<Void> &view, int spatial, int64_t groups)
        : Array({device, view.dtype, view.data, nullptr, 0}, view.sizes, view.strides, spatial, groups) {
    }

    // Makes an Array of a GPU's array whose elements are dense in a layout. The sizes are (N, C, D, H, W).
    Array(const DeviceArray &array, DType dtype, const Shape &sizes, Layout layout, int64_t groups);

    // Returns the same array with its channels in another number of groups. Groups must be as far apart in memory as
    // channels in a row are, so that all channels have one stride.
    Array grouped(int64_t groups) const;

    // Returns the elements of a window as an array in the same memory. A range may reach beyond the extent of this
    // array: an array has one phase, but a window may have several, which are neighbouring columns of this array.
    Array window(const Window &window) const;

    // Returns the window of all elements.
    Window whole() const;

    // Returns an array of one row as an array of several rows of `columns` columns each. Row r begins at column
    // rows.first + r * rows.step of this array. The rows may overlap.
    Array rows_of_columns(const Range &rows, int64_t columns) const;

    // Returns the columns of an array of one row from number `first` on as a box of the sizes of another array, row
    // after row and slice after slice.
    Array box_of_row(int64_t first, const Array &sizes) const;

    int64_t extent(Dimension d) const {
        return extents_[d];
    }
    int64_t stride(Dimension d) const {
        return strides_[d];
    }
    DType dtype() const {
        return origin_.dtype;
    }
    const Origin &origin() const {
        return origin_;
    }
    // Returns the first element of an array in the memory of the process.
    const char *data() const {
        return static_cast<const char *>(origin_.data) + origin_.offset * size_of(origin_.dtype);
    }

    // Returns whether the address of each position's first channel is a multiple of this many elements. Then a kernel
    // can load this many channels at once, if they are dense and their number is a multiple of it, too.
    bool is_aligned(int64_t elements) const;

    // Returns whether kernels of a layout take the array as it is: whether its columns or channels are dense, no stride
    // is negative, and an item of the batch has and reaches over at most this many elements. Channels in a row are one
    // stride apart, as in a whole array.
    bool fits_kernels(Layout layout, int64_t most) const;

    // Return the buffers that a kernel takes: as its input, which has no dimension `phase`, and as its output or
    // residual. The stride of a dimension of one element does not matter, and becomes `lone_stride`, or 1 in an output,
    // to pass the checks of strides in kernels. Both throw InvalidArgument where a dimension reaches beyond 2^31 - 1
    // elements.
    KernelBuffer<rank - 1> as_input(int64_t lone_stride) const;
    KernelBuffer<rank> as_output() const;

private:
    Array(const Origin &origin, const Shape &sizes, const Shape &strides, int spatial, int64_t groups);
    std::array<int64_t, rank> strides_that_matter(int64_t lone_stride) const;

    Origin origin_;
    std::array<int64_t, rank> extents_, strides_;
};

}  // namespace unstride

#endif
