"""The operators unstride::conv_transpose and conv_transpose_backward: all but their kernels, which are in _ops.so.

Both are functions of whole batches. Each is the other's derivative, so that there are derivatives of any order. They
are for calls that PyTorch traces or transforms. Plain calls take operators that do the same in less time.
"""

import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format

from . import _kernels

_BINARY = pathlib.Path(__file__).with_name("_ops.so")
_VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])
# Whether the operators are those in C++, and have the ones for plain calls.
IS_COMPILED = _BINARY.exists() and _VERSION >= (2, 10)

_library = torch.library.Library("unstride", "FRAGMENT")
if IS_COMPILED:
    torch.ops.load_library(_BINARY)
else:
    _kernels.define(_library)

FORWARD, BACKWARD = "unstride::conv_transpose", "unstride::conv_transpose_backward"
forward_op: Callable[..., Tensor] = torch.ops.unstride.conv_transpose.default
backward_op: Callable[..., tuple[Tensor, Tensor, Tensor]] = torch.ops.unstride.conv_transpose_backward.default

# Operators of plain calls, where there are some. The first one has no derivative: it is called where nothing needs one.
# That of the second one is in C++: one that is registered in Python takes longer than a small layer.
coded_forward: Callable[..., Tensor] = forward_op
differentiable_forward: Callable[..., Tensor] = forward_op
if IS_COMPILED:
    _library.impl("conv_transpose.coded", torch.library.fallthrough_kernel, "Autograd")
    coded_forward = torch.ops.unstride.conv_transpose.coded._op
    differentiable_forward = torch.ops.unstride.conv_transpose.differentiable._op


def forget_layers() -> None:
    """Frees the memory of all layers that are kept for later calls: packed weights, and copies of weights."""
    torch.ops.unstride.forget_layers()


# ---------------------------------------------------------------------------------------------- shapes without values


def _format(input: Tensor, weight: Tensor) -> torch.memory_format:
    """The format that format_of in tensors.cpp gives results: it has PyTorch's rule, too."""
    if all(suggest_memory_format(t) == torch.contiguous_format for t in (input, weight)):
        return torch.contiguous_format
    return torch.channels_last if input.dim() == 4 else torch.channels_last_3d


