// The operators unstride::conv_transpose and unstride::conv_transpose_backward for PyTorch's dispatcher, with kernels
// for the CPU. They are compiled on libtorch's stable ABI and the C API: one binary for all PyTorch from 2.10 on, and
// for all Pythons. unstride/torch/_operators.py adds all else that an operator needs.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <atomic>
#include <tuple>

#include "layer_cache.h"

namespace unstride::torch_ops {
namespace {

// The lists of a call: stride, padding, output_padding and dilation.
struct Lists {
    const Sizes &stride, &padding, &output_padding, &dilation;
    int64_t groups;
};

std::array<int64_t, 3> numbers(const char *name, const Sizes &list, size_t count, int64_t least) {
    if (list.size() != count) {
        refuse(std::string(name) + " must have " + std::to_string(count) + " numbers, but has " +
               std::to_string(list.size()));
    }
    std::array<int64_t, 3> result{};
    std::copy(list.begin(), list.end(), result.begin());
    if (std::any_of(list.begin(), list.end(), [&](int64_t number) { return number < least; })) {
        refuse(std::string(name) + " must be at least " + std::to_string(least));
    }
    return result;
}

Geometry geometry_of(const Described &input, const Described &weight, bool has_bias, const Lists &lists) {
    const size_t rank = weight.sizes.size();
    if (rank < 3 || rank > 5 || input.sizes.size() != rank) {
        refuse("input and weight must have 3, 4 or 5 dimensions, and as many as each other");
    }
    if (input.dtype != weight.dtype) {
        refuse("input and weight must be of the same type");
    }
    if (lists.groups < 1 || lists.groups > std::max<int64_t>(weight.sizes[0], 1)) {
        refuse("groups must be from 1 to the number of input channels");
    }
    const size_t spatial = rank - 2;
    Geometry g{};
    g.spatial = static_cast<int32_t>(spatial);
    g.has_bias = has_bias;
    g.dtype = weight.dtype;
    g.in_channels = weight.sizes[0];
    g.out_channels = weight.sizes[1] * lists.groups;
    g.groups = lists.groups;
    std::copy(weight.sizes.begin() + 2, weight.sizes.end(), g.kernel_size.begin());
    g.stride = numbers("stride", lists.stride, spatial, 1);
    g.padding = numbers("padding", lists.padding, spatial, 0);
    g.output_padding = numbers("output_padding", lists.output_padding, spatial, 0);
    g.dilation = numbers("dilation", lists.dilation, spatial, 1);
    return g;
}

Sizes output_sizes(const unstride_layer *layer, const Described &input) {
    const auto rank = static_cast<int32_t>(input.sizes.size());
    Sizes sizes(input.sizes.size());
    check(unstride_layer_output_shape(layer, input.sizes.data(), rank, nullptr, 0, sizes.data()));
    return sizes;
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

Tensor conv_transpose(const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias, const Sizes &stride,
                      const Sizes &padding, const Sizes &output_padding, int64_t groups, const Sizes &dilation) {
    const Described x(input), w(weight);
    const bool has_bias = bias && bias->defined();
    const Geometry geometry = geometry_of(x, w, has_bias, {stride, padding, output_padding, dilation, groups});
    std::optional<Described> b;
    if (has_bias) {
        b.emplace(*bias);
        if (b->dtype != x.dtype || b->sizes != Sizes{geometry.out_channels}) {
            refuse("bias must have a number for each output channel, of the input's type");
        }
    }
    const Format format = format_of(x, w);
    std::optional<Tensor> output;
    cached_layer(geometry, weight.const_data_ptr())->use_with(w, b ? &*b : nullptr, [&](const unstride_layer *layer) {
        output = empty(output_sizes(layer, x), format, input);
        const Described from = readable(x, format), to(*output);
        const unstride_array in = from.array(), out = to.array();
        const unstride_call_options options = call_options();
        check(unstride_layer_forward(layer, &in, &out, nullptr, &options));
    });
    return *output;
}

// What the mask leaves out is a tensor without elements, as an operator cannot return None.
std::tuple<Tensor, Tensor, Tensor> conv_transpose_backward(const Tensor &grad_output, const Tensor &input,
                                                           const Tensor &weight, const Sizes &stride,
                                                           const Sizes &padding, const Sizes &output_padding,
                                                           int64_t groups, const Sizes &dilation,
                                                           const std::vector<bool> &mask) {
    const Described gy(grad_output), x(input), w(weight);
    const Geometry geometry = geometry_of(x, w, false, {stride, padding, output_padding, dilation, groups});
    if (mask.size() != 3) {
        refuse("mask must have 3 elements");
    }
    if (gy.sizes.size() != x.sizes.size() || gy.dtype != x.dtype) {
        refuse("grad_output must have as many dimensions as the input, and its type");
    }
    const Format format = format_of(x, w);
    const auto result = [&](bool is_wanted, const Sizes &sizes, Format its_format) {
        return is_wanted ? empty(sizes, its_format, input) : empty({0}, Format::contiguous, input);
    };
    std::tuple results{result(mask[0], x.sizes, format), result(mask[1], w.sizes, format),
                       result(mask[2], {geometry.out_channels}, Format::contiguous)};
    const auto &[grad_input, grad_weight, grad_bias] = results;
    const Described from = readable(gy, format);
    const unstride_array outputs = from.array();
    const unstride_call_options options = call_options();
    const auto check_sizes = [&](const unstride_layer *layer) {
        if (output_sizes(layer, x) != gy.sizes) {
            refuse("grad_output does not have the sizes of the output");
        }
    };
    const std::shared_ptr<CachedLayer> cached = cached_layer(geometry, weight.const_data_ptr());
    if (mask[0]) {
        const Described to(grad_input);
        cached->use_with(w, nullptr, [&](const unstride_layer *layer) {
            check_sizes(layer);
            const unstride_array inputs = to.array();
            check(unstride_layer_input_gradient(layer, &outputs, &inputs, UNSTRIDE_REPLACE, &options));
        });
    }
    cached->use_without_parameters([&](const unstride_layer *layer) {
        check_sizes(layer);
        if (mask[1]) {
            const Described seen = readable(x, format), to(grad_weight);
            const unstride_array inputs = seen.array(), weights = to.array();
            check(unstride_layer_weight_gradient(layer, &inputs, &outputs, &weights, UNSTRIDE_REPLACE, &options));
        }
        if (mask[2]) {
            const Described to(grad_bias);
            const unstride_array biases = to.array();
            check(unstride_layer_bias_gradient(layer, &outputs, &biases, UNSTRIDE_REPLACE, &options));
        }
    });
    return results;
}

STABLE_TORCH_LIBRARY(unstride, library) {
    library.def(
        "conv_transpose(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] output_padding, "
        "int groups, int[] dilation) -> Tensor");
    library.def("conv_transpose_backward(Tensor grad_output, Tensor input, Tensor weight, int[] stride, int[] padding, "
                "int[] output_padding, int groups, int[] dilation, bool[3] mask) -> (Tensor, Tensor, Tensor)");
    library.def("forget_layers() -> ()");
}

STABLE_TORCH_LIBRARY_IMPL(unstride, CPU, library) {
    library.impl("conv_transpose", TORCH_BOX(&conv_transpose));
    library.impl("conv_transpose_backward", TORCH_BOX(&conv_transpose_backward));
}

STABLE_TORCH_LIBRARY_IMPL(unstride, CompositeExplicitAutograd, library) {
    library.impl("forget_layers", TORCH_BOX(&forget_layers));
}

}  // namespace
}  // namespace unstride::torch_ops
