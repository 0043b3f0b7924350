#include "array/scratch.h"

#include "problem/checked.h"

namespace unstride {

Array Scratch::like(const Array &array, Layout layout) {
    const int64_t groups = array.extent(Array::group);
    const Shape sizes{array.extent(Array::item), multiply(groups, array.extent(Array::channel)),
                      array.extent(Array::slice), array.extent(Array::row), array.extent(Array::column)};
    const int64_t elements = product(sizes), bytes = multiply(elements, size_of(array.dtype()));
    if (bytes > bytes_) {
        memory_.reset();
        bytes_ = 0;
        memory_.reset(allocate(elements, array.dtype(), "a dense copy of a block"));
        bytes_ = bytes;
    }
    return {Device::cpu, View<void>(memory_.get(), array.dtype(), sizes, dense_strides(sizes, layout)), 3, groups};
}

}  // namespace unstride
