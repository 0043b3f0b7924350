"""Mistakes become ValueError, TypeError or BufferError, with PyTorch's message where it has one."""

import ml_dtypes
import numpy as np
import pytest
from support import Producer

import unstride

X, W, B = np.zeros((1, 4, 3, 3, 3), np.float32), np.zeros((4, 2, 2, 2, 2), np.float32), np.zeros(2, np.float32)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, r"Expected 4D \(unbatched\) or 5D \(batched\) input to conv_transpose3d", {"input": X[0, 0]}),
        (ValueError, "expected input.* to have 4 channels, but got 3", {"input": X[:, :3]}),
        (ValueError, "weight should have 3, 4 or 5 dimensions", {"weight": W[0, 0, 0]}),
        (ValueError, "Only zero batch or zero channel inputs are supported", {"input": X[:, :, :0]}),
        (ValueError, "expected bias to be 1-dimensional with 2 elements", {"bias": np.zeros(3, np.float32)}),
        (ValueError, "non-positive groups is not supported", {"groups": 0}),
        (ValueError, "Given groups=3, expected weight to be divisible by 3", {"groups": 3}),
        (ValueError, "Given groups=5, expected weight to be at least 5", {"groups": 5}),
        (ValueError, "non-positive stride is not supported", {"stride": 0}),
        (ValueError, "negative padding is not supported", {"padding": (0, -1, 0)}),
        (ValueError, "negative output_padding is not supported", {"output_padding": -1}),
        (ValueError, "output padding must be smaller than either stride or dilation", {"output_padding": 1}),
        (ValueError, "dilation should be greater than zero", {"dilation": 0}),
        (ValueError, "Output size is too small", {"padding": 3}),
        (ValueError, "expected stride to be a single integer value or a list of 3 values", {"stride": (1, 2)}),
        (ValueError, "padding does not fit in 64 bits", {"padding": 2**70}),
        (TypeError, "stride must be an integer or a sequence of integers, not float", {"stride": 1.0}),
        (TypeError, "stride must be an integer or a sequence of integers, not str", {"stride": "2"}),
        (TypeError, "padding must be an integer, not float", {"padding": (0, 1.0, 0)}),
        (TypeError, "groups must be an integer, not NoneType", {"groups": None}),
        (TypeError, "input must be an array", {"input": [[[1.0]]]}),
        (TypeError, "weight must be an array", {"weight": None}),
        (TypeError, "input has elements of format 'i'", {"input": X.astype(np.int32)}),
        (TypeError, "order of bytes", {"input": X.astype(">f4")}),
        (TypeError, "input has elements of type float8_e5m2", {"input": X.astype(ml_dtypes.float8_e5m2)}),
        (TypeError, "input has elements of format 'Zf'", {"input": X.astype(np.complex64)}),
        (TypeError, r"Input type \(float32\) and weight type \(float64\)", {"weight": W.astype(float)}),
        (TypeError, r"Input type \(float32\) and bias type \(float16\)", {"bias": B.astype(np.float16)}),
        (ValueError, "expected out of size", {"out": np.zeros((1, 2, 4, 4, 5), np.float32)}),
        (TypeError, "input of float32 and out of float64", {"out": np.zeros((1, 2, 4, 4, 4))}),
        (ValueError, "share memory", {"out": np.lib.stride_tricks.as_strided(X, (1, 2, 4, 4, 4), (0, 0, 16, 4, 4))}),
    ],
)
def test_functional(error, message, arguments):
    with pytest.raises(error, match=message):
        unstride.conv_transpose(**{"input": X, "weight": W, "bias": B, **arguments})


def test_memory_of_out():
    out = np.zeros((1, 2, 4, 4, 4), np.float32)
    out.setflags(write=False)
    for read_only in (out, Producer(out)):
        with pytest.raises(ValueError, match="out is read-only"):
            unstride.conv_transpose(X, W, out=read_only)
    with pytest.raises(ValueError, match="out is read-only"):
        unstride.conv_transpose(X, W, out=memoryview(out))
    memory = np.zeros(1000, np.float32)
    x, out = memory[:108].reshape(X.shape), memory[100:228].reshape(1, 2, 4, 4, 4)
    with pytest.raises(ValueError, match="input and output overlap"):
        unstride.conv_transpose(x, W, out=out)
    records = np.zeros(out.shape, [("pad", "i1"), ("value", "f4")])
    with pytest.raises(ValueError, match="out has strides of .* bytes"):
        unstride.conv_transpose(X, W, out=records["value"])
    misaligned = np.zeros(513, np.uint8)[1:].view(np.float32).reshape(out.shape)
    with pytest.raises(ValueError, match="aligned"):
        unstride.conv_transpose(X, W, out=misaligned)


