// How weight and bias get into a layer, and out of it.

#include <vector>

#include "array/copy.h"
#include "c/arrays.h"
#include "c/layer.h"
#include "c/status.h"
#include "checks/checks.h"
#include "checks/views.h"
#include "problem/checked.h"

namespace unstride::c {
namespace {

// Return the view of an array of the weight or the bias of a layer.
View<void> weight_view(const ConvTranspose &layer, const unstride_array *weight) {
    View<void> view = view_in_process({"weight", weight});
    check_weight(view.data, view.sizes, layer.weight_shape());
    check_strided({"weight", view});
    return view;
}

View<void> bias_view(const ConvTranspose &layer, const unstride_array *bias) {
    View<void> view = view_in_process({"bias", bias});
    check_bias(view.data, view.sizes, layer.bias_shape(), layer.weight_shape());
    check_strided({"bias", view});
    return view;
}

bool is_in_order(const View<void> &view) {
    int64_t dense = 1;
    for (size_t d = view.sizes.size(); d-- > 0;) {
        if (view.sizes[d] > 1 && view.strides[d] != dense) {
            return false;
        }
        dense *= view.sizes[d];
    }
    return true;
}

// Returns the elements of `dense` as a view of the sizes of another one.
template<typename T>
View<T> dense_as(std::vector<T> &dense, const View<void> &view) {
    Shape strides(view.sizes.size(), 1);
    for (size_t d = strides.size(); d-- > 1;) {
        strides[d - 1] = strides[d] * view.sizes[d];
    }
    return {dense.data(), view.sizes, strides};
}

// Calls set(pointer to the elements in dense memory) for a view.
template<typename Set>
void with_dense(const View<void> &view, const Set &set) {
    with_type(view.dtype, [&](auto *null) {
        using T = std::remove_pointer_t<decltype(null)>;
        if (is_in_order(view)) {
            set(static_cast<const T *>(view.data));
            return;
        }
        std::vector<T> dense(static_cast<size_t>(product(view.sizes)));
        copy_elements(view, dense_as(dense, view));
        set(dense.data());
    });
}

// Writes numbers to a view, which is checked before.
template<typename Number>
void write(const std::vector<Number> &numbers, const View<void> &view) {
    with_type(view.dtype, [&](auto *null) {
        using T = std::remove_pointer_t<decltype(null)>;
        std::vector<T> dense;
        dense.reserve(numbers.size());
        for (Number number : numbers) {
            dense.emplace_back(number);
        }
        copy_elements(dense_as(dense, view), view);
    });
}

// Writes a weight or a bias to a view: the numbers of exact() to one of f64, else those of floats().
template<typename Exact, typename Floats>
void write_all(const View<void> &view, const Exact &exact, const Floats &floats) {
    if (view.dtype == DType::f64) {
        write(exact(), view);
    } else {
        write(floats(), view);
    }
}

}  // namespace
}  // namespace unstride::c

using namespace unstride;
using namespace unstride::c;

unstride_status unstride_layer_set_weight(unstride_layer *layer, const unstride_array *weight) {
    return status_of([&] {
        ConvTranspose &to = layer_of(layer);
        const View<void> view = weight_view(to, weight);
        with_dense(view, [&](const auto *data) { to.set_weight(data, view.sizes); });
    });
}

unstride_status unstride_layer_set_bias(unstride_layer *layer, const unstride_array *bias) {
    return status_of([&] {
        ConvTranspose &to = layer_of(layer);
        const View<void> view = bias_view(to, bias);
        with_dense(view, [&](const auto *data) { to.set_bias(data, view.sizes); });
    });
}

unstride_status unstride_layer_get_weight(const unstride_layer *layer, const unstride_array *weight) {
    return status_of([&] {
        const ConvTranspose &from = layer_of(layer);
        const View<void> view = weight_view(from, weight);
        check_distinct({"weight", view});
        write_all(
            view, [&] { return from.exact_weight(); }, [&] { return from.weight(); });
    });
}

unstride_status unstride_layer_get_bias(const unstride_layer *layer, const unstride_array *bias) {
    return status_of([&] {
        const ConvTranspose &from = layer_of(layer);
        const View<void> view = bias_view(from, bias);
        check_distinct({"bias", view});
        write_all(
            view, [&] { return from.exact_bias(); }, [&] { return from.bias(); });
    });
}
