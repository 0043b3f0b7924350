"""The geometries for make_golden.py, each with the test it is taken from or the reason why it is here.

A case: channels (in, out), shape of the input, parameters of the layer where they differ from torch's defaults, and
functions of a shape for an input or weight that is not random. The kernel tells the number of dimensions: one number is
a kernel of three.
"""

import numpy as np


def arange(shape):
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def ones(shape):
    return np.ones(shape)


def small_integers(shape):
    """1 to 9 in no order, as in ONNX's test of dilations."""
    return arange(shape) * 7 % 9 + 1


def case(name, channels, kernel, shape, **rest):
    return {"name": name, "channels": channels, "kernel": kernel, "shape": shape, **rest}


# torch/testing/_internal/common_methods_invocations.py, sample_inputs_conv_transpose3d. torch runs each a second time
# without the batch; so does the C++ test with every case.
OPINFO = [
    case("opinfo_padding_2", (3, 3), 3, (1, 3, 4, 4, 4), stride=2, padding=2, output_padding=1),
    # output_padding 3 is not below the stride 2, but below the dilation.
    case(
        "opinfo_dilated_groups",
        (2, 4),
        (4, 5, 6),
        (2, 2, 4, 4, 4),
        stride=(3, 2, 1),
        padding=(1, 2, 3),
        output_padding=(2, 3, 1),
        groups=2,
        dilation=4,
    ),
    case(
        "opinfo_dilation_2_3_2",
        (1, 1),
        (4, 3, 1),
        (1, 1, 4, 5, 2),
        stride=2,
        padding=1,
        output_padding=1,
        dilation=(2, 3, 2),
    ),
    case("opinfo_kernel_3_4_5", (1, 2), (3, 4, 5), (1, 1, 4, 3, 4), stride=2, padding=1, output_padding=1, bias=False),
    case("opinfo_defaults", (4, 8), 3, (1, 4, 5, 5, 5), bias=False),
]

# torch/testing/_internal/common_modules.py, module_inputs_torch_nn_ConvNd, and common_nn.py.
MODULES = [
    case("module_info", (4, 5), 3, (2, 4, 3, 4, 5)),
    case("module_info_no_batch_dim", (4, 5), 3, (4, 3, 4, 5)),
    case("common_nn", (2, 3), (2, 3, 2), (1, 2, 4, 5, 4)),
    case("common_nn_dilated", (2, 3), (2, 3, 2), (1, 2, 4, 5, 4), dilation=2),
    # test/cpp/api/modules.cpp, ModulesTest.ConvTranspose3d
    case("cpp_api", (2, 2), 2, (1, 2, 2, 2, 2), bias=False, input=arange, weight=arange),
]

# test/nn/test_convolution.py. Not here: test_conv_noncontig_weights, for a layer copies its weights from dense memory.
# 2-D tests are carried over to 3-D.
CONVOLUTION_TESTS = [
    # test_thnn_conv_strided_padded_dilated
    *[
        case(
            f"strided_padded_dilated_{s}{p}{d}", (2, 2), 1, (1, 2, 4, 4, 4), stride=s, padding=p, dilation=d, bias=False
        )
        for s, p, d in ((2, 0, 1), (1, 1, 1), (2, 1, 1), (1, 0, 2))
    ],
    # test_ConvTranspose3d_size_1_kernel
    case("size_1_kernel", (3, 3), 1, (2, 3, 3, 5, 5)),
    # test_ConvTranspose3d_correct_output_size
    case("correct_output_size", (2, 2), 2, (1, 2, 1, 1, 1), output_size=[2, 2, 2]),
    # test_ConvTranspose2d_output_size, there on 6x6: each valid size in each dimension
    *[
        case(
            "output_size_{}_{}_{}".format(*size),
            (3, 2),
            3,
            (2, 3, 2, 2, 2),
            stride=3,
            output_padding=2,
            output_size=size,
        )
        for size in ([6, 7, 8], [7, 8, 6], [8, 6, 7])
    ],
    # test_conv_transpose_with_output_size_and_no_batch_dim, there with kernel and stride 16, padding 7
    case(
        "output_size_no_batch_dim", (1, 1), 6, (1, 3, 3, 2), stride=6, padding=2, bias=False, output_size=[18, 16, 10]
    ),
    # test_convTranspose_empty, test_group_convTranspose_empty
    case("empty_batch", (4, 4), 3, (0, 4, 4, 4, 4), stride=2, padding=1),
    case("empty_batch_groups", (4, 4), 3, (0, 4, 4, 4, 4), stride=2, padding=1, groups=4),
    # test/test_mkldnn.py, _test_conv_transpose_base, there on 14x14x14
    *[
        case(
            f"mkldnn_dilation_{d}_groups_{g}",
            (2 * g, 2 * g),
            3,
            (2, 2 * g, 4, 3, 5),
            padding=1,
            dilation=d,
            groups=g,
            bias=d == 1,
        )
        for d in (1, 2)
        for g in (1, 4)
    ],
]

