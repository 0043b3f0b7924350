#include "calls.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "channels_last.h"
#include "result.h"

namespace nb = nanobind;

namespace unstride::python {
namespace {

bool has_elements(const Argument &array) {
    const Shape &sizes = array.sizes();
    return std::find(sizes.begin(), sizes.end(), 0) == sizes.end();
}

// Returns which dimension the channels are: 1 if there is a batch, else 0.
size_t channel_dimension(const Argument &array, int spatial) {
    return array.sizes().size() - static_cast<size_t>(spatial) - 1;
}

// Returns whether an array is one of this layout.
bool can_be(Layout layout, const Argument &array, int spatial) {
    if (!has_elements(array)) {
        return true;
    }
    const size_t dense = layout == Layout::ncdhw ? array.sizes().size() - 1 : channel_dimension(array, spatial);
    return array.is_regular() && (array.sizes()[dense] <= 1 || array.byte_strides()[dense] == size_of(array.dtype()));
}

bool is_channels_last(const Argument &array, int spatial) {
    const Shape &sizes = array.sizes();
    return unstride::python::is_channels_last(sizes.data(), array.byte_strides().data(), sizes.size(),
                                              channel_dimension(array, spatial));
}

// Returns the layout of a new array beside these: one that `out`, if there is one, and all other arrays have; or else
// one that `out` has. Where there are several, it is that of the first array.
Layout layout_of(std::initializer_list<const Argument *> read, const std::optional<Argument> &out, int spatial) {
    const Layout first = format_of(**read.begin(), spatial),
                 other = first == Layout::ncdhw ? Layout::ndhwc : Layout::ncdhw;
    const auto out_can_be = [&](Layout layout) { return !out || can_be(layout, *out, spatial); };
    for (const Layout layout : {first, other}) {
        if (out_can_be(layout) &&
            std::all_of(read.begin(), read.end(), [&](const Argument *a) { return can_be(layout, *a, spatial); })) {
            return layout;
        }
    }
    return out_can_be(first) ? first : other;
}

// An array as a call takes it: in place, or a copy in this layout where views cannot tell where its elements are.
class Fitted {
public:
    Fitted(const Argument &array, Layout layout, int spatial) : view_(array.view()) {
        if (has_elements(array) && !array.is_regular()) {
            copy_.emplace(array.sizes(), layout, spatial, array.dtype());
            const View<const void> dense = std::as_const(*copy_).view<void>();
            copy(array, copy_->data<void>(), dense.strides);
            view_ = dense;
        }
    }
    const View<const void> &view() const {
        return view_;
    }

private:
    View<const void> view_;
    std::optional<Tensor> copy_;
};

// Checks the number of dimensions of an array, which the functions above rely on.
void check_rank(const Argument &array, int spatial) {
    const size_t least = static_cast<size_t>(spatial) + 1, rank = array.sizes().size();
    if (rank != least && rank != least + 1) {
        fail_value("expected " + std::to_string(least) + "D (unbatched) or " + std::to_string(least + 1) +
                   "D (batched) " + array.name() + ", but got size " + text_of(array.sizes()));
    }
}

void check_types(const Argument &read, const char *written, DType type) {
    const auto &all = supported_types();
    if (std::find(all.begin(), all.end(), Types(read.dtype(), type)) == all.end()) {
        fail_type(std::string(read.name()) + " of " + name_of(read.dtype()) + " and " + written + " of " +
                  name_of(type) + " do not go together: both have one type, or " + read.name() +
                  " has float16 or bfloat16 and " + written + " float32");
    }
}

void check_same_type(const Argument &one, const Argument &other) {
    if (one.dtype() != other.dtype()) {
        fail_type(std::string(one.name()) + " and " + other.name() + " must have the same type, but got " +
                  name_of(one.dtype()) + " and " + name_of(other.dtype()));
    }
}

// Takes an array of the caller's to write to, if there is one.
void take_out(std::optional<Argument> &to, nb::handle object, const Argument &read) {
    if (object.is_none()) {
        return;
    }
    to.emplace("out", object, Access::write);
    check_types(read, "out", to->dtype());
    const int64_t size = size_of(to->dtype());
    for (size_t d = 0; d < to->sizes().size(); d++) {
        if (to->sizes()[d] > 1 && to->byte_strides()[d] % size != 0) {
            fail_value("out has strides of " + text_of(to->byte_strides()) + " bytes, where elements have " +
                       std::to_string(size));
        }
    }
}

// Takes a residual, if there is one, for an output of this type and shape.
void take_residual(std::optional<Argument> &added, nb::handle object, DType type, const Shape &shape, int spatial) {
    if (object.is_none()) {
        return;
    }
    added.emplace("residual", object);
    check_rank(*added, spatial);
    if (added->dtype() != type) {
        fail_type(std::string("residual must have the output's type, ") + name_of(type) + ", but has " +
                  name_of(added->dtype()));
    }
    if (added->sizes() != shape) {
        fail_value("expected a residual of the output's size " + text_of(shape) + ", but got " +
                   text_of(added->sizes()));
    }
}

// Returns where a call writes: to the caller's array, or a new one.
template<typename Make>
Result written(const std::optional<Argument> &out, nb::handle object, const Make &make) {
    return out ? Result{nb::borrow(object), out->writable_view()} : make();
}

// Returns an input's size from which the layer leads to an output of this size, in one dimension.
int64_t input_of(int64_t output, int64_t kernel, int64_t stride, int64_t dilation, int64_t paddings,
                 int64_t output_padding) {
    const int64_t beyond = output + paddings - dilation * (kernel - 1) - 1, padded = beyond - output_padding;
    return padded >= 0 && padded % stride == 0 ? padded / stride + 1 : std::max<int64_t>(beyond, 0) / stride + 1;
}

Shape input_shape_of(const ConvTranspose &layer, const Argument &grad_output) {
    const ConvTranspose3dOptions &o = layer.options();
    const Triple end = o.padding_end.value_or(o.padding);
    const size_t channel = channel_dimension(grad_output, layer.spatial());
    Shape shape = grad_output.sizes();
    shape[channel] = o.in_channels;
    for (size_t i = channel + 1; i < shape.size(); i++) {
        const int d = static_cast<int>(i - channel - 1) + 3 - layer.spatial();
        shape[i] = input_of(shape[i], o.kernel_size[d], o.stride[d], o.dilation[d], o.padding[d] + end[d],
                            o.output_padding[d]);
    }
    return shape;
}

// Checks that the layer leads from an input of this shape to the output that a gradient belongs to, before an array is
// made for another gradient.
void check_leads(const ConvTranspose &layer, const Shape &input_shape, const Argument &grad_output) {
    const Shape &sizes = grad_output.sizes();
    Shape expected;
    try {
        expected = layer.output_shape(input_shape, sizes);
    } catch (const InvalidArgument &) {  // the layer's own output padding may be the stride or more
        expected = layer.output_shape(input_shape);
    }
    if (sizes != expected) {
        fail_value("expected grad_output of size " + text_of(expected) + ", but got " + text_of(sizes));
    }
}

// Checks that a new gradient is not to be added to, as it has no numbers yet.
void check_update(nb::handle out, Update update) {
    if (out.is_none() && update == Update::accumulate) {
        fail_value("accumulate=True needs out, the array to add to");
    }
}

nb::object input_gradient(const Layer &layer, const Argument &grad_output, const Shape &input_shape, Layout layout,
                          const std::optional<Argument> &out, nb::handle out_object, Update update) {
    const int spatial = layer.layer.spatial();
    Result result = written(out, out_object, [&] {
        check_leads(layer.layer, input_shape, grad_output);
        return new_array(grad_output, input_shape, dense_strides(input_shape, layout, spatial));
    });
    computing(layer, [&] {
        const Fitted from(grad_output, layout, spatial);
        layer.layer.input_gradient(from.view(), result.view, update);
    });
    return std::move(result.object);
}

// Calls set(elements, sizes) with dense elements of an array.
template<typename Set>
void set_dense(const Argument &array, const Shape &expected, const Set &set) {
    const View<const void> view = array.view();
    Shape dense(view.sizes.size());
    int64_t count = 1;
    bool is_dense = array.is_regular();
    for (size_t d = dense.size(); d-- > 0; count *= view.sizes[d]) {
        dense[d] = count;
        is_dense = is_dense && (view.sizes[d] <= 1 || view.strides[d] == count);
    }
    // Of another shape, nothing is read.
    if (is_dense || view.sizes != expected) {
        set(view.data, view.sizes);
        return;
    }
    const Tensor memory({1, 1, count}, Layout::ncdhw, 1, array.dtype());
    copy(array, const_cast<void *>(memory.data<void>()), dense);
    set(memory.data<void>(), view.sizes);
}

}  // namespace

Layout format_of(const Argument &array, int spatial) {
    const bool columns = can_be(Layout::ncdhw, array, spatial), channels = can_be(Layout::ndhwc, array, spatial);
    const bool is_last = channels && (!columns || is_channels_last(array, spatial));
    return is_last ? Layout::ndhwc : Layout::ncdhw;
}

nb::object forward(const Layer &layer, const Argument &input, const Shape &output_size, nb::handle residual,
                   nb::handle out) {
    const int spatial = layer.layer.spatial();
    std::optional<Argument> to, added;
    take_out(to, out, input);
    const size_t rank = input.sizes().size(), least = static_cast<size_t>(spatial) + 1;
    const bool needs_shape = !to || !output_size.empty() || rank < least || rank > least + 1;
    const Shape shape = needs_shape ? layer.layer.output_shape(input.sizes(), output_size) : Shape();
    if (to && needs_shape && to->sizes() != shape) {
        fail_value("expected out of size " + text_of(shape) + ", but got " + text_of(to->sizes()));
    }
    if (to) {
        check_rank(*to, spatial);
    }
    const Layout layout = layout_of({&input}, to, spatial);
    take_residual(added, residual, to ? to->dtype() : input.dtype(), to ? to->sizes() : shape, spatial);
    Result result = written(to, out, [&] { return new_array(input, shape, dense_strides(shape, layout, spatial)); });
    computing(layer, [&] {
        const Fitted from(input, layout, spatial);
        if (added) {
            const Fitted with(*added, layout, spatial);
            layer.layer.forward(from.view(), result.view, with.view());
        } else {
            layer.layer.forward(from.view(), result.view);
        }
    });
    return std::move(result.object);
}

nb::object forward_block(const Layer &layer, const Argument &input, const Block &outputs, const Shape &whole,
                         const Shape &output_size, nb::handle residual, nb::handle out) {
    const int spatial = layer.layer.spatial();
    check_rank(input, spatial);
    layer.layer.halo(whole, outputs, output_size);  // which checks the block
    const size_t channel = channel_dimension(input, spatial);
    Shape shape = input.sizes();
    shape[channel] = layer.layer.options().out_channels;
    for (size_t d = 0; d < outputs.begin.size(); d++) {
        shape[channel + 1 + d] = outputs.end[d] - outputs.begin[d];
    }
    std::optional<Argument> to, added;
    take_out(to, out, input);
    if (to && to->sizes() != shape) {
        fail_value("expected out of size " + text_of(shape) + ", but got " + text_of(to->sizes()));
    }
    take_residual(added, residual, to ? to->dtype() : input.dtype(), shape, spatial);
    const Layout layout = layout_of({&input}, to, spatial);
    Result result = written(to, out, [&] { return new_array(input, shape, dense_strides(shape, layout, spatial)); });
    computing(layer, [&] {
        const Fitted from(input, layout, spatial);
        if (added) {
            const Fitted with(*added, layout, spatial);
            layer.layer.forward_block(from.view(), result.view, with.view(), outputs, whole, output_size);
        } else {
            layer.layer.forward_block(from.view(), result.view, outputs, whole, output_size);
        }
    });
    return std::move(result.object);
}

nb::object input_gradient(const Layer &layer, const Argument &grad_output, const Shape &input_shape, nb::handle out,
                          Update update) {
    const int spatial = layer.layer.spatial();
    check_update(out, update);
    check_rank(grad_output, spatial);
    std::optional<Argument> to;
    take_out(to, out, grad_output);
    if (to) {
        check_rank(*to, spatial);
        if (!input_shape.empty() && to->sizes() != input_shape) {
            fail_value("expected out of size " + text_of(input_shape) + ", but got " + text_of(to->sizes()));
        }
    }
    const Shape shape = to || !input_shape.empty() ? input_shape : input_shape_of(layer.layer, grad_output);
    return input_gradient(layer, grad_output, shape, layout_of({&grad_output}, to, spatial), to, out, update);
}

nb::object input_gradient_like(const Layer &layer, const Argument &grad_output, const Argument &input) {
    const int spatial = layer.layer.spatial();
    check_rank(grad_output, spatial);
    return input_gradient(layer, grad_output, input.sizes(), format_of(input, spatial), std::nullopt, nb::none(),
                          Update::replace);
}

nb::object weight_gradient(const Layer &layer, const Argument &input, const Argument &grad_output, nb::handle out,
                           Update update) {
    const int spatial = layer.layer.spatial();
    check_update(out, update);
    check_rank(input, spatial);
    check_rank(grad_output, spatial);
    check_same_type(input, grad_output);
    std::optional<Argument> to;
    take_out(to, out, input);
    const Layout layout = layout_of({&input, &grad_output}, std::nullopt, spatial);
    Result result = written(to, out, [&] {
        check_leads(layer.layer, input.sizes(), grad_output);
        const Shape shape = layer.layer.weight_shape();
        return new_array(input, shape, dense_strides(shape, Layout::ncdhw, spatial));
    });
    computing(layer, [&] {
        const Fitted from(input, layout, spatial), gradient(grad_output, layout, spatial);
        layer.layer.weight_gradient(from.view(), gradient.view(), result.view, update);
    });
    return std::move(result.object);
}

nb::object bias_gradient(const Layer &layer, const Argument &grad_output, nb::handle out, Update update) {
    const int spatial = layer.layer.spatial();
    check_update(out, update);
    check_rank(grad_output, spatial);
    std::optional<Argument> to;
    take_out(to, out, grad_output);
    const Layout layout = format_of(grad_output, spatial);
    Result result = written(to, out, [&] { return new_array(grad_output, {layer.layer.options().out_channels}, {1}); });
    computing(layer, [&] {
        const Fitted gradient(grad_output, layout, spatial);
        layer.layer.bias_gradient(gradient.view(), result.view, update);
    });
    return std::move(result.object);
}

void set_weight(Layer &layer, const Argument &weight) {
    changing(layer, [&] {
        layer.weight_type.reset();
        set_dense(weight, layer.layer.weight_shape(), [&](const void *data, const Shape &sizes) {
            with_type(weight.dtype(), [&](auto *null) {
                layer.layer.set_weight(static_cast<decltype(null)>(const_cast<void *>(data)), sizes);
            });
        });
        layer.weight_type = weight.dtype();
    });
}

void set_bias(Layer &layer, const Argument &bias) {
    changing(layer, [&] {
        layer.bias_type.reset();
        set_dense(bias, layer.layer.bias_shape(), [&](const void *data, const Shape &sizes) {
            with_type(bias.dtype(), [&](auto *null) {
                layer.layer.set_bias(static_cast<decltype(null)>(const_cast<void *>(data)), sizes);
            });
        });
        layer.bias_type = bias.dtype();
    });
}

}  // namespace unstride::python
