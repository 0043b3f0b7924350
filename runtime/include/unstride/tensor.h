#ifndef UNSTRIDE_TENSOR_H
#define UNSTRIDE_TENSOR_H

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "unstride/dtype.h"

namespace unstride {

// Sizes or strides, outermost first. Activations are (N, C, D, H, W), or (C, D, H, W) without a batch, in every layout;
// in two dimensions of space (N, C, H, W) or (C, H, W), and in one (N, C, L) or (C, L). `spatial` is their number, as
// four sizes may be either.
using Shape = std::vector<int64_t>;

// The order of the elements in memory.
enum class Layout {
    ncdhw,  // columns are dense: PyTorch's contiguous format; NCHW and NCL, too
    ndhwc,  // channels are dense: PyTorch's channels_last_3d and channels_last; NHWC and NLC, too
};

const char *to_string(Layout layout);

// Strides, in elements, of a dense array of these sizes. Throws InvalidArgument unless `spatial` is 1, 2 or 3, there
// are one or two sizes more than that, none is negative and their product fits in 63 bits.
Shape dense_strides(const Shape &sizes, Layout layout, int spatial = 3);

// Somebody's array: a pointer to its first element, its sizes, and its strides in elements.
template<typename T>
struct View {
    T *data = nullptr;
    Shape sizes = {};
    Shape strides = {};

    // The number of dimensions of space that the array was made for, where that is known: Tensor::view and dense_view
    // set it. A layer of another number refuses an array in ndhwc, in which it would look for the channels elsewhere.
    // 0: not known.
    int spatial = 0;

    // What may be written may be read.
    template<typename U, typename = std::enable_if_t<std::is_same_v<U, const T> && !std::is_const_v<T>>>
    operator View<U>() const {  // NOLINT(google-explicit-constructor)
        return {data, sizes, strides, spatial};
    }
};

// The same with elements of a type that is known at run time. Any view converts to one.
template<>
struct View<void> {
    void *data = nullptr;
    DType dtype = DType::f32;
    Shape sizes;
    Shape strides;
    int spatial = 0;

    View() = default;
    View(void *first, DType type, Shape all_sizes, Shape all_strides, int dimensions = 0)
        : data(first), dtype(type), sizes(std::move(all_sizes)), strides(std::move(all_strides)), spatial(dimensions) {
    }
    template<typename T, typename = std::enable_if_t<!std::is_const_v<T>>>
    View(T *first, Shape all_sizes, Shape all_strides, int dimensions = 0)
        : View(first, dtype_of<T>(), std::move(all_sizes), std::move(all_strides), dimensions) {
    }
    template<typename T, typename = std::enable_if_t<!std::is_const_v<T>>>
    View(const View<T> &view)  // NOLINT(google-explicit-constructor)
        : View(view.data, dtype_of<T>(), view.sizes, view.strides, view.spatial) {
    }
};

template<>
struct View<const void> {
    const void *data = nullptr;
    DType dtype = DType::f32;
    Shape sizes;
    Shape strides;
    int spatial = 0;

    View() = default;
    View(const void *first, DType type, Shape all_sizes, Shape all_strides, int dimensions = 0)
        : data(first), dtype(type), sizes(std::move(all_sizes)), strides(std::move(all_strides)), spatial(dimensions) {
    }
    template<typename T>
    View(const T *first, Shape all_sizes, Shape all_strides, int dimensions = 0)
        : View(first, dtype_of<T>(), std::move(all_sizes), std::move(all_strides), dimensions) {
    }
    View(const View<void> &view)  // NOLINT(google-explicit-constructor)
        : View(view.data, view.dtype, view.sizes, view.strides, view.spatial) {
    }
    template<typename T>
    View(const View<T> &view)  // NOLINT(google-explicit-constructor)
        : View(view.data, dtype_of<std::remove_const_t<T>>(), view.sizes, view.strides, view.spatial) {
    }
};

// A view of a dense array.
template<typename T>
View<T> dense_view(T *data, const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3) {
    return {data, sizes, dense_strides(sizes, layout, spatial), spatial};
}

// A dense array that owns its memory: 64-byte aligned, not initialized.
class Tensor {
public:
    // Throws InvalidArgument as dense_strides does, OutOfMemory if there is not enough.
    explicit Tensor(const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3, DType dtype = DType::f32);

    // T is the type of the elements, or void. Throw InvalidArgument for another one.
    template<typename T = float>
    T *data() {
        check_type<T>();
        return static_cast<T *>(data_.get());
    }
    template<typename T = float>
    const T *data() const {
        check_type<T>();
        return static_cast<const T *>(data_.get());
    }
    template<typename T = float>
    View<T> view() {
        if constexpr (std::is_void_v<T>) {
            return {data_.get(), dtype_, sizes_, dense_strides(sizes_, layout_, spatial_), spatial_};
        } else {
            return dense_view(data<T>(), sizes_, layout_, spatial_);
        }
    }
    template<typename T = float>
    View<const T> view() const {
        return const_cast<Tensor &>(*this).view<T>();
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
    DType dtype() const {
        return dtype_;
    }
    int64_t element_count() const;

private:
    template<typename T>
    void check_type() const {
        if constexpr (!std::is_void_v<T>) {
            check_type(dtype_of<T>());
        }
    }
    void check_type(DType dtype) const;

    struct Free {
        void operator()(void *p) const;
    };
    Shape sizes_;
    Layout layout_;
    int spatial_;
    DType dtype_;
    std::unique_ptr<void, Free> data_;
};

}  // namespace unstride

#endif