# onnx/backend/test/case/node/convtranspose.py, with a depth in front of its 2-D arrays. Not here: autopad_same, whose
# SAME_UPPER pads one element behind and none before; the symmetric padding of ConvTranspose3d cannot say that.
ONNX_STRIDED = {
    "channels": (1, 2),
    "kernel": 3,
    "shape": (1, 1, 3, 3, 3),
    "stride": (2, 3, 2),
    "bias": False,
    "input": arange,
    "weight": ones,
}
ONNX = [
    case("onnx", (1, 2), 3, (1, 1, 3, 3, 3), bias=False, input=arange, weight=ones),
    case("onnx_1d", (1, 2), (1, 1, 3), (1, 1, 1, 1, 3), bias=False, input=arange, weight=ones),
    case("onnx_3d", (1, 2), 3, (1, 1, 3, 4, 5), bias=False, input=arange, weight=ones),
    {"name": "onnx_output_shape", **ONNX_STRIDED, "output_size": [8, 10, 8]},
    {"name": "onnx_pad", **ONNX_STRIDED, "output_padding": 1},
    {"name": "onnx_kernel_shape", **ONNX_STRIDED, "output_padding": 1, "output_size": [8, 10, 8]},
    {"name": "onnx_pads", **ONNX_STRIDED, "padding": (0, 1, 2)},
    case(
        "onnx_dilations",
        (1, 1),
        2,
        (1, 1, 3, 3, 3),
        dilation=2,
        bias=False,
        input=small_integers,
        weight=small_integers,
    ),
    case("onnx_group_2", (2, 2), 3, (1, 2, 3, 3, 3), groups=2, bias=False, input=arange, weight=ones),
    case("onnx_group_2_image_3", (2, 2), 3, (3, 2, 3, 3, 3), groups=2, bias=False, input=arange, weight=ones),
]

