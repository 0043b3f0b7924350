#include <nanobind/nanobind.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "calls.h"
#include "layer_cache.h"
#include "module.h"
#include "numbers.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace unstride::python {
namespace {

// The parameters of a layer that a call has besides its arrays, as Python's objects.
struct Parameters {
    nb::handle stride, padding, output_padding, groups, dilation;
};

// Checks that both arrays have the same type; `what` names the other one.
void check_type(const Argument &input, const Argument &other, const char *what) {
    if (input.dtype() != other.dtype()) {
        fail_type(std::string("Input type (") + name_of(input.dtype()) + ") and " + what + " type (" +
                  name_of(other.dtype()) + ") should be the same");
    }
}

int spatial_of(const Argument &weight) {
    const size_t rank = weight.sizes().size();
    if (rank < 3 || rank > 5) {
        fail_value(
            "weight should have 3, 4 or 5 dimensions, for 1, 2 or 3 dimensions of space, but got weight of size " +
            text_of(weight.sizes()));
    }
    return static_cast<int>(rank) - 2;
}

// Returns the parameters of a layer with these weights.
ConvTranspose3dOptions options_of(const Argument &weight, bool has_bias, const Parameters &p) {
    const int spatial = spatial_of(weight);
    const Shape &sizes = weight.sizes();
    ConvTranspose3dOptions o;
    o.bias = has_bias;
    o.groups = integer("groups", p.groups);
    if (o.groups <= 0) {
        fail_value("non-positive groups is not supported");
    }
    const std::string groups = "Given groups=" + std::to_string(o.groups) + ", expected weight to be ";
    if (sizes[0] < o.groups) {
        fail_value(groups + "at least " + std::to_string(o.groups) + " at dimension 0, but got weight of size " +
                   text_of(sizes) + " instead");
    }
    if (sizes[0] % o.groups != 0) {
        fail_value(groups + "divisible by " + std::to_string(o.groups) + " at dimension 0, but got weight of size [" +
                   text_of(sizes) + "] instead");
    }
    o.in_channels = sizes[0];
    if (__builtin_mul_overflow(sizes[1], o.groups, &o.out_channels)) {
        fail_value("out_channels do not fit in 64 bits");
    }
    std::array<int64_t, 3> kernel = {1, 1, 1};
    for (size_t d = 2; d < sizes.size(); d++) {
        kernel.at(d + 3 - sizes.size()) = sizes[d];
    }
    o.kernel_size = {kernel[0], kernel[1], kernel[2]};
    o.stride = triple("stride", p.stride, spatial, 1);
    o.padding = triple("padding", p.padding, spatial, 0);
    o.output_padding = triple("output_padding", p.output_padding, spatial, 0);
    o.dilation = triple("dilation", p.dilation, spatial, 1);
    return o;
}

// Returns whether a layer's parameters, which were set from `type`, are those of an array already, bit for bit.
bool are_same(const std::vector<float> &kept, const std::optional<DType> &type, const Argument &array) {
    if (type != DType::f32 || array.dtype() != DType::f32) {
        return false;
    }
    int64_t dense = size_of(DType::f32);
    for (size_t d = array.sizes().size(); d-- > 0; dense *= array.sizes()[d]) {
        if (array.sizes()[d] > 1 && array.byte_strides()[d] != dense) {
            return false;
        }
    }
    const auto bytes = static_cast<int64_t>(kept.size() * sizeof(float));
    return dense == bytes && std::memcmp(kept.data(), array.data(), kept.size() * sizeof(float)) == 0;
}

// Gives a layer its weights and bias, unless it has them: then they need not be packed again.
void take_weight(Layer &layer, const Argument &weight) {
    if (!computing(layer, [&] { return are_same(layer.layer.weight(), layer.weight_type, weight); })) {
        set_weight(layer, weight);
    }
}

void take_bias(Layer &layer, const Argument &bias) {
    if (bias.sizes() != layer.layer.bias_shape() || !are_same(layer.layer.bias(), layer.bias_type, bias)) {
        set_bias(layer, bias);
    }
}

nb::object conv_transpose(nb::handle input, nb::handle weight, nb::handle bias, nb::handle stride, nb::handle padding,
                          nb::handle output_padding, nb::handle groups, nb::handle dilation, nb::handle out) {
    const Argument in("input", input), weights("weight", weight);
    std::optional<Argument> added;
    check_type(in, weights, "weight");
    if (!bias.is_none()) {
        added.emplace("bias", bias);
        check_type(in, *added, "bias");
    }
    const ConvTranspose3dOptions options =
        options_of(weights, added.has_value(), {stride, padding, output_padding, groups, dilation});
    const CachedLayer layer(options, spatial_of(weights));
    if (!out.is_none()) {  // from whose sizes the layer would take any output padding
        const Shape shape = layer->layer.output_shape(in.sizes());
        const Argument to("out", out, Access::write);
        if (to.sizes() != shape) {
            fail_value("expected out of size " + text_of(shape) + ", but got " + text_of(to.sizes()));
        }
    }
    if (added) {
        take_bias(*layer, *added);
    }
    take_weight(*layer, weights);
    return forward(*layer, in, {}, nb::none(), out);
}

// Returns which of three gradients are wanted.
std::array<bool, 3> mask_of(nb::handle object) {
    const char *const needed = "mask must have three truth values, for the gradients of input, weight and bias";
    if (PySequence_Check(object.ptr()) == 0) {
        fail_type(needed);
    }
    if (nb::len(object) != 3) {
        fail_value(needed);
    }
    std::array<bool, 3> mask{};
    for (size_t i = 0; i < mask.size(); i++) {
        const nb::object value = object[i];
        const int truth = PyObject_IsTrue(value.ptr());
        if (truth < 0) {
            nb::raise_python_error();
        }
        mask.at(i) = truth != 0;
    }
    return mask;
}

nb::object conv_transpose_backward(nb::handle grad_output, nb::handle input, nb::handle weight, nb::handle stride,
                                   nb::handle padding, nb::handle output_padding, nb::handle groups,
                                   nb::handle dilation, nb::handle mask) {
    const std::array<bool, 3> wanted = mask_of(mask);
    const Argument gradient("grad_output", grad_output), in("input", input), weights("weight", weight);
    check_type(in, weights, "weight");
    check_type(in, gradient, "grad_output");
    const ConvTranspose3dOptions options =
        options_of(weights, false, {stride, padding, output_padding, groups, dilation});
    const CachedLayer layer(options, spatial_of(weights));
    const Shape shape = layer->layer.output_shape(in.sizes());
    if (gradient.sizes() != shape) {
        fail_value("expected grad_output of size " + text_of(shape) + ", but got " + text_of(gradient.sizes()));
    }
    std::array<nb::object, 3> gradients = {nb::none(), nb::none(), nb::none()};
    if (wanted[0]) {
        take_weight(*layer, weights);
        gradients[0] = input_gradient_like(*layer, gradient, in);
    }
    if (wanted[1]) {
        gradients[1] = weight_gradient(*layer, in, gradient, nb::none(), Update::replace);
    }
    if (wanted[2]) {
        gradients[2] = bias_gradient(*layer, gradient, nb::none(), Update::replace);
    }
    return nb::make_tuple(gradients[0], gradients[1], gradients[2]);
}

}  // namespace

