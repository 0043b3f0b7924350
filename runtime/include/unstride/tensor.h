#ifndef UNSTRIDE_TENSOR_H
#define UNSTRIDE_TENSOR_H

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace unstride {

// Sizes or strides, outermost first. Activations are (N, C, D, H, W), or (C, D, H, W) without a batch, in every layout.
using Shape = std::vector<int64_t>;

// The order of the elements in memory.
enum class Layout {
    ncdhw,  // columns are dense: PyTorch's contiguous format
    ndhwc,  // channels are dense: PyTorch's channels_last_3d
};

const char *to_string(Layout layout);

// Strides, in elements, of a dense array of these sizes. Throws InvalidArgument unless there are 4 or 5 sizes, none is
// negative and their product fits in 63 bits.
Shape dense_strides(const Shape &sizes, Layout layout);

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
View<T> dense_view(T *data, const Shape &sizes, Layout layout = Layout::ncdhw) {
    return {data, sizes, dense_strides(sizes, layout)};
}

// A dense array that owns its memory: 64-byte aligned, not initialized.
class Tensor {
public:
    // Throws InvalidArgument as dense_strides does, OutOfMemory if there is not enough.
    explicit Tensor(const Shape &sizes, Layout layout = Layout::ncdhw);

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
    int64_t element_count() const;

    View<float> view() {
        return dense_view(data(), sizes_, layout_);
    }
    View<const float> view() const {
        return dense_view(data(), sizes_, layout_);
    }

private:
    struct Free {
        void operator()(float *p) const;
    };
    Shape sizes_;
    Layout layout_;
    std::unique_ptr<float[], Free> data_;
};

}  // namespace unstride

#endif
