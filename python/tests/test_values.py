"""Outputs and gradients are those of the reference: all types, formats, and kinds of strides."""

import numpy as np
import pytest
from reference import Reference
from support import GEOMETRIES, TYPES, channels_last, integers, strides_of

import unstride

CLASSES = {1: unstride.ConvTranspose1d, 2: unstride.ConvTranspose2d, 3: unstride.ConvTranspose3d}


def layer_of(weight, bias, parameters):
    out_channels = weight.shape[1] * parameters.get("groups", 1)
    layer = CLASSES[weight.ndim - 2](
        weight.shape[0], out_channels, weight.shape[2:], bias=bias is not None, **parameters
    )
    layer.weight = weight
    if bias is not None:
        layer.bias = bias
    return layer


@pytest.fixture(params=GEOMETRIES, ids=str)
def case(request):
    """Input, weight, bias and gradient of the output for a geometry, its parameters, and the reference."""
    shape, space, parameters = GEOMETRIES[request.param]
    reference = Reference(shape, **parameters)
    x, weight = integers(1, (2, shape[0], *space)), integers(2, shape)
    bias = integers(3, (reference.out_channels,))
    return x, weight, bias, integers(4, reference.output_shape(x.shape)), parameters, reference


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", [np.ascontiguousarray, channels_last])
def test_outputs_are_exact(case, dtype, order):
    x, weight, bias, _, parameters, reference = case
    x, weight, bias = order(x.astype(dtype)), weight.astype(dtype), bias.astype(dtype)
    expected = reference.forward(x, weight, bias)
    for output in (
        unstride.conv_transpose(x, weight, bias, **parameters),
        layer_of(weight, bias, parameters)(x),
    ):
        assert output.dtype == dtype
        assert strides_of(output) == strides_of(order(output))
        np.testing.assert_array_equal(output.astype(float), expected)
    without = unstride.conv_transpose(x, weight, **parameters)
    np.testing.assert_array_equal(without.astype(float), reference.forward(x, weight))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", [np.ascontiguousarray, channels_last])
def test_gradients_are_exact(case, dtype, order):
    x, weight, bias, grad_output, parameters, reference = case
    x, weight, grad_output = x.astype(dtype), weight.astype(dtype), grad_output.astype(dtype)
    expected = reference.gradients(grad_output, x, weight)
    layer = layer_of(weight, None, parameters)
    grads = unstride.conv_transpose_backward(order(grad_output), order(x), weight, **parameters)
    of_layer = (
        layer.input_gradient(order(grad_output), x.shape),
        layer.weight_gradient(order(x), order(grad_output)),
        layer.bias_gradient(order(grad_output)),
    )
    for found in (grads, of_layer):
        for gradient, right in zip(found, expected, strict=True):
            assert gradient.dtype == dtype
            np.testing.assert_array_equal(gradient.astype(float), right.astype(dtype).astype(float))
        assert strides_of(found[0]) == strides_of(order(found[0]))


def test_mask_chooses_gradients(case):
    x, weight, _, grad_output, parameters, reference = case
    expected = reference.gradients(grad_output, x, weight)
    for number in range(8):
        mask = tuple(bool(number >> i & 1) for i in range(3))
        found = unstride.conv_transpose_backward(grad_output, x, weight, **parameters, mask=mask)
        assert tuple(gradient is not None for gradient in found) == mask
        for gradient, right in zip(found, expected, strict=True):
            if gradient is not None:
                np.testing.assert_array_equal(gradient, right)


def test_without_a_batch(case):
    x, weight, bias, grad_output, parameters, reference = case
    expected = reference.forward(x[:1], weight, bias)[0]
    for order in (np.ascontiguousarray, lambda array: channels_last(array, 0)):
        output = unstride.conv_transpose(order(x[0]), weight, bias, **parameters)
        np.testing.assert_array_equal(output, expected)
        assert strides_of(output) == strides_of(order(output))
        grads = unstride.conv_transpose_backward(order(grad_output[0]), order(x[0]), weight, **parameters)
        right = reference.gradients(grad_output[:1], x[:1], weight)
        np.testing.assert_array_equal(grads[0], right[0][0])
        np.testing.assert_array_equal(grads[1], right[1])
        np.testing.assert_array_equal(grads[2], right[2])


def test_empty_batch(case):
    x, weight, bias, grad_output, parameters, _ = case
    assert unstride.conv_transpose(x[:0], weight, bias, **parameters).shape == (0, *grad_output.shape[1:])
    grads = unstride.conv_transpose_backward(grad_output[:0], x[:0], weight, **parameters)
    assert grads[0].shape == (0, *x.shape[1:])
    assert not grads[1].any() and not grads[2].any()