# Layers of real networks, and what is hard about the operator.
SHAPES = [
    # the two examples of the documentation, with fewer input channels and a smaller volume
    case("documentation_cubic", (3, 33), 3, (1, 3, 2, 2, 2), stride=2),
    case("documentation_general", (3, 33), (3, 5, 2), (1, 3, 3, 7, 6), stride=(2, 1, 1), padding=(0, 4, 2)),
    case("kernel_is_stride_2", (5, 17), 2, (1, 5, 2, 2, 5), stride=2),
    case("kernel_is_stride_1_2_2", (4, 3), (1, 2, 2), (2, 4, 3, 3, 4), stride=(1, 2, 2)),
    case("kernel_is_stride_4", (3, 2), 4, (1, 3, 2, 2, 3), stride=4, bias=False),
    case("same_size_k3_s2_p1_op1", (6, 5), 3, (1, 6, 3, 4, 5), stride=2, padding=1, output_padding=1),
    case("same_size_k4_s2_p1", (4, 3), 4, (2, 4, 3, 3, 4), stride=2, padding=1),
    case("one_output_channel", (9, 1), 3, (1, 9, 4, 4, 6), stride=2, padding=1, output_padding=1, bias=False),
    # a sum over many channels and few positions, as in the first layer of a generative network
    case("extents_of_1", (40, 6), 3, (2, 40, 1, 1, 1)),
    case("flat_input", (2, 3), (1, 3, 3), (1, 2, 1, 5, 4), stride=(1, 2, 2), padding=(0, 1, 1)),
    # the padding cuts away all that some input elements touch
    case("padding_of_kernel_less_1", (3, 4), 4, (1, 3, 5, 6, 7), stride=2, padding=3),
    case("padding_of_kernel", (2, 3), 3, (1, 2, 6, 6, 6), stride=1, padding=3),
    # rows longer than a vector, for each stride a phase may have
    *[
        case(f"long_rows_stride_{s}", (2, 3), (2, 1, 3), (1, 2, 2, 2, 37), stride=(1, 1, s), padding=(0, 0, 1))
        for s in (1, 2, 3, 4)
    ],
    case("long_kernel", (2, 2), (1, 1, 17), (1, 2, 2, 2, 9), stride=(1, 1, 8), padding=(0, 0, 4)),
    # kernel smaller than stride: outputs that no tap reaches get the bias, or zero
    case("kernel_1_stride_2", (4, 3), 1, (2, 4, 3, 2, 4), stride=2),
    case("kernel_1_stride_2_padding_1", (3, 4), 1, (1, 3, 4, 4, 5), stride=2, padding=1, output_padding=1),
    case("kernel_1_2_1_stride_3_4_2", (3, 2), (1, 2, 1), (1, 3, 3, 3, 5), stride=(3, 4, 2), output_padding=(2, 1, 1)),
    case("kernel_below_stride_no_bias", (2, 2), (2, 1, 2), (1, 2, 2, 3, 3), stride=3, output_padding=2, bias=False),
    # groups
    case("groups_2", (6, 10), 3, (1, 6, 3, 3, 4), stride=2, padding=1, output_padding=1, groups=2),
    case("groups_of_17_outputs", (4, 34), 2, (1, 4, 1, 2, 3), stride=2, groups=2, bias=False),
    case("groups_are_outputs", (6, 3), 4, (1, 6, 3, 3, 3), stride=2, padding=1, groups=3),
    case("depthwise_k3", (6, 6), 3, (1, 6, 3, 4, 5), stride=2, padding=1, groups=6),
    case("depthwise_k5", (3, 3), 5, (2, 3, 3, 3, 4), stride=2, padding=2, groups=3),
    case("depthwise_multiplier_2", (5, 10), 3, (1, 5, 3, 3, 4), stride=(1, 2, 2), padding=1, groups=5, bias=False),
    # stride and dilation with common divisors: outputs between their multiples have no taps
    case("stride_4_dilation_2", (2, 3), 3, (1, 2, 2, 3, 3), stride=4, dilation=2, padding=1),
    case("stride_2_dilation_4", (2, 3), 3, (1, 2, 3, 4, 3), stride=2, dilation=4, padding=2),
    case(
        "stride_6_4_3_dilation_4_6_3",
        (2, 2),
        (3, 2, 3),
        (1, 2, 3, 2, 3),
        stride=(6, 4, 3),
        dilation=(4, 6, 3),
        padding=(1, 2, 0),
    ),
    case("stride_is_dilation_3", (2, 2), 3, (1, 2, 2, 3, 2), stride=3, dilation=3, output_padding=1, bias=False),
    case("stride_3_dilation_2", (3, 2), (2, 3, 4), (1, 3, 3, 3, 4), stride=3, dilation=2, padding=(0, 1, 2)),
    case("stride_5_dilation_3_groups", (4, 4), 3, (1, 4, 2, 2, 3), stride=5, dilation=3, padding=2, groups=2),
    # output padding not below the stride, but below the dilation
    case("output_padding_beyond_stride_1", (2, 3), 2, (1, 2, 3, 4, 5), dilation=3, output_padding=2),
    case(
        "output_padding_beyond_stride_2",
        (3, 2),
        (2, 3, 2),
        (1, 3, 2, 3, 3),
        stride=2,
        dilation=(4, 3, 4),
        output_padding=(3, 2, 2),
        padding=(1, 0, 3),
    ),
]


def some_of(huge):
    """Small numbers, of which one in twenty is that one: by weights from 1.5 on it overflows."""
    return lambda random, shape: np.where(random.random_sample(shape) < 0.05, huge, 10 * random.random_sample(shape))


def specials(random, shape):
    """NaN and infinities among normal numbers."""
    values = random.standard_normal(shape)
    values.flat[[7, 25, 60, 61]] = np.inf, -np.inf, np.nan, np.inf
    return values


def positive(random, shape):
    return 1.5 * random.random_sample(shape) + 1.5


def normal(random, shape):
    return random.standard_normal(shape)


