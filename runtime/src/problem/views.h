#ifndef UNSTRIDE_RUNTIME_PROBLEM_VIEWS_H
#define UNSTRIDE_RUNTIME_PROBLEM_VIEWS_H

#include <type_traits>

#include "unstride/tensor.h"

namespace unstride {

// Returns which dimension of an array is that of the channels: 1 if there is a batch, else 0. `rank` is the number of
// all dimensions, `spatial` that of dimensions of space.
inline size_t channel_dimension(size_t rank, int spatial) {
    return rank - static_cast<size_t>(spatial) - 1;
}

// Returns a view of the same array as (N, C, D, H, W), with a size of 1 in each dimension that the view lacks.
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

// Returns a view of `count` items of the batch, from `first` on. `Void` is void or const void.
template<typename Void>
View<Void> items_of(View<Void> view, int64_t first, int64_t count) {
    using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
    view.data = static_cast<Byte *>(view.data) + first * view.strides[0] * size_of(view.dtype);
    view.sizes[0] = count;
    return view;
}

// Returns whether the view has the strides of a dense array in this layout, in all dimensions of more than one element.
inline bool is_dense(const View<const void> &view, Layout layout) {
    const Shape dense = dense_strides(view.sizes, layout);
    for (size_t d = 0; d < dense.size(); d++) {
        if (view.sizes[d] > 1 && view.strides[d] != dense[d]) {
            return false;
        }
    }
    return true;
}

}  // namespace unstride

#endif