def test_strides_of_inputs(case):
    """Views of all kinds: those that kernels take, and those that are copied, in blocks or as a whole."""
    x, weight, bias, grad_output, parameters, reference = case
    expected = reference.forward(x, weight, bias)
    grads = reference.gradients(grad_output, x, weight)

    def every_other(array):
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]

    def backwards(array):
        return np.ascontiguousarray(array[..., ::-1])[..., ::-1]

    def channels_backwards(array):
        return np.ascontiguousarray(array[:, ::-1])[:, ::-1]

    def reversed_dimensions(array):
        return np.ascontiguousarray(array.T).T

    def misaligned(array):
        memory = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
        memory[...] = array
        return memory

    def part_of_records(array):
        records = np.zeros(array.shape, [("pad", "i1"), ("value", array.dtype)])
        records["value"] = array
        return records["value"]

    def padded(array):
        wide = np.full([size + 2 for size in array.shape], np.nan, array.dtype)
        inside = wide[tuple(slice(1, size + 1) for size in array.shape)]
        inside[...] = array
        return inside

    orders = (
        every_other,
        backwards,
        channels_backwards,
        reversed_dimensions,
        misaligned,
        part_of_records,
        padded,
    )
    for order in orders:
        output = unstride.conv_transpose(order(x), order(weight), backwards(bias), **parameters)
        np.testing.assert_array_equal(output, expected, order.__name__)
        layer = layer_of(order(weight), bias, parameters)
        np.testing.assert_array_equal(layer(order(x)), expected)
        if order not in (misaligned, part_of_records):
            out = order(np.zeros(expected.shape, x.dtype))
            assert layer(x, out=out) is out
            np.testing.assert_array_equal(out, expected, order.__name__)
        for other in (order, channels_last):  # for which one of the two is copied
            found = unstride.conv_transpose_backward(other(grad_output), order(x), weight, **parameters)
            for gradient, right in zip(found, grads, strict=True):
                np.testing.assert_array_equal(gradient, right, order.__name__)


def test_broadcast_inputs(case):
    _, weight, _, grad_output, parameters, reference = case
    x = np.broadcast_to(integers(5, (weight.shape[0], *(1,) * (weight.ndim - 2))), grad_output.shape[:1] + (
        weight.shape[0], *(3,) * (weight.ndim - 2)))  # fmt: skip
    assert 0 in x.strides
    output = unstride.conv_transpose(x, weight, **parameters)
    np.testing.assert_array_equal(output, reference.forward(x, weight))


def test_read_only_inputs(case):
    x, weight, bias, _, parameters, reference = case
    for array in (x, weight, bias):
        array.setflags(write=False)
    np.testing.assert_array_equal(
        unstride.conv_transpose(x, weight, bias, **parameters), reference.forward(x, weight, bias)
    )


def test_out(case):
    x, weight, bias, grad_output, parameters, reference = case
    expected = reference.forward(x, weight, bias)
    layer = layer_of(weight, bias, parameters)
    wide = np.full((expected.shape[0], 3 * expected.shape[1], *expected.shape[2:]), 7, np.float32)
    for out in (wide[:, expected.shape[1] : 2 * expected.shape[1]], channels_last(expected.astype(np.float32))):
        for compute in (
            lambda out: unstride.conv_transpose(x, weight, bias, **parameters, out=out),
            lambda out: layer(x, out=out),
        ):
            out[...] = np.nan
            assert compute(out) is out
            np.testing.assert_array_equal(out, expected)
    assert (np.delete(wide, np.s_[expected.shape[1] : 2 * expected.shape[1]], 1) == 7).all()

    grads = reference.gradients(grad_output, x, weight)
    outs = [np.full(g.shape, 3, np.float32) for g in grads]
    calls = (
        lambda **options: layer.input_gradient(grad_output, **options),
        lambda **options: layer.weight_gradient(x, grad_output, **options),
        lambda **options: layer.bias_gradient(grad_output, **options),
    )
    for call, out, right in zip(calls, outs, grads, strict=True):
        assert call(out=out, accumulate=True) is out
        np.testing.assert_array_equal(out, right + 3)
        call(out=out)
        np.testing.assert_array_equal(out, right)


@pytest.mark.parametrize("dtype", TYPES[2:])
def test_out_of_float32(case, dtype):
    x, weight, bias, grad_output, parameters, reference = case
    out = np.empty(grad_output.shape, np.float32)
    unstride.conv_transpose(x.astype(dtype), weight.astype(dtype), bias.astype(dtype), **parameters, out=out)
    np.testing.assert_array_equal(out, reference.forward(x, weight, bias))


def test_weights_are_never_stale(case):
    x, weight, bias, _, parameters, reference = case
    for change in range(3):
        weight.flat[change] += 1
        bias[0] -= 1
        np.testing.assert_array_equal(
            unstride.conv_transpose(x, weight, bias, **parameters), reference.forward(x, weight, bias)
        )
    # In f64 the weights have more bits than those in f32 that a layer keeps of them.
    exact = weight.astype(float) + 2.0**-40
    double = unstride.conv_transpose(x.astype(float), exact, **parameters)
    unstride.conv_transpose(x, weight, **parameters)
    np.testing.assert_array_equal(unstride.conv_transpose(x.astype(float), exact, **parameters), double)
    assert (double != reference.forward(x, weight)).any()
