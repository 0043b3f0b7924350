#include "unstride/tensor.h"

#include <cstdlib>
#include <new>
#include <string>

#include "checked.h"
#include "memory.h"

namespace unstride {

const char *to_string(Layout layout) {
    return layout == Layout::ncdhw ? "ncdhw" : "ndhwc";
}

Shape dense_strides(const Shape &sizes, Layout layout) {
    if (sizes.size() != 4 && sizes.size() != 5) {
        throw InvalidArgument("expected 4 or 5 sizes, but got " + std::to_string(sizes.size()));
    }
    for (int64_t size : sizes) {
        if (size < 0) {
            throw InvalidArgument("negative sizes are not supported");
        }
    }
    const size_t rank = sizes.size(), channel = rank - 4;
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
    if (rank == 5) {
        place(0);
    }
    return strides;
}

void Tensor::Free::operator()(float *p) const {
    std::free(p);
}

Tensor::Tensor(const Shape &sizes, Layout layout)
    : sizes_(sizes), layout_(layout) {
    dense_strides(sizes, layout);
    data_.reset(allocate_floats(product(sizes), "the output"));
}

int64_t Tensor::element_count() const {
    return product(sizes_);
}

}  // namespace unstride
