#ifndef UNSTRIDE_TENSOR_H
#define UNSTRIDE_TENSOR_H

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "unstride/dtype.h"

namespace unstride {

// The sizes or strides of an array, outermost dimension first. Inputs and outputs are (N, C, D, H, W), or (C, D, H, W)
// without a batch, whatever their layout. With two dimensions of space they are (N, C, H, W) or (C, H, W), with one
// (N, C, L) or (C, L). Many functions also take the number of dimensions of space, `spatial`, as the number of sizes
// does not tell it: four sizes may be (C, D, H, W) or (N, C, H, W).
using Shape = std::vector<int64_t>;

// The order of the elements in memory.
enum class Layout {
    ncdhw,  // NCDHW, NCHW or NCL, where columns are dense: PyTorch's contiguous format
    ndhwc,  // NDHWC, NHWC or NLC, where channels are dense: PyTorch's channels_last_3d and channels_last
};

const char *to_string(Layout layout);

// Returns the strides, in elements, of a dense array of these sizes. Throws InvalidArgument unless `spatial` is 1, 2 or
// 3, there are one or two sizes more than that, none is negative, and their product fits in 63 bits.
Shape dense_strides(const Shape &sizes, Layout layout, int spatial = 3);

// An array that someone else owns: a pointer to its first element, its sizes, and its strides in elements. T is the
// type of the elements, const for an array that is only read, or void if it is known at run time only.
template<typename T>
struct View {
    T *data = nullptr;
    Shape sizes = {};
    Shape strides = {};

    // The number of dimensions of space that the array was made for, which Tensor::view and dense_view set, or 0 if it
    // is unknown. A layer of another number refuses an array in ndhwc, as it would take another dimension for the
    // channels.
    int spatial = 0;

    // A view of elements that may be written converts to one of elements that are only read.
    template<typename U, typename = std::enable_if_t<std::is_same_v<U, const T> && !std::is_const_v<T>>>
    operator View<U>() const {  // NOLINT(google-explicit-constructor)
        return {data, sizes, strides, spatial};
    }
};

// A view whose elements may be written and have the type `dtype`. Views of writable elements of any type convert to it.
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

// A view whose elements are only read and have the type `dtype`. All views convert to it.
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

// Returns a view of a dense array. Throws InvalidArgument as dense_strides does.
template<typename T>
View<T> dense_view(T *data, const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3) {
    return {data, sizes, dense_strides(sizes, layout, spatial), spatial};
}

// A dense array that owns its memory, which is aligned to 64 bytes and not initialized.
class Tensor {
public:
    // Throws InvalidArgument as dense_strides does, and OutOfMemory.
    explicit Tensor(const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3, DType dtype = DType::f32);

    // Return the memory as a pointer or as a view. T is the type of the elements, or void, which stands for any type.
    // All throw InvalidArgument if T is another type.
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
