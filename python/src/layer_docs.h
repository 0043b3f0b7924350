#ifndef UNSTRIDE_PYTHON_LAYER_DOCS_H
#define UNSTRIDE_PYTHON_LAYER_DOCS_H

// The docstrings of layers, and the signatures that they and the stubs have.
namespace unstride::python::docs {

constexpr const char *base =
    R"(A transposed convolution with weights of its own. ConvTranspose1d, 2d and 3d are its classes.

Weights are packed once, in the order that the kernels read, so that a layer is faster than conv_transpose(). Several
threads may call a layer at once.)";

constexpr const char *layer_1d =
    R"(A layer with the parameters and the semantics of torch.nn.ConvTranspose1d.

Parameters are integers, or sequences with one for each dimension of space. `padding_end` is what is cut off at the end
of each dimension, where that is not `padding`; both may then be below 0, which adds outputs. The first weights are
those that PyTorch makes after torch.manual_seed(0).

    input    (N, in_channels, L) or (in_channels, L)
    weight   (in_channels, out_channels / groups, kernel_size)
    bias     (out_channels)
    output   (N, out_channels, L') or (out_channels, L'),
             L' = (L - 1) * stride - padding - padding_end + dilation * (kernel_size - 1) + output_padding + 1

Raises ValueError for parameters that cannot be, with PyTorch's message, TypeError for those of another type, and
MemoryError where the weights do not fit in memory.)";

constexpr const char *layer_2d =
    R"(A layer with the parameters and the semantics of torch.nn.ConvTranspose2d: see ConvTranspose1d.

    input    (N, in_channels, H, W) or (in_channels, H, W)
    weight   (in_channels, out_channels / groups, kernel height, kernel width)
    bias     (out_channels)
    output   (N, out_channels, H', W') or (out_channels, H', W'))";

constexpr const char *layer_3d =
    R"(A layer with the parameters and the semantics of torch.nn.ConvTranspose3d: see ConvTranspose1d.

    input    (N, in_channels, D, H, W) or (in_channels, D, H, W)
    weight   (in_channels, out_channels / groups, kernel depth, kernel height, kernel width)
    bias     (out_channels)
    output   (N, out_channels, D', H', W') or (out_channels, D', H', W'))";

constexpr const char *init_signature =
    "def __init__(self, in_channels: int, out_channels: int, kernel_size: int | collections.abc.Sequence[int], "
    "stride: int | collections.abc.Sequence[int] = 1, padding: int | collections.abc.Sequence[int] = 0, "
    "output_padding: int | collections.abc.Sequence[int] = 0, groups: int = 1, bias: bool = True, "
    "dilation: int | collections.abc.Sequence[int] = 1, padding_mode: str = 'zeros', *, "
    "padding_end: int | collections.abc.Sequence[int] | None = None) -> None";

constexpr const char *getstate_signature = "def __getstate__(self) -> tuple[object, ...]";
constexpr const char *setstate_signature = "def __setstate__(self, state: tuple[object, ...], /) -> None";

constexpr const char *call_signature =
    "def __call__(self, input: Array, output_size: collections.abc.Sequence[int] | None = None, *, "
    "residual: object | None = None, out: object | None = None) -> Array";
constexpr const char *call = R"(Compute activation(convolution + bias + residual).

`output_size` is PyTorch's argument: the spatial sizes of the output, or all of them, in place of output_padding. The
residual has the output's sizes and type. `out` is where the output goes, and is what is returned; without output_size,
its sizes choose the output padding. It has the input's type, or float32 for an input of float16 or bfloat16.

A new output is an array of the input's kind, type and memory format. Arrays with dense columns or dense channels are
used in place, and such as have other strides, or another memory format than the others, are copied in blocks. `out` may
overlap neither input nor residual, but for a residual that is `out` itself.

Raises ValueError for sizes and strides that do not fit, with PyTorch's message, TypeError for types that do not, and
MemoryError.)";

constexpr const char *weight =
    R"(The weights, (in_channels, out_channels / groups, kernel sizes...), as a new array that is read-only: float64 if
they were set from float64, else float32. Assign an array of any supported type and any strides to set them.)";

constexpr const char *bias =
    R"(The bias, (out_channels), as a new array that is read-only, or None if the layer has none. Assign to set it.)";

constexpr const char *reset_parameters =
    R"(Set weight and bias to what PyTorch makes after torch.manual_seed(seed), bit for bit.)";

constexpr const char *set_activation_signature =
    "def set_activation(self, kind: str, *, slopes: collections.abc.Sequence[float] | None = None, alpha: float = 1.0, "
    "low: float = float('-inf'), high: float = float('inf')) -> None";
constexpr const char *set_activation =
    R"(Set the activation that calls apply to each output before it is stored.

`kind` is none, relu, leaky_relu (one slope, 0.01 if none is given), prelu (one slope for each channel, or one for all),
elu (alpha), silu, gelu, gelu_tanh, tanh, sigmoid or clamp (low, high), each as PyTorch's module. Raises ValueError for
another kind, and for parameters that it cannot have.)";

