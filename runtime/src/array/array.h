#ifndef UNSTRIDE_RUNTIME_ARRAY_ARRAY_H
#define UNSTRIDE_RUNTIME_ARRAY_ARRAY_H

#include <array>
#include <cstddef>
#include <cstdint>

#include "array/kernel_buffer.h"
#include "unstride/tensor.h"

namespace unstride {

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
