// The operators of PyTorch's dispatcher that Unstride computes, with kernels for the CPU. They are compiled on
// libtorch's stable ABI and the C API: one binary for all PyTorch from 2.10 on, and for all Pythons.
// unstride/torch/_operators.py adds all else that an operator needs.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "layer_cache.h"

namespace unstride::torch_ops {
namespace {

// A list of numbers, as operators get it.
using List = std::vector<int64_t>;

// Returns how many dimensions of space the weight of a layer has.
size_t spatial_of(const Tensor &weight) {
    const int64_t rank = weight.dim();
    if (rank < 3 || rank > 5) {
        refuse("the weight must have 3, 4 or 5 dimensions");
    }
    return static_cast<size_t>(rank - 2);
}

Triple triple(const char *name, const List &list, size_t count) {
    if (list.size() != count) {
        refuse(std::string(name) + " must have " + std::to_string(count) + " numbers, but has " +
               std::to_string(list.size()));
    }
    Triple result{};
    std::copy(list.begin(), list.end(), result.begin());
    return result;
}

Window window_of(size_t count, const List &stride, const List &padding, const List &output_padding, int64_t groups,
                 const List &dilation) {
    return {triple("stride", stride, count), triple("padding", padding, count),
            triple("output_padding", output_padding, count), triple("dilation", dilation, count), groups};
}

// Returns the parameters that _functional.py has written as one number: the groups, and below them four bits for each
// number of a dimension, the stride along the first one lowest. A list takes longer to get here than a small layer to
// compute.
Window window_of(int64_t code) {
    constexpr int bits = 4;
    constexpr int64_t mask = (1 << bits) - 1;
    const auto next = [&] {
        const int64_t number = code & mask;
        code >>= bits;
        return number;
    };
    Window window{};
    for (Triple *triple : {&window.stride, &window.padding, &window.output_padding, &window.dilation}) {
        for (int64_t &number : *triple) {
            number = next();
        }
    }
    window.groups = code;
    return window;
}

void check_least(const char *name, const Triple &numbers, size_t count, int64_t least) {
    if (std::any_of(numbers.begin(), numbers.begin() + count, [&](int64_t number) { return number < least; })) {
        refuse(std::string(name) + " must be at least " + std::to_string(least));
    }
}

Geometry geometry_of(const Described &input, const Described &weight, bool has_bias, const Window &window) {
    const size_t spatial = spatial_of(weight.tensor);
    if (input.sizes.size() != weight.sizes.size()) {
        refuse("input and weight must have as many dimensions as each other");
    }
    if (input.dtype != weight.dtype) {
        refuse("input and weight must be of the same type");
    }
    if (window.groups < 1 || window.groups > std::max<int64_t>(weight.sizes[0], 1)) {
        refuse("groups must be from 1 to the number of input channels");
    }
    check_least("stride", window.stride, spatial, 1);
    check_least("padding", window.padding, spatial, 0);
    check_least("output_padding", window.output_padding, spatial, 0);
    check_least("dilation", window.dilation, spatial, 1);
    Geometry g{};
    g.spatial = static_cast<int32_t>(spatial);
    g.has_bias = has_bias;
    g.dtype = weight.dtype;
    g.in_channels = weight.sizes[0];
    g.out_channels = weight.sizes[1] * window.groups;
    std::copy_n(weight.sizes.data() + 2, spatial, g.kernel_size.begin());
    g.window = window;
    return g;
}

// Runs a share of a call in each of PyTorch's threads, so that the process has one pool of them.
void run_in_threads(int32_t count, void (*share)(void *closure), void *closure) {
    torch::stable::parallel_for(0, count, 1, [&](int64_t, int64_t) { share(closure); });
}

unstride_call_options call_options() {
    constexpr uint32_t most_threads = 256;
    unstride_call_options options{};
    options.size = sizeof options;
    options.run_in_threads = run_in_threads;
    options.threads = static_cast<int32_t>(std::clamp<uint32_t>(torch::stable::get_num_threads(), 1, most_threads));
    return options;
}

// A call of forward whose arguments are checked.
struct Call {
    Described input, weight;
    std::optional<Described> bias;
    std::shared_ptr<CachedLayer> layer;
    Sizes output_sizes;
};

Call checked(const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias, const Window &window) {
    Call call{Described(input), Described(weight), std::nullopt, nullptr, {}};
    const bool has_bias = bias && bias->defined();
    const Geometry geometry = geometry_of(call.input, call.weight, has_bias, window);
    if (has_bias) {
        call.bias.emplace(*bias);
        if (call.bias->dtype != call.input.dtype || call.bias->sizes != Sizes{geometry.out_channels}) {
            refuse("bias must have a number for each output channel, of the input's type");
        }
    }
    call.layer = cached_layer(geometry, weight.const_data_ptr());
    call.output_sizes = call.layer->output_sizes(call.input);
    return call;
}

Tensor forward(const Call &call) {
    const auto &[input, weight, bias, cached, output_sizes] = call;
    const Format format = format_of(input, weight);
    Described output = empty(output_sizes, format, input);
    cached->use_with(weight, bias ? &*bias : nullptr, [&, &input = input](const unstride_layer *layer) {
        const Described from = readable(input, format);
        const unstride_array in = from.array(), out = output.array();
        const unstride_call_options options = call_options();
        check(unstride_layer_forward(layer, &in, &out, nullptr, &options));
    });
    return std::move(output.tensor);
}

Tensor conv_transpose(const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias, const List &stride,
                      const List &padding, const List &output_padding, int64_t groups, const List &dilation) {
    return forward(
        checked(input, weight, bias, window_of(spatial_of(weight), stride, padding, output_padding, groups, dilation)));
}

Tensor conv_transpose_coded(const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias,
                            int64_t window) {
    return forward(checked(input, weight, bias, window_of(window)));
}

// Does the same through PyTorch's operator for backends, whose derivative is in C++. Python does not call that one
// itself, as PyTorch takes longer for its lists than for all the rest of a small call.
Tensor differentiable(const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias, int64_t code) {
    using torch::stable::detail::from;
    const Window window = window_of(code);
    checked(input, weight, bias, window);  // as a failure below would be logged
    const auto list = [count = spatial_of(weight)](const Triple &numbers) {
        return from(List(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(count)));
    };
    constexpr bool is_transposed = true;
    std::array<StableIValue, 9> stack{
        from(input),          from(weight),          from(bias),          list(window.stride),
        list(window.padding), list(window.dilation), from(is_transposed), list(window.output_padding),
        from(window.groups)};
    STABLE_TORCH_ERROR_CODE_CHECK(
        torch_call_dispatcher("aten::convolution_overrideable", "", stack.data(), TORCH_ABI_VERSION));
    return torch::stable::detail::to<Tensor>(stack[0]);
}

// The gradients of input, weight and bias, as far as the mask asks for them.
using Gradients = std::array<std::optional<Tensor>, 3>;

Gradients backward(const Described &grad_output, const Described &input, const Described &weight, const Window &window,
                   const std::vector<bool> &mask) {
    const Geometry geometry = geometry_of(input, weight, false, window);
    if (mask.size() != 3) {
        refuse("mask must have 3 elements");
    }
    if (grad_output.dtype != input.dtype) {
        refuse("grad_output must be of the input's type");
    }
    const std::shared_ptr<CachedLayer> cached = cached_layer(geometry, weight.tensor.const_data_ptr());
    if (cached->output_sizes(input) != grad_output.sizes) {
        refuse("grad_output does not have the sizes of the output");
    }
    const Format format = format_of(input, weight);
    const Described from = readable(grad_output, format);
    const unstride_array outputs = from.array();
    const unstride_call_options options = call_options();
    Gradients gradients;
    if (mask[0]) {
        const Described to = empty(input.sizes, format, input);
        const unstride_array inputs = to.array();
        cached->use_with(weight, nullptr, [&](const unstride_layer *layer) {
            check(unstride_layer_input_gradient(layer, &outputs, &inputs, UNSTRIDE_REPLACE, &options));
        });
        gradients[0] = to.tensor;
    }
    cached->use_without_parameters([&](const unstride_layer *layer) {
        if (mask[1]) {
            const Described seen = readable(input, format), to = empty(weight.sizes, format, input);
            const unstride_array inputs = seen.array(), weights = to.array();
            check(unstride_layer_weight_gradient(layer, &inputs, &outputs, &weights, UNSTRIDE_REPLACE, &options));
            gradients[1] = to.tensor;
        }
        if (mask[2]) {
            const Described to = empty({geometry.out_channels}, Format::contiguous, input);
            const unstride_array biases = to.array();
            check(unstride_layer_bias_gradient(layer, &outputs, &biases, UNSTRIDE_REPLACE, &options));
            gradients[2] = to.tensor;
        }
    });
    return gradients;
}

// What the mask leaves out is a tensor without elements, as an operator of its own cannot return None.
std::tuple<Tensor, Tensor, Tensor> conv_transpose_backward(const Tensor &grad_output, const Tensor &input,
                                                           const Tensor &weight, const List &stride,
                                                           const List &padding, const List &output_padding,
                                                           int64_t groups, const List &dilation,
                                                           const std::vector<bool> &mask) {
    const Described x(input);
    const Gradients gradients =
        backward(Described(grad_output), x, Described(weight),
                 window_of(spatial_of(weight), stride, padding, output_padding, groups, dilation), mask);
    const auto result = [&](const std::optional<Tensor> &gradient) {
        return gradient ? *gradient : empty({0}, Format::contiguous, x).tensor;
    };
    return {result(gradients[0]), result(gradients[1]), result(gradients[2])};
}

// PyTorch leaves aten::convolution_overrideable, whose derivative it has in C++, to backends, and has no kernel of its
// own for the CPU, where its convolutions never call it.
void refuse_unless_transposed(bool is_transposed) {
    if (!is_transposed) {
        refuse("aten::convolution_overrideable is computed on the CPU for transposed convolutions alone");
    }
}

Tensor convolution_overrideable(const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias,
                                const List &stride, const List &padding, const List &dilation, bool is_transposed,
                                const List &output_padding, int64_t groups) {
    refuse_unless_transposed(is_transposed);
    return conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation);
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward_overrideable(const Tensor &grad_output, const Tensor &input,
                                                                     const Tensor &weight, const List &stride,
                                                                     const List &padding, const List &dilation,
                                                                     bool is_transposed, const List &output_padding,
                                                                     int64_t groups, const std::vector<bool> &mask) {
    refuse_unless_transposed(is_transposed);
    const Gradients gradients =
        backward(Described(grad_output), Described(input), Described(weight),
                 window_of(spatial_of(weight), stride, padding, output_padding, groups, dilation), mask);
    const auto result = [](const std::optional<Tensor> &gradient) { return gradient ? *gradient : Tensor(); };
    return {result(gradients[0]), result(gradients[1]), result(gradients[2])};
}

STABLE_TORCH_LIBRARY(unstride, library) {
    library.def(
        "conv_transpose(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] output_padding, "
        "int groups, int[] dilation) -> Tensor");
    library.def("conv_transpose.coded(Tensor input, Tensor weight, Tensor? bias, int window) -> Tensor");
    library.def("conv_transpose.differentiable(Tensor input, Tensor weight, Tensor? bias, int window) -> Tensor");
    library.def("conv_transpose_backward(Tensor grad_output, Tensor input, Tensor weight, int[] stride, int[] padding, "
                "int[] output_padding, int groups, int[] dilation, bool[3] mask) -> (Tensor, Tensor, Tensor)");
    library.def("forget_layers() -> ()");
}

STABLE_TORCH_LIBRARY_IMPL(unstride, CPU, library) {
    library.impl("conv_transpose", TORCH_BOX(&conv_transpose));
    library.impl("conv_transpose.coded", TORCH_BOX(&conv_transpose_coded));
    library.impl("conv_transpose_backward", TORCH_BOX(&conv_transpose_backward));
}

STABLE_TORCH_LIBRARY_IMPL(aten, CPU, library) {
    library.impl("convolution_overrideable", TORCH_BOX(&convolution_overrideable));
    library.impl("convolution_backward_overrideable", TORCH_BOX(&convolution_backward_overrideable));
}

STABLE_TORCH_LIBRARY_IMPL(unstride, CompositeImplicitAutograd, library) {
    library.impl("conv_transpose.differentiable", TORCH_BOX(&differentiable));
}

STABLE_TORCH_LIBRARY_IMPL(unstride, CompositeExplicitAutograd, library) {
    library.impl("forget_layers", TORCH_BOX(&forget_layers));
}

}  // namespace
}  // namespace unstride::torch_ops