def test_gradients():
    y = np.zeros((1, 2, 4, 4, 4), np.float32)
    backward = unstride.conv_transpose_backward
    for error, message, call in (
        (ValueError, "expected grad_output of size", lambda: backward(y[:, :, :3], X, W)),
        (TypeError, "grad_output type", lambda: backward(y.astype(float), X, W)),
        (ValueError, "mask must have three", lambda: backward(y, X, W, mask=(True, True))),
        (TypeError, "mask must have three", lambda: backward(y, X, W, mask=True)),
    ):
        with pytest.raises(error, match=message):
            call()
    layer = unstride.ConvTranspose3d(4, 2, 2)
    for error, message, call in (
        (ValueError, "needs out", lambda: layer.bias_gradient(y, accumulate=True)),
        (ValueError, "expected grad_output of size", lambda: layer.input_gradient(y, (1, 4, 3, 3, 4))),
        (ValueError, "channel inputs", lambda: layer.input_gradient(y, (1, 4, 3, 3, -3))),
        (ValueError, "not supported|64 bits", lambda: layer.input_gradient(y, (1, 4, 2**40, 2**40, 2**40))),
        (ValueError, "expected 4D", lambda: layer.input_gradient(y[0, 0])),
        (ValueError, "expected grad_output of size", lambda: layer.weight_gradient(X, y[:, :1])),
        (TypeError, "must have the same type", lambda: layer.weight_gradient(X, y.astype(float))),
        (ValueError, "grad_weight", lambda: layer.weight_gradient(X, y, out=np.zeros((4, 2, 2, 2), np.float32))),
        (TypeError, "out of float64", lambda: layer.bias_gradient(y, out=np.zeros(2))),
    ):
        with pytest.raises(error, match=message):
            call()


def test_layers():
    make = unstride.ConvTranspose2d
    for error, message, call in (
        (ValueError, "in_channels must be divisible by groups", lambda: make(3, 4, 2, groups=2)),
        (ValueError, "out_channels must be divisible by groups", lambda: make(4, 3, 2, groups=2)),
        (ValueError, 'Only "zeros" padding mode', lambda: make(1, 1, 2, padding_mode="circular")),
        (ValueError, "expected kernel_size to be a single integer value or a list of 2", lambda: make(1, 1, (2, 2, 2))),
        (TypeError, "in_channels must be an integer", lambda: make("1", 1, 2)),
        (MemoryError, "could not allocate the weights", lambda: make(2**24, 2**24, 1)),
        (ValueError, "activation must be one of none, relu", lambda: make(1, 1, 2).set_activation("swish")),
        (ValueError, "leaky_relu has one slope", lambda: make(1, 1, 2).set_activation("leaky_relu", slopes=[1, 2])),
        (ValueError, "size mismatch for weight", lambda: setattr(make(1, 1, 2), "weight", np.zeros((1, 1, 2)))),
        (ValueError, "the layer has no bias", lambda: setattr(make(1, 1, 2, bias=False), "bias", np.zeros(1))),
        (TypeError, "weight must be an array", lambda: setattr(make(1, 1, 2), "weight", 1.0)),
        (ValueError, "requested an output size of", lambda: make(1, 1, 2)(np.zeros((1, 1, 2, 2), "f"), (9, 9))),
        (TypeError, "output_size must be a sequence", lambda: make(1, 1, 2)(np.zeros((1, 1, 2, 2), "f"), 9)),
        (ValueError, "layout must be one of ncdhw, ndhwc", lambda: make(1, 1, 2).plan((1, 2, 2), "nchw")),
        (ValueError, "planning must be one of", lambda: setattr(make(1, 1, 2), "planning", "guess")),
        (ValueError, "device must be one of cpu, cuda, opencl", lambda: setattr(make(1, 1, 2), "device", "tpu")),
        (ValueError, "no_such_variant", lambda: make(1, 1, 2).set_variant("no_such_variant")),
        (ValueError, "1 to 256|256", lambda: unstride.set_num_threads(0)),
        (ValueError, "sse", lambda: unstride.set_max_isa("sse")),
        (TypeError, "no constructor", lambda: unstride.ConvTranspose()),
    ):
        with pytest.raises(error, match=message):
            call()
    for device in {"cuda", "opencl"} - {*unstride.devices()}:
        with pytest.raises(RuntimeError, match="(?i)" + device):
            make(1, 1, 2).device = device
    layer, x = make(1, 2, 2), np.zeros((1, 1, 2, 2), np.float32)
    y = layer(x)
    with pytest.raises(ValueError, match="residual of the output's size"):
        layer(x, residual=y[:, :1])
    with pytest.raises(TypeError, match="residual must have the output's type"):
        layer(x, residual=y.astype(float))
    with pytest.raises(ValueError, match="residual and output overlap"):
        memory = np.zeros(y.size + 1, np.float32)
        layer(x, residual=memory[1:].reshape(y.shape), out=memory[:-1].reshape(y.shape))
