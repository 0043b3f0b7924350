"""Transposed convolution of dask arrays, for what is larger than memory, or spread over machines.

    import dask.array, unstride.dask
    from dask.diagnostics import ProgressBar
    output = unstride.dask.conv_transpose(dask.array.from_zarr("input.zarr"), weight, bias, stride=2)
    with ProgressBar():
        output.to_zarr("output.zarr")

Each chunk of the output is computed from just the inputs that it depends on, and has the bits of the whole.
"""

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

try:
    import dask as _dask
    import dask.array as _array
except ImportError as _error:
    raise ImportError("unstride.dask needs dask: pip install unstride[dask]") from _error

import numpy as np

from . import ConvTranspose, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = ["conv_transpose"]

_LAYERS = {3: ConvTranspose1d, 4: ConvTranspose2d, 5: ConvTranspose3d}
_Numbers: TypeAlias = int | Sequence[int]
_Chunks: TypeAlias = tuple[tuple[int, ...], ...]


def _layer(
    weight: np.ndarray,
    bias: np.ndarray | None,
    stride: _Numbers,
    padding: _Numbers,
    output_padding: _Numbers,
    groups: int,
    dilation: _Numbers,
) -> ConvTranspose:
    if weight.ndim not in _LAYERS:
        raise ValueError(f"weight should have 3, 4 or 5 dimensions, but got weight of size {list(weight.shape)}")
    in_channels, outputs, *kernel_size = weight.shape
    has_bias = bias is not None
    layer = _LAYERS[weight.ndim](
        in_channels, outputs * groups, kernel_size, stride, padding, output_padding, groups, has_bias, dilation
    )
    layer.weight = weight
    if has_bias:
        layer.bias = bias
    return layer


def _output_shape(layer: ConvTranspose, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """As layer.output_shape, but for inputs of any size. The layer checks them later."""
    spatial = len(layer.kernel_size)
    space = (
        (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1
        for size, kernel, stride, padding, output_padding, dilation in zip(
            input_shape[-spatial:],
            layer.kernel_size,
            layer.stride,
            layer.padding,
            layer.output_padding,
            layer.dilation,
            strict=True,
        )
    )
    return (*input_shape[: -spatial - 1], layer.out_channels, *space)


def _ends(chunks: Sequence[int]) -> list[int]:
    return list(itertools.accumulate(chunks))


def _usual_chunks(chunks: Sequence[int], stride: int, size: int) -> tuple[int, ...]:
    """Chunks of the output along a dimension of space: where an input's begins, times the stride, an output's does.

    What is left for the last one may be more than all others have: it is cut again.
    """
    ends = [end * stride for end in _ends(chunks[:-1]) if end * stride < size]
    last = ends[-1] if ends else 0
    ends += [*range(last, size, max(chunks) * stride)][1:]
    return tuple(end - begin for begin, end in itertools.pairwise([0, *ends, size]))


def _slices(chunks: Sequence[int]) -> list[slice]:
    return [slice(begin, end) for begin, end in itertools.pairwise([0, *_ends(chunks)])]


def _forward_block(
    layer: ConvTranspose, part: np.ndarray, outputs: tuple[slice, ...], input_shape: tuple[int, ...]
) -> np.ndarray:
    return layer.forward_block(part, outputs, input_shape)


def _joined(blocks: dict[tuple[int, ...], Any], index: tuple[int, ...], counts: tuple[int, ...]) -> Any:
    """The blocks whose index begins so, as nested lists."""
    if len(index) == len(counts):
        return blocks[index]
    return [_joined(blocks, (*index, i), counts) for i in range(counts[len(index)])]


def conv_transpose(
    input: _array.Array,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: _Numbers = 1,
    padding: _Numbers = 0,
    output_padding: _Numbers = 0,
    groups: int = 1,
    dilation: _Numbers = 1,
    *,
    chunks: Any = None,
) -> _array.Array:
    """Return a dask array of what unstride.conv_transpose() computes, whose arguments these are.

    `input` is a dask array of chunks of NumPy's, of any sizes, and may have any number of elements; `weight` and `bias`
    are NumPy's arrays, of the input's type. Nothing is computed yet, and each of the output's chunks will be from the
    part of the input that it depends on. `chunks` are the output's, in any form that dask.array.core.normalize_chunks
    takes; each must have all channels. Without them, batches are cut as the input's are, and dimensions of space where
    the input's are, times the stride: regular chunks, as files of zarr need them, lead to regular ones.

    Raises ValueError for sizes and parameters that do not fit, and TypeError for types that do not.
    """
    if not isinstance(input, _array.Array):
        raise TypeError(f"input must be a dask array, not {type(input).__name__}")
    weight, bias = np.asarray(weight), None if bias is None else np.asarray(bias)
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.dtype != input.dtype:
            raise TypeError(f"Input type ({input.dtype}) and {name} type ({array.dtype}) should be the same")
    layer = _layer(weight, bias, stride, padding, output_padding, groups, dilation)
    if any(np.isnan(size) for size in input.shape):
        raise ValueError("input has chunks of unknown sizes: input.compute_chunk_sizes() finds them")
    spatial = len(layer.kernel_size)
    if input.ndim not in (spatial + 1, spatial + 2):
        layer.output_shape(input.shape)  # says why not
    shape = _output_shape(layer, input.shape)
    layer.halo(input.shape, [slice(0, size) for size in shape[-spatial:]])  # checks all sizes
    usual: _Chunks = (
        *input.chunks[: -spatial - 1],
        (layer.out_channels,),
        *map(_usual_chunks, input.chunks[-spatial:], layer.stride, shape[-spatial:]),
    )
    cut: _Chunks = usual if chunks is None else _array.core.normalize_chunks(chunks, shape, dtype=input.dtype)
    if len(cut[-spatial - 1]) > 1:
        raise ValueError(f"each chunk of the output must have all channels, but got chunks={cut}")

    whole = _dask.delayed(layer, pure=True, traverse=False)
    forward_block = _dask.delayed(_forward_block, pure=True)
    meta = np.empty((0,) * input.ndim, input.dtype)
    blocks = {}
    for index, part in zip(
        itertools.product(*(range(len(sizes)) for sizes in cut)), itertools.product(*map(_slices, cut)), strict=True
    ):
        batch, outputs = part[: -spatial - 1], part[-spatial:]
        inputs = input[(*batch, slice(None), *layer.halo(input.shape, outputs))]
        block = forward_block(whole, inputs, outputs, input.shape)
        sizes = tuple(s.stop - s.start for s in part)
        blocks[index] = _array.from_delayed(block, sizes, meta=meta)
    return _array.block(_joined(blocks, (), tuple(len(sizes) for sizes in cut)))
