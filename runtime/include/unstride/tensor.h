#ifndef UNSTRIDE_TENSOR_H
#define UNSTRIDE_TENSOR_H

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace unstride {

// Sizes or strides, outermost first. Activations are (N, C, D, H, W), or (C, D, H, W) without a batch, in every layout; in two dimensions of
// space (N, C, H, W) or (C, H, W), and in one (N, C, L) or (C, L). `spatial` is their number, as four sizes may be either.
using Shape = std::vector<int64_t>;

// The order of the elements in memory.
enum class Layout {
    ncdhw,  // columns are dense: PyTorch's contiguous format; NCHW and NCL, too
    ndhwc,  // channels are dense: PyTorch's channels_last_3d and channels_last; NHWC and NLC, too
};

const char *to_string(Layout layout);

// Strides, in elements, of a dense array of these sizes. Throws InvalidArgument unless `spatial` is 1, 2 or 3, there are one or two sizes more
// than that, none is negative and their product fits in 63 bits.
Shape dense_strides(const Shape &sizes, Layout layout, int spatial = 3);

// Somebody's array: a pointer to its first element, its sizes, and its strides in elements.
template<typename T>
struct View {
    T *data = nullptr;
    Shape sizes;
    Shape strides;

    // What may be written may be read.
    template<typename U, typename = std::enable_if_t<std::is_same_v<U, const T> && !std::is_const_v<T>>>
    operator View<U>() const {  // NOLINT(google-explicit-constructor)
        return {data, sizes, strides};
    }
};

// A view of a dense array.
template<typename T>
View<T> dense_view(T *data, const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3) {
    return {data, sizes, dense_strides(sizes, layout, spatial)};
}

// A dense array that owns its memory: 64-byte aligned, not initialized.
class Tensor {
public:
    // Throws InvalidArgument as dense_strides does, OutOfMemory if there is not enough.
    explicit Tensor(const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3);

    float *data() {
        return data_.get();
    }
    const float *data() const {
        return data_.get();
    }
    const Shape &sizes() const {
        return sizes_;
    }
    Layout layout() const {
        return layout_;
    }
    int spatial() const {
        return spatial_;
    }
    int64_t element_count() const;

    View<float> view() {
        return dense_view(data(), sizes_, layout_, spatial_);
    }
    View<const float> view() const {
        return dense_view(data(), sizes_, layout_, spatial_);
    }

private:
    struct Free {
        void operator()(float *p) const;
    };
    Shape sizes_;
    Layout layout_;
    int spatial_;
    std::unique_ptr<float[], Free> data_;
};

}  // namespace unstride

#endif