constexpr const char *output_shape_signature =
    "def output_shape(self, input_shape: collections.abc.Sequence[int], "
    "output_size: collections.abc.Sequence[int] | None = None) -> tuple[int, ...]";
constexpr const char *output_shape =
    R"(Return the shape of the output for an input of this shape. Raises ValueError, with PyTorch's message, for an
input that the layer cannot take, and for an output size that it cannot make.)";

constexpr const char *halo_signature =
    "def halo(self, input_shape: collections.abc.Sequence[int], outputs: collections.abc.Sequence[slice], "
    "output_size: collections.abc.Sequence[int] | None = None) -> tuple[slice, ...]";
constexpr const char *halo = R"(Return which part of an input of this shape a block of its outputs depends on.

`outputs` and the result are slices, one for each dimension of space: input[(..., *layer.halo(input.shape, outputs))] is
the part. It has at least one element in each dimension. The input may be larger than that of a call can be. Raises
ValueError for shapes that a call would refuse, and for a block that is empty or not in the output, and TypeError for
what are no slices.)";

constexpr const char *forward_block_signature =
    "def forward_block(self, input: Array, outputs: collections.abc.Sequence[slice], "
    "input_shape: collections.abc.Sequence[int], output_size: collections.abc.Sequence[int] | None = None, *, "
    "residual: object | None = None, out: object | None = None) -> Array";
constexpr const char *forward_block =
    R"(Compute a block of the outputs of a whole input from the part of it that halo() tells.

    input        (N, in_channels, sizes of the part...) or without N
    outputs      slices, one for each dimension of space
    input_shape  the shape of the whole input, whose batch does not matter
    residual     the block's part of a residual, of the output's sizes
    output       (N, out_channels, sizes of the block...) or without N

The output has the bits that a call on the whole input would give it, unless the whole has numbers of 2^50 in magnitude
and above. Arrays, `residual`, `out`, `output_size` and errors are otherwise as in a call.)";

constexpr const char *input_gradient_signature =
    "def input_gradient(self, grad_output: Array, input_shape: collections.abc.Sequence[int] | None = None, *, "
    "out: object | None = None, accumulate: bool = False) -> Array";
constexpr const char *input_gradient = R"(Return the gradient of a loss with respect to the input.

`grad_output` is the gradient with respect to convolution + bias, and has the output's shape. If neither `input_shape`
nor `out` is given, the input is the one from which the layer's own output padding, or another one below the stride,
leads to grad_output. With `accumulate`, the gradient is added to what is in `out`. Arrays and errors are as in a
call.)";

constexpr const char *weight_gradient_signature =
    "def weight_gradient(self, input: Array, grad_output: object, *, out: object | None = None, "
    "accumulate: bool = False) -> Array";
constexpr const char *weight_gradient = R"(Return the gradient of a loss with respect to the weights, in their shape.

`input` and `grad_output` have one type. Where their memory formats differ, `grad_output` is copied. `out` may have any
strides, and has their type, or float32 where that is float16 or bfloat16. Otherwise as input_gradient().)";

constexpr const char *bias_gradient_signature =
    "def bias_gradient(self, grad_output: Array, *, out: object | None = None, accumulate: bool = False) -> Array";
constexpr const char *bias_gradient =
    R"(Return the gradient of a loss with respect to the bias, (out_channels). The layer need not have a bias. Otherwise
as weight_gradient().)";

constexpr const char *plan_signature =
    "def plan(self, input_shape: collections.abc.Sequence[int], layout: str = 'ncdhw', "
    "output_size: collections.abc.Sequence[int] | None = None, dtype: str = 'f32', operator: str = 'forward') -> Plan";
constexpr const char *plan =
    R"(Return which variant a call would run for an input of this shape, and why.

`layout` is ncdhw (dense columns) or ndhwc (dense channels), whatever the number of dimensions; `dtype` is f32, f64,
f16, bf16, f16-f32 or bf16-f32; `operator` is forward, input_gradient, weight_gradient or bias_gradient.)";

constexpr const char *tune =
    R"(Measure which variant is fastest for inputs of this shape, type and memory format, and return its plan.

Computes the output up to 90 times, and puts what was found into the wisdom of the process, which wisdom_text() has.
Results stay the same, bit for bit. Leave the machine alone meanwhile.)";

constexpr const char *set_variant =
    R"(Have calls run the variant of this name, one of variants(), in tasks of at most `rows_per_task` output rows.

0 rows leave the split to the planner, and an empty name leaves it the whole choice. Raises ValueError for a variant
that is not there, or that this machine or layer cannot run. No other variant runs while one is forced: calls raise
ValueError where it cannot.)";

constexpr const char *planning =
    R"(How the fastest variants are found: 'estimate', 'measure' (the first calls each try one), or 'remember' (as
measure, and what was found goes into the wisdom of the process). A new layer has what UNSTRIDE_PLANNING says, or
estimates.)";

constexpr const char *device =
    R"(Where the layer computes: 'cpu', 'cuda' or 'opencl'. Arrays are in the memory of the CPU for all of them, and are
copied there and back. Raises RuntimeError, which says why, for a GPU that cannot be used.)";

}  // namespace unstride::python::docs

#endif
