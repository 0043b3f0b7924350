#ifndef UNSTRIDE_RUNTIME_DENSE_H
#define UNSTRIDE_RUNTIME_DENSE_H

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "unstride/tensor.h"

namespace unstride {

// Views, and dense copies of them for devices that have memory of their own.

// Of an array with so many dimensions of space, with a batch or not.
inline size_t channel_dimension(size_t rank, int spatial) {
    return rank - static_cast<size_t>(spatial) - 1;
}

// The same as (N, C, D, H, W), with sizes of one where it has none.
template<typename T>
View<T> lifted(View<T> view, int spatial) {
    const auto insert = [&](size_t dimension, size_t count) {
        view.sizes.insert(view.sizes.begin() + static_cast<std::ptrdiff_t>(dimension), count, 1);
        view.strides.insert(view.strides.begin() + static_cast<std::ptrdiff_t>(dimension), count, 0);
    };
    const size_t channel = channel_dimension(view.sizes.size(), spatial);
    insert(channel + 1, static_cast<size_t>(3 - spatial));
    insert(0, 1 - channel);
    view.spatial = 3;
    return view;
}

// Of void, or of const void.
template<typename Void>
View<Void> items_of(View<Void> view, int64_t first, int64_t count) {
    using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
    view.data = static_cast<Byte *>(view.data) + first * view.strides[0] * size_of(view.dtype);
    view.sizes[0] = count;
    return view;
}

// Whether an array of this layout has its elements as the view has them.
inline bool is_dense(const View<const void> &view, Layout layout) {
    const Shape dense = dense_strides(view.sizes, layout);
    for (size_t d = 0; d < dense.size(); d++) {
        if (view.sizes[d] > 1 && view.strides[d] != dense[d]) {
            return false;
        }
    }
    return true;
}

// Element by element, of arrays with the same sizes, from a dimension on, and so many bytes to an element.
inline void copy_strided(const char *from, const Shape &from_strides, char *to, const Shape &to_strides,
                         const Shape &sizes, int64_t bytes, size_t dimension = 0) {
    if (dimension == sizes.size()) {
        std::memcpy(to, from, static_cast<size_t>(bytes));
        return;
    }
    for (int64_t i = 0; i < sizes[dimension]; i++) {
        copy_strided(from + i * from_strides[dimension] * bytes, from_strides, to + i * to_strides[dimension] * bytes,
                     to_strides, sizes, bytes, dimension + 1);
    }
}

// Of arrays of the same sizes and type.
inline void copy_elements(const View<const void> &from, const View<void> &to) {
    copy_strided(static_cast<const char *>(from.data), from.strides, static_cast<char *>(to.data), to.strides,
                 from.sizes, size_of(from.dtype));
}

}  // namespace unstride

#endif
