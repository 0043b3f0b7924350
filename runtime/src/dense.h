#ifndef UNSTRIDE_RUNTIME_DENSE_H
#define UNSTRIDE_RUNTIME_DENSE_H

#include <algorithm>

#include "unstride/tensor.h"

namespace unstride {

// Views and dense copies of them, for devices that have memory of their own.

// The same with a batch of one if there was none.
template<typename T>
View<T> batched(View<T> view) {
    if (view.sizes.size() == 4) {
        view.sizes.insert(view.sizes.begin(), 1);
        view.strides.insert(view.strides.begin(), 0);
    }
    return view;
}

template<typename T>
View<T> items_of(View<T> view, int64_t first, int64_t count) {
    view.data += first * view.strides[0];
    view.sizes[0] = count;
    return view;
}

// Whether an array of this layout has its elements as the view has them.
template<typename T>
bool is_dense(const View<T> &view, Layout layout) {
    const Shape dense = dense_strides(view.sizes, layout);
    for (size_t d = 0; d < dense.size(); d++) {
        if (view.sizes[d] > 1 && view.strides[d] != dense[d]) {
            return false;
        }
    }
    return true;
}

// Element by element, of arrays with these sizes from a dimension on.
template<typename T>
void copy_strided(const T *from, const Shape &from_strides, T *to, const Shape &to_strides, const Shape &sizes, size_t dimension = 0) {
    if (dimension == sizes.size()) {
        *to = *from;
        return;
    }
    for (int64_t i = 0; i < sizes[dimension]; i++) {
        copy_strided(from + i * from_strides[dimension], from_strides, to + i * to_strides[dimension], to_strides, sizes, dimension + 1);
    }
}

}  // namespace unstride

#endif
