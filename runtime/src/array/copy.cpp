#include "array/copy.h"

#include <cstring>

namespace unstride {
namespace {

// Copies elements of `bytes` bytes along all dimensions from `dimension` on.
void copy_strided(const char *from, const Shape &from_strides, char *to, const Shape &to_strides, const Shape &sizes,
                  int64_t bytes, size_t dimension) {
    if (dimension == sizes.size()) {
        std::memcpy(to, from, static_cast<size_t>(bytes));
        return;
    }
    for (int64_t i = 0; i < sizes[dimension]; i++) {
        copy_strided(from + i * from_strides[dimension] * bytes, from_strides, to + i * to_strides[dimension] * bytes,
                     to_strides, sizes, bytes, dimension + 1);
    }
}

}  // namespace

void copy_elements(const View<const void> &from, const View<void> &to) {
    copy_strided(static_cast<const char *>(from.data), from.strides, static_cast<char *>(to.data), to.strides,
                 from.sizes, size_of(from.dtype), 0);
}

}  // namespace unstride
