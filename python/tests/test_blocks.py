"""Blocks of outputs, from just the inputs that they depend on."""

import itertools

import numpy as np
import pytest
from support import GEOMETRIES, TYPES, Producer, channels_last, integers

import unstride

LAYERS = {3: unstride.ConvTranspose1d, 4: unstride.ConvTranspose2d, 5: unstride.ConvTranspose3d}


def layer_of(weight_shape, **parameters):
    in_channels, outputs, *kernel_size = weight_shape
    out_channels = outputs * parameters.get("groups", 1)
    layer = LAYERS[len(weight_shape)](in_channels, out_channels, kernel_size, **parameters)
    layer.weight = np.random.default_rng(1).standard_normal(weight_shape)
    return layer


def blocks(space):
    """Cuts each dimension in three, unevenly."""
    cuts = [sorted({0, size // 3, size - 1, size}) for size in space]
    return itertools.product(*([slice(*ends) for ends in itertools.pairwise(cut)] for cut in cuts))


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("order", [np.ascontiguousarray, channels_last])
def test_blocks_have_the_bits_of_the_whole(name, order):
    weight_shape, space, parameters = GEOMETRIES[name]
    layer = layer_of(weight_shape, **parameters)
    random = np.random.default_rng(2)
    for dtype in TYPES:
        x = order(random.standard_normal((2, weight_shape[0], *space)).astype(dtype))
        whole, joined = layer(x), np.empty_like(layer(x))
        residual = order(random.standard_normal(whole.shape).astype(dtype))
        whole_with, joined_with = layer(x, residual=residual), residual.copy(order="K")
        for outputs in blocks(whole.shape[2:]):
            inputs, added = layer.halo(x.shape, outputs), joined_with[(..., *outputs)]
            block = layer.forward_block(x[(..., *inputs)], outputs, x.shape)
            assert block.dtype == dtype
            layer.forward_block(x[(..., *inputs)], outputs, x.shape, out=joined[(..., *outputs)])
            np.testing.assert_array_equal(block, joined[(..., *outputs)])
            block = layer.forward_block(x[(..., *inputs)], outputs, x.shape, residual=added)
            layer.forward_block(x[(..., *inputs)], outputs, x.shape, residual=added, out=added)
            np.testing.assert_array_equal(block, added)
        np.testing.assert_array_equal(joined, whole)
        np.testing.assert_array_equal(joined_with, whole_with)


def test_other_inputs_do_not_matter():
    layer = layer_of((3, 2, 4), stride=2, padding=1)
    x = integers(1, (1, 3, 50))
    inputs = layer.halo(x.shape, [slice(20, 30)])
    assert inputs == (slice(9, 16),)
    block = layer.forward_block(x[..., 9:16], [slice(20, 30)], x.shape)
    x[..., :9] = x[..., 16:] = np.nan
    np.testing.assert_array_equal(layer(x)[..., 20:30], block)


def test_arrays_of_other_kinds():
    layer = layer_of((3, 2, 3, 3), stride=2)
    x = integers(1, (3, 5, 6))  # without a batch
    outputs = np.s_[2:7, 1:10]
    inputs = layer.halo(x.shape, outputs)
    whole, part = layer(x), x[(..., *inputs)]
    block = layer.forward_block(Producer(part.copy()), outputs, x.shape)
    np.testing.assert_array_equal(np.asarray(block), whole[(..., *outputs)])
    np.testing.assert_array_equal(layer.forward_block(part[..., ::-1][..., ::-1], outputs, x.shape), block)
    residual = integers(2, block.shape)
    block = layer.forward_block(part, outputs, x.shape, residual=Producer(channels_last(residual, 0)))
    np.testing.assert_array_equal(block, layer.forward_block(part, outputs, x.shape, residual=residual))
    larger = layer(x, output_size=(12, 14))
    block = layer.forward_block(x[:, 4:, 5:], np.s_[10:12, 11:14], x.shape, output_size=(12, 14))
    np.testing.assert_array_equal(block, larger[:, 10:, 11:])
    wide = np.empty(block.shape, np.float32)
    layer.forward_block(x[:, 4:, 5:].astype(np.float16), np.s_[10:12, 11:14], x.shape, (12, 14), out=wide)


def test_inputs_larger_than_those_of_a_call():
    layer = layer_of((1, 1, 2, 1), stride=(2, 1))
    whole, outputs = (1, 1, 2**20, 2**20), np.s_[2**20 : 2**20 + 5, 2**20 - 2 : 2**20]
    assert layer.halo(whole, outputs) == np.s_[2**19 : 2**19 + 3, 2**20 - 2 : 2**20]
    part = integers(1, (1, 1, 3, 2))
    np.testing.assert_array_equal(layer.forward_block(part, outputs, whole), layer(part)[..., :5, :])
    assert layer.output_shape(whole) == (1, 1, 2**21, 2**20)


@pytest.mark.parametrize(
    "outputs, error, message",
    [
        (np.s_[0:2], TypeError, "sequence of slices, one for each dimension of space, not slice"),
        ([0, 1], TypeError, "one of them is int"),
        (np.s_[0:2:2, 0:2], ValueError, "slices of step 1"),
        (np.s_[0:2, 0:2, 0:2], ValueError, "begins and ends with 2 numbers"),
        (np.s_[0:2, 0:12], ValueError, r"not in an output of spatial size \[11, 11\]"),
        (np.s_[-1:2, 0:2], ValueError, "not in an output"),
        (np.s_[2:2, 0:2], ValueError, "is empty"),
        (np.s_["a":2, 0:2], TypeError, "slice indices must be integers"),
    ],
)
def test_blocks_that_are_none(outputs, error, message):
    layer = layer_of((3, 2, 3, 3), stride=2)
    x = integers(1, (1, 3, 5, 5))
    with pytest.raises(error, match=message):
        layer.halo(x.shape, outputs)
    with pytest.raises(error, match=message):
        layer.forward_block(x, outputs, x.shape)


def test_parts_that_do_not_fit():
    layer = layer_of((3, 2, 3, 3), stride=2)
    x, outputs = integers(1, (1, 3, 5, 5)), np.s_[0:4, 0:4]
    with pytest.raises(ValueError, match=r"expected input of spatial size \[2, 2\], for its part"):
        layer.forward_block(x, outputs, x.shape)
    with pytest.raises(ValueError, match="3 channels"):
        layer.forward_block(x[:, :2, :2, :2], outputs, x.shape)
    with pytest.raises(ValueError, match="expected out of size"):
        layer.forward_block(x[..., :2, :2], outputs, x.shape, out=np.empty((1, 2, 4, 5), np.float32))
    with pytest.raises(TypeError, match="do not go together"):
        layer.forward_block(x[..., :2, :2], outputs, x.shape, out=np.empty((1, 2, 4, 4)))
    with pytest.raises(ValueError, match="4D"):
        layer.forward_block(x[0, 0], outputs, x.shape)
    residual = np.empty((1, 2, 4, 4), np.float32)
    with pytest.raises(ValueError, match="residual of the output's size"):
        layer.forward_block(x[..., :2, :2], outputs, x.shape, residual=residual[..., :3])
    with pytest.raises(ValueError, match=r"\(batched\) residual"):
        layer.forward_block(x[..., :2, :2], outputs, x.shape, residual=residual[0, 0])
    with pytest.raises(TypeError, match="residual must have the output's type"):
        layer.forward_block(x[..., :2, :2], outputs, x.shape, residual=residual.astype(float))
