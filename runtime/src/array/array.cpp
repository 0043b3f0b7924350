#include "array/array.h"

#include "problem/views.h"

namespace unstride {

Array::Array(const Origin &origin, const Shape &sizes, const Shape &strides, int spatial, int64_t groups)
    : origin_(origin) {
    extents_.fill(1);
    strides_.fill(0);
    const size_t channels = channel_dimension(sizes.size(), spatial);
    const auto take = [&](Dimension d, size_t from) {
        extents_[d] = sizes[from];
        strides_[d] = strides[from];
    };
    constexpr std::array<Dimension, 3> space = {column, row, slice};
    for (size_t i = 0; i < static_cast<size_t>(spatial); i++) {
        take(space[i], sizes.size() - 1 - i);
    }
    strides_[phase] = strides_[column];
    take(channel, channels);
    if (channels == 1) {
        take(item, 0);
    }
    *this = grouped(groups);
}

Array::Array(const DeviceArray &array, DType dtype, const Shape &sizes, Layout layout, int64_t groups)
    : Array({array.stream().device, dtype, nullptr, &array, 0}, sizes, dense_strides(sizes, layout), 3, groups) {
}

Array Array::grouped(int64_t groups) const {
    Array result = *this;
    result.extents_[channel] = extents_[group] * extents_[channel] / groups;
    result.extents_[group] = groups;
    result.strides_[group] = strides_[channel] * result.extents_[channel];
    return result;
}

Array Array::window(const Window &window) const {
    Array result = *this;
    for (size_t d = 0; d < rank; d++) {
        result.origin_.offset += window[d].first * strides_[d];
        result.strides_[d] *= window[d].step;
        result.extents_[d] = window[d].count;
    }
    return result;
}

Array::Window Array::whole() const {
    Window all;
    for (size_t d = 0; d < rank; d++) {
        all[d].count = extents_[d];
    }
    return all;
}

Array Array::rows_of_columns(const Range &rows, int64_t columns) const {
    Array result = *this;
    result.origin_.offset += rows.first * strides_[column];
    result.extents_[column] = columns;
    result.extents_[row] = rows.count;
    result.strides_[row] = rows.step * strides_[column];
    return result;
}

Array Array::box_of_row(int64_t first, const Array &sizes) const {
    Array result = *this;
    result.origin_.offset += first * strides_[column];
    for (const Dimension d : {column, row, slice}) {
        result.extents_[d] = sizes.extents_[d];
    }
    result.strides_[row] = strides_[column] * sizes.extents_[column];
    result.strides_[slice] = result.strides_[row] * sizes.extents_[row];
    return result;
}

bool Array::is_aligned(int64_t elements) const {
    for (const Dimension d : {column, row, slice, item}) {
        if (extents_[d] > 1 && strides_[d] % elements != 0) {
            return false;
        }
    }
    return reinterpret_cast<uintptr_t>(data()) % static_cast<uintptr_t>(elements * size_of(dtype())) == 0;
}

bool Array::fits_kernels(Layout layout, int64_t most) const {
    const Array joined = grouped(1);
    const Dimension dense = layout == Layout::ncdhw ? column : channel;
    int64_t elements = 1, reach = 1;
    for (const Dimension d : {column, row, slice, channel}) {
        const int64_t extent = joined.extents_[d], stride = joined.strides_[d];
        if (extent > most / elements) {
            return false;
        }
        elements *= std::max<int64_t>(extent, 1);
        if (extent > 1 && (stride < 0 || stride > most / extent || (d == dense && stride != 1))) {
            return false;
        }
        reach += extent > 1 ? (extent - 1) * stride : 0;
    }
    const int64_t items = extents_[item], apart = strides_[item];
    if (items > 1 && apart < 0) {
        return false;
    }
    // Items that lie between each other belong to one call.
    if (items > 1 && apart < reach) {
        reach = add(reach, multiply(items - 1, apart));
    }
    return reach <= most;
}

std::array<int64_t, Array::rank> Array::strides_that_matter(int64_t lone_stride) const {
    std::array<int64_t, rank> strides = strides_;
    for (size_t d = 0; d < rank; d++) {
        strides[d] = extents_[d] > 1 ? strides[d] : lone_stride;
    }
    return strides;
}

KernelBuffer<Array::rank - 1> Array::as_input(int64_t lone_stride) const {
    const std::array<int64_t, rank> strides = strides_that_matter(lone_stride);
    const auto without_phase = [](const std::array<int64_t, rank> &all) {
        return std::array<int64_t, rank - 1>{all[column], all[row], all[slice], all[channel], all[group], all[item]};
    };
    return {origin_, without_phase(extents_), without_phase(strides)};
}

KernelBuffer<Array::rank> Array::as_output() const {
    return {origin_, extents_, strides_that_matter(1)};
}

}  // namespace unstride
