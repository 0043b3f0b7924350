// How weight and bias get into a layer, and out of it.

#include <cstring>
#include <vector>

#include "c/arrays.h"
#include "c/layer.h"
#include "c/status.h"
#include "checks/checks.h"
#include "checks/views.h"
#include "problem/checked.h"

namespace unstride::c {
namespace {

// Calls visit(element of the view, index in a dense array of its sizes) for each element.
template<typename T, typename Visit>
void for_each_element(const View<void> &view, const Visit &visit) {
    const size_t rank = view.sizes.size();
    const int64_t count = product(view.sizes);
    Shape at(rank, 0);
    T *element = static_cast<T *>(view.data);
    for (int64_t i = 0; i < count; i++) {
        visit(*element, static_cast<size_t>(i));
        for (size_t d = rank; d-- > 0;) {
            element += view.strides[d];
            if (++at[d] < view.sizes[d]) {
                break;
            }
            element -= at[d] * view.strides[d];
            at[d] = 0;
        }
    }
}

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
        for_each_element<const T>(view, [&](const T &element, size_t i) { dense[i] = element; });
        set(dense.data());
    });
}

// Writes numbers to a view, which is checked before.
template<typename Number>
void write(const std::vector<Number> &numbers, const View<void> &view) {
    with_type(view.dtype, [&](auto *null) {
        using T = std::remove_pointer_t<decltype(null)>;
        for_each_element<T>(view, [&](T &element, size_t i) { element = T(numbers[i]); });
    });
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
        if (view.dtype == DType::f64) {
            write(from.exact_weight(), view);
        } else {
            write(from.weight(), view);
        }
    });
}

unstride_status unstride_layer_get_bias(const unstride_layer *layer, const unstride_array *bias) {
    return status_of([&] {
        const ConvTranspose &from = layer_of(layer);
        const View<void> view = bias_view(from, bias);
        check_distinct({"bias", view});
        if (view.dtype == DType::f64) {
            write(from.exact_bias(), view);
        } else {
            write(from.bias(), view);
        }
    });
}