# What torch computes in 16 bits; the numbers are rounded to the type first.
TYPED = [
    {
        **case(
            f"{dtype}_{name}",
            channels,
            3,
            (1, 4, 3, 4, 5),
            stride=2,
            padding=1,
            output_padding=1,
            groups=groups,
            input=values,
            weight=weight,
        ),
        "dtype": dtype,
    }
    for dtype, huge in (("f16", 6e4), ("bf16", 3e38))
    for name, channels, groups, values, weight in (
        ("plain", (4, 6), 1, normal, normal),
        ("groups", (4, 6), 2, normal, normal),
        ("depthwise", (4, 4), 4, normal, normal),
        ("overflow", (4, 6), 1, some_of(huge), positive),
        ("specials", (4, 6), 1, specials, positive),
    )
]

CASES = OPINFO + MODULES + CONVOLUTION_TESTS + ONNX + SHAPES

# The same sources for ConvTranspose1d, ConvTranspose2d and, for what is not in them, a few more.
LINES = [
    # sample_inputs_conv_transpose1d
    case("opinfo_1d_padding_2", (3, 3), (3,), (1, 3, 4), stride=2, padding=2, output_padding=1),
    case(
        "opinfo_1d_dilated_groups", (2, 4), (4,), (2, 2, 4), stride=3, padding=1, output_padding=2, groups=2, dilation=4
    ),
    case("opinfo_1d_dilation_2", (1, 1), (4,), (1, 1, 4), stride=2, padding=1, output_padding=1, dilation=2),
    case("opinfo_1d_no_bias", (1, 2), (3,), (1, 1, 4), stride=2, padding=1, output_padding=1, bias=False),
    case("opinfo_1d_defaults", (4, 8), (3,), (1, 4, 5), bias=False),
    # common_modules.py and common_nn.py
    case("module_info_1d", (4, 5), (3,), (2, 4, 3)),
    case("module_info_1d_no_batch_dim", (4, 5), (3,), (4, 3)),
    case("common_nn_1d", (3, 4), (3,), (1, 3, 7), stride=3, padding=1, output_padding=1),
    case("common_nn_1d_no_bias", (3, 4), (3,), (1, 3, 6), stride=2, padding=1, output_padding=1, bias=False),
    case("common_nn_1d_dilated", (3, 4), (3,), (1, 3, 6), stride=2, padding=1, output_padding=1, dilation=2),
    case("common_nn_1d_groups", (4, 6), (3,), (2, 4, 7), stride=3, padding=1, output_padding=1, groups=2),
    # convtranspose.py of ONNX
    case("onnx_1d_of_1d", (1, 2), (3,), (1, 1, 3), bias=False, input=arange, weight=ones),
    # rows long enough to be computed as several (runtime/src/plan/fold.h): those of vocoders, and a depthwise one
    case("vocoder_k16_s8_p4", (2, 2), (16,), (1, 2, 200), stride=8, padding=4),
    case("vocoder_k4_s2_p1_groups", (4, 2), (4,), (1, 4, 200), stride=2, padding=1, groups=2, bias=False),
    case("vocoder_k11_s5_p3_op1", (2, 1), (11,), (2, 200), stride=5, padding=3, output_padding=1),
    case("depthwise_1d", (2, 2), (4,), (1, 2, 200), stride=2, padding=1, groups=2),
    case("kernel_1_stride_3_1d", (3, 2), (1,), (2, 3, 9), stride=3),
    case("output_padding_beyond_stride_1d", (2, 3), (2,), (1, 2, 8), stride=2, dilation=5, output_padding=4),
    case("output_size_1d", (3, 2), (3,), (2, 3, 6), stride=3, output_padding=2, output_size=[19]),
    case("output_size_1d_no_batch_dim", (1, 1), (16,), (1, 15), stride=16, padding=7, bias=False, output_size=[240]),
    case("empty_batch_1d", (4, 4), (3,), (0, 4, 4), stride=2, padding=1),
]