def _empty(like: Tensor, size: Sequence[int], memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
    return torch.empty(size, dtype=like.dtype, device=like.device, memory_format=memory_format)


def _forward_fake(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
    groups: int,
    dilation: Sequence[int],
) -> Tensor:
    torch._check(input.dim() == weight.dim(), lambda: "unstride: input and weight have different numbers of dimensions")
    torch._check(input.dtype == weight.dtype, lambda: "unstride: input and weight must be of the same type")
    torch._check(input.size(1) == weight.size(0), lambda: "unstride: input and weight differ in input channels")
    size = [input.size(0), weight.size(1) * groups]
    for d, (s, p, o, e) in enumerate(zip(stride, padding, output_padding, dilation, strict=True), 2):
        size.append((input.size(d) - 1) * s - 2 * p + e * (weight.size(d) - 1) + o + 1)
    return _empty(input, size, _format(input, weight))


def _backward_fake(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
    groups: int,
    dilation: Sequence[int],
    mask: Sequence[bool],
) -> tuple[Tensor, ...]:
    memory_format = _format(input, weight)
    results = (
        (input.shape, memory_format),
        (weight.shape, memory_format),
        ((weight.size(1) * groups,), torch.contiguous_format),
    )
    return tuple(_empty(input, *result) if m else _empty(input, (0,)) for result, m in zip(results, mask, strict=True))


torch.library.register_fake(FORWARD, _forward_fake, lib=_library)
torch.library.register_fake(BACKWARD, _backward_fake, lib=_library)
if not IS_COMPILED:
    _kernels.implement(_library, _forward_fake, _backward_fake)

# ---------------------------------------------------------------------------------------------- derivatives


def _of_mask(gradients: Iterable[Tensor], mask: Sequence[bool]) -> Iterable[Tensor | None]:
    return (gradient if m else None for gradient, m in zip(gradients, mask, strict=True))


def _save_forward(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    input, weight, bias, *ctx.geometry = inputs
    ctx.save_for_backward(input, weight)
    ctx.has_bias = bias is not None


def _forward_backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
    input, weight = ctx.saved_tensors
    mask = [*ctx.needs_input_grad[:2], ctx.has_bias and ctx.needs_input_grad[2]]
    gradients = backward_op(grad_output, input, weight, *ctx.geometry, mask)
    return *_of_mask(gradients, mask), None, None, None, None, None


def _save_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    grad_output, input, weight, *ctx.geometry, ctx.mask = inputs
    ctx.save_for_backward(grad_output, input, weight)


def _backward_backward(ctx: Any, *of_gradients: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients are linear in grad_output, input and weight: their derivatives are the layer and its gradients."""
    grad_output, input, weight = ctx.saved_tensors
    of_input, of_weight, of_bias = _of_mask(of_gradients, ctx.mask)
    for_grad_output: Tensor | None = None
    for_input: Tensor | None = None
    for_weight: Tensor | None = None
    if ctx.needs_input_grad[0]:
        terms = []
        if of_input is not None:
            terms.append(forward_op(of_input, weight, None, *ctx.geometry))
        if of_weight is not None:
            terms.append(forward_op(input, of_weight, None, *ctx.geometry))
        if of_bias is not None:
            terms.append(of_bias.view(-1, *[1] * (weight.dim() - 2)).expand_as(grad_output))
        for_grad_output = sum(terms[1:], terms[0]) if terms else None
    if ctx.needs_input_grad[1] and of_weight is not None:
        for_input = backward_op(grad_output, input, of_weight, *ctx.geometry, [True, False, False])[0]
    if ctx.needs_input_grad[2] and of_input is not None:
        for_weight = backward_op(grad_output, of_input, weight, *ctx.geometry, [False, True, False])[1]
    return for_grad_output, for_input, for_weight, None, None, None, None, None, None


torch.library.register_autograd(FORWARD, _forward_backward, setup_context=_save_forward, lib=_library)
torch.library.register_autograd(BACKWARD, _backward_backward, setup_context=_save_backward, lib=_library)

# ---------------------------------------------------------------------------------------------- autocast


def autocast(*tensors: Tensor | None) -> tuple[Tensor | None, ...]:
    """Casts tensors as PyTorch's autocast on the CPU does for this layer."""
    dtype = torch.get_autocast_dtype("cpu")
    return tuple(
        t.to(dtype) if t is not None and t.is_floating_point() and t.dtype != torch.float64 else t for t in tensors
    )


def _forward_in_autocast(input: Tensor, weight: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU)
    with torch._C._ExcludeDispatchKeyGuard(keys):
        return forward_op(*autocast(input, weight, bias), *geometry)


_library.impl("conv_transpose", _forward_in_autocast, "AutocastCPU")

# ---------------------------------------------------------------------------------------------- vmap


def _one_by_one(op: Callable[..., Any], info: Any, in_dims: Sequence[int | None], args: tuple[Any, ...]) -> list[Any]:
    """Calls the operator for each index of the mapped dimension."""

    def at(i: int) -> Any:
        return op(*(a if d is None else a.select(d, i) for a, d in zip(args, in_dims, strict=True)))

    return [at(i) for i in range(info.batch_size)]


def _forward_vmap(info: Any, in_dims: Iterable[Any], *args: Any) -> tuple[Tensor, int]:
    in_dims = [d if isinstance(d, int) else None for d in in_dims]
    if in_dims[0] is not None and in_dims[1] is None and in_dims[2] is None:
        input = args[0].movedim(in_dims[0], 0)
        output = forward_op(input.flatten(0, 1), *args[1:])
        return output.unflatten(0, input.shape[:2]), 0
    return torch.stack(_one_by_one(forward_op, info, in_dims, args)), 0


def _backward_vmap(info: Any, in_dims: Iterable[Any], *args: Any) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
    in_dims = [d if isinstance(d, int) else None for d in in_dims]
    results = _one_by_one(backward_op, info, in_dims, args)
    return tuple(torch.stack(of_one) for of_one in zip(*results, strict=True)), (0, 0, 0)


torch.library.register_vmap(FORWARD, _forward_vmap, lib=_library)
torch.library.register_vmap(BACKWARD, _backward_vmap, lib=_library)
