#include "unstride/tensor.h"

#include <cstdlib>
#include <new>

#include "array/memory.h"
#include "checks/checks.h"
#include "problem/checked.h"
#include "problem/views.h"

namespace unstride {

const char *to_string(Layout layout) {
    return layout == Layout::ncdhw ? "ncdhw" : "ndhwc";
}

Shape dense_strides(const Shape &sizes, Layout layout, int spatial) {
    check_sizes(sizes, spatial);
    const size_t rank = sizes.size(), channel = channel_dimension(rank, spatial);
    Shape strides(rank);
    int64_t stride = 1;
    const auto place = [&](size_t dimension) {
        strides[dimension] = stride;
        stride = multiply(stride, sizes[dimension]);
    };
    if (layout == Layout::ndhwc) {
        place(channel);
    }
    for (size_t dimension = rank - 1; dimension > channel; dimension--) {
        place(dimension);
    }
    if (layout == Layout::ncdhw) {
        place(channel);
    }
    if (channel == 1) {
        place(0);
    }
    return strides;
}

void Tensor::Free::operator()(void *p) const {
    std::free(p);
}

Tensor::Tensor(const Shape &sizes, Layout layout, int spatial, DType dtype)
    : sizes_(sizes), layout_(layout), spatial_(spatial), dtype_(dtype) {
    dense_strides(sizes, layout, spatial);
    data_.reset(allocate(product(sizes), dtype, "the output"));
}

void Tensor::check_type(DType dtype) const {
    check_element_type(dtype_, dtype);
}

int64_t Tensor::element_count() const {
    return product(sizes_);
}

}  // namespace unstride