PLANES = [
    # sample_inputs_conv_transpose2d
    case("opinfo_2d_padding_2", (3, 3), (3, 3), (1, 3, 4, 4), stride=2, padding=2, output_padding=1),
    case(
        "opinfo_2d_dilated_groups",
        (2, 4),
        (4, 5),
        (2, 2, 4, 4),
        stride=(3, 2),
        padding=(1, 2),
        output_padding=(2, 3),
        groups=2,
        dilation=4,
    ),
    case(
        "opinfo_2d_dilation_2_3", (1, 1), (4, 3), (1, 1, 4, 5), stride=2, padding=1, output_padding=1, dilation=(2, 3)
    ),
    case("opinfo_2d_kernel_3_4", (1, 2), (3, 4), (1, 1, 4, 3), stride=2, padding=1, output_padding=1, bias=False),
    case("opinfo_2d_depthwise", (4, 4), (3, 3), (2, 4, 4, 4), groups=4, bias=False),
    case("opinfo_2d_defaults", (2, 4), (3, 3), (1, 2, 5, 5), bias=False),
    # common_modules.py and common_nn.py
    case("module_info_2d", (4, 5), (3, 3), (2, 4, 3, 4)),
    case("module_info_2d_no_batch_dim", (4, 5), (3, 3), (4, 3, 4)),
    case("common_nn_2d", (3, 4), (3, 3), (1, 3, 7, 6), stride=(3, 2), padding=1, output_padding=1),
    case(
        "common_nn_2d_dilated",
        (3, 4),
        (3, 3),
        (1, 3, 6, 7),
        stride=(2, 3),
        padding=1,
        output_padding=1,
        bias=False,
        dilation=2,
    ),
    case("common_nn_2d_groups", (2, 4), (2, 3), (1, 2, 4, 5), groups=2),
    # test_ConvTranspose2d_output_size, test_convTranspose_empty, test_group_convTranspose_empty of test_convolution.py
    case("output_size_2d", (3, 2), (3, 3), (1, 3, 6, 6), stride=3, output_padding=2, output_size=[18, 20]),
    case("empty_batch_2d", (4, 4), (3, 3), (0, 4, 4, 4), stride=2, padding=1),
    case("empty_batch_2d_groups", (4, 4), (3, 3), (0, 4, 4, 4), stride=2, padding=1, groups=4),
    # convtranspose.py of ONNX
    case(
        "onnx_2d_pads",
        (1, 2),
        (3, 3),
        (1, 1, 3, 3),
        stride=(3, 2),
        padding=(1, 2),
        bias=False,
        input=arange,
        weight=ones,
    ),
    case("onnx_2d_group_2_image_3", (2, 2), (3, 3), (3, 2, 3, 3), groups=2, bias=False, input=arange, weight=ones),
    # a generator's upsampling, and a decoder's without overlap
    case("same_size_2d_k4_s2_p1", (5, 3), (4, 4), (1, 5, 4, 7), stride=2, padding=1),
    case("kernel_is_stride_2d", (3, 17), (2, 2), (1, 3, 3, 4), stride=2),
    case("depthwise_2d_k4_s2_p1", (4, 4), (4, 4), (1, 4, 4, 9), stride=2, padding=1, groups=4, bias=False),
    case("kernel_below_stride_2d", (3, 2), (1, 2), (1, 3, 4, 5), stride=(2, 3), output_padding=(1, 2)),
    case(
        "output_padding_beyond_stride_2d",
        (3, 2),
        (2, 3),
        (3, 4, 3),
        stride=(2, 1),
        dilation=(4, 3),
        output_padding=(3, 2),
        padding=(0, 1),
    ),
]

LOWER_CASES = LINES + PLANES

# 2^32 + 42 and 2^64 - 1 show which bits of a seed torch uses; 2^31 is the first that a signed 32-bit seed would lose.
SEEDS = [0, 1, 42, 2**31, 2**32 + 42, 12345678901234567890, 2**64 - 1]

INITIALIZATIONS = [
    {"in_channels": i, "out_channels": o, "kernel_size": k, "groups": g, "bias": b}
    for i, o, k, g, b in (
        (1, 1, 1, 1, True),  # smallest
        (2, 3, (2, 3, 2), 1, True),
        (16, 33, 3, 1, True),  # the examples of the documentation
        (16, 33, (3, 5, 2), 1, True),
        (4, 6, (1, 2, 3), 2, False),
        (12, 8, 3, 4, True),  # groups: fewer outputs and other bounds than the channels tell
        (32, 32, 3, 32, True),  # depthwise
        (32, 64, 4, 1, False),  # 131072 draws, 210 states of the generator
    )
]

LOWER_INITIALIZATIONS = [
    {"in_channels": i, "out_channels": o, "kernel_size": k, "groups": g, "bias": b}
    for i, o, k, g, b in (
        (16, 33, (3,), 1, True),
        (64, 32, (16,), 4, False),  # vocoder
        (16, 33, (3, 5), 1, True),  # the example of the documentation
        (8, 8, (4, 4), 8, True),  # depthwise
    )
]
