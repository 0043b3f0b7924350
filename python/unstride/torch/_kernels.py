"""Operators in Python, on the functions for all kinds of arrays: for a package that has none in C++ in _ops.so, and for
PyTorch below 2.10, which cannot load these.

They compute the same bits, in a pool of threads of their own, and a call costs more.
"""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import unstride


def define(library: torch.library.Library) -> None:
    """Makes the operators, without kernels."""
    geometry = "int[] stride, int[] padding, int[] output_padding, int groups, int[] dilation"
    library.define(f"conv_transpose(Tensor input, Tensor weight, Tensor? bias, {geometry}) -> Tensor")
    library.define(
        f"conv_transpose_backward(Tensor grad_output, Tensor input, Tensor weight, {geometry}, bool[3] mask) "
        "-> (Tensor, Tensor, Tensor)"
    )
    library.define("forget_layers() -> ()")


def implement(
    library: torch.library.Library,
    empty_output: Callable[..., Tensor],
    empty_gradients: Callable[..., tuple[Tensor, ...]],
) -> None:
    """Adds the kernels for the CPU. The functions make results without values, from the arguments of each operator."""

    def forward(input: Tensor, weight: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
        output = empty_output(input, weight, bias, *geometry)
        _use_threads_of_torch()
        stride, padding, output_padding, groups, dilation = geometry
        unstride.conv_transpose(
            input.detach(), weight.detach(), _detached(bias), stride, padding, output_padding, groups, dilation, output
        )
        return output

    def backward(grad_output: Tensor, input: Tensor, weight: Tensor, *geometry_and_mask: Any) -> tuple[Tensor, ...]:
        results = empty_gradients(grad_output, input, weight, *geometry_and_mask)
        _use_threads_of_torch()
        gradients = unstride.conv_transpose_backward(
            grad_output.detach(), input.detach(), weight.detach(), *geometry_and_mask
        )
        return tuple(itertools.starmap(_in_format, zip(results, gradients, strict=True)))

    library.impl("conv_transpose", forward, "CPU")
    library.impl("conv_transpose_backward", backward, "CPU")
    library.impl("forget_layers", lambda: None, "CompositeExplicitAutograd")


def _in_format(result: Tensor, gradient: Tensor | None) -> Tensor:
    """What a gradient has to be: it is one itself where it has the strides of the result."""
    if gradient is None:
        return result
    return gradient if gradient.stride() == result.stride() else result.copy_(gradient)


def _detached(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach()


def _use_threads_of_torch() -> None:
    threads = min(torch.get_num_threads(), 256)
    if unstride.num_threads() != threads:
        unstride.set_num_threads(threads)