void add_functions(nb::module_ &m) {
    m.def("conv_transpose", conv_transpose, "input"_a.none(), "weight"_a.none(), "bias"_a = nb::none(),
          "stride"_a.none() = 1, "padding"_a.none() = 0, "output_padding"_a.none() = 0, "groups"_a.none() = 1,
          "dilation"_a.none() = 1, "out"_a = nb::none(),
          nb::sig("def conv_transpose(input: Array, weight: object, bias: object | None = None, "
                  "stride: int | collections.abc.Sequence[int] = 1, padding: int | collections.abc.Sequence[int] = 0, "
                  "output_padding: int | collections.abc.Sequence[int] = 0, groups: int = 1, "
                  "dilation: int | collections.abc.Sequence[int] = 1, out: object | None = None) -> Array"),
          R"(Compute torch.nn.functional.conv_transpose1d, 2d or 3d, by the number of dimensions of `weight`.

    input    (N, in_channels, D, H, W) or (in_channels, D, H, W); without D in two dimensions, without D and H in one
    weight   (in_channels, out_channels / groups, kernel depth, kernel height, kernel width), likewise
    bias     (out_channels), or None
    output   (N, out_channels, D', H', W') or (out_channels, D', H', W'),
             D' = (D - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1

Arrays are NumPy's, with elements of float32, float64, float16 or, by ml_dtypes, bfloat16, or any others that have
__dlpack__ and are in the memory of the CPU. All have one type, but for an `out` of float32 with an input of float16 or
bfloat16. The other arguments are integers, or sequences with one for each dimension of space. The output is `out`, or
a new array of the input's kind, type and memory format. Arrays are used in place; ConvTranspose3d says when an input is
copied, and what `out` needs.

Each call looks at the weights, and packs them unless they are those of the last call with the same parameters, and are
float32 and C-contiguous: they are never stale. Where the weights stay the same, the layer objects ConvTranspose1d, 2d
and 3d do without this. Plans are kept for the parameters that were used last.

Raises ValueError for sizes, strides and parameters that do not fit, with PyTorch's message, TypeError for types that do
not, and MemoryError.)");
    m.def("conv_transpose_backward", conv_transpose_backward, "grad_output"_a.none(), "input"_a.none(),
          "weight"_a.none(), "stride"_a.none() = 1, "padding"_a.none() = 0, "output_padding"_a.none() = 0,
          "groups"_a.none() = 1, "dilation"_a.none() = 1, "mask"_a.none() = nb::make_tuple(true, true, true),
          nb::sig("def conv_transpose_backward(grad_output: Array, input: Array, weight: Array, "
                  "stride: int | collections.abc.Sequence[int] = 1, padding: int | collections.abc.Sequence[int] = 0, "
                  "output_padding: int | collections.abc.Sequence[int] = 0, groups: int = 1, "
                  "dilation: int | collections.abc.Sequence[int] = 1, "
                  "mask: tuple[bool, bool, bool] = (True, True, True)) "
                  "-> tuple[Array | None, Array | None, Array | None]"),
          R"(Return the gradients of a loss with respect to input, weight and bias.

`grad_output` is the gradient with respect to the output, and has its shape and the type of `input` and `weight`.
`mask` says which of the three gradients are wanted; those that are not are None, and cost nothing. Each is a new array
of the kind and type of `grad_output` (of input and bias) or `input` (of weight), that of the input in the memory format
of `input`. Arguments and errors are otherwise those of conv_transpose().)");
}

}  // namespace unstride::python
