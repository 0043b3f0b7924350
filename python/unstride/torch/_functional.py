"""The function: what goes to Unstride's operators, and what to PyTorch's."""

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional

from ._operators import autocast, forward, forward_op

_OF_PYTORCH = {3: functional.conv_transpose1d, 4: functional.conv_transpose2d, 5: functional.conv_transpose3d}
_DTYPES = {torch.float32, torch.float64, torch.float16, torch.bfloat16}
_PLAIN = {Tensor, torch.nn.Parameter, torch.nn.Buffer}
# Those that stand for plain tensors where PyTorch traces a program.
_TRACED = {"FakeTensor", "FunctionalTensor"}


def _why_not(tensors) -> str | None:
    """Why Unstride has no kernel for a call with these tensors, or None if it may have one."""
    first = tensors[0]
    if first.dtype not in _DTYPES:
        return f"there are no kernels for {first.dtype}"
    for t in tensors:
        if type(t) not in _PLAIN and type(t).__name__ not in _TRACED:
            return f"{type(t).__name__} is a subclass of Tensor"
        if not t.is_cpu or t.layout is not torch.strided:
            return f"a tensor is on {t.device}, with layout {t.layout}: both must be those of the CPU"
        if t.dtype is not first.dtype:
            return "tensors are of different types"
    if forward_ad._current_level >= 0:
        return "there are no forward-mode derivatives"
    return None


def _numbers(value, count: int):
    """One number for each dimension of space, or what it was if it has another number of them."""
    if isinstance(value, (list, tuple)):
        return value * count if len(value) == 1 else value
    return [value] * count


def conv_transpose(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride=1,
    padding=0,
    output_padding=0,
    groups: int = 1,
    dilation=1,
    *,
    strict: bool = False,
) -> Tensor:
    """Does what torch.nn.functional.conv_transpose1d, 2d or 3d does: the one for the weight's dimensions, 3, 4 or 5.

    The input has size (N, C_in, spatial sizes) or (C_in, spatial sizes), the weight (C_in, C_out / groups, kernel
    size), the bias (C_out). Where the output would be PyTorch's own, as Unstride has no kernel for these tensors,
    `strict` makes it a NotImplementedError.
    """
    given = (input, weight, bias, stride, padding, output_padding, groups, dilation)
    try:
        if torch.is_autocast_enabled("cpu"):
            input, weight, bias = autocast(input, weight, bias)
        why_not = _why_not((input, weight) if bias is None else (input, weight, bias))
    except AttributeError:  # not tensors
        why_not = "input, weight and bias must be tensors"
    if why_not is not None:
        return _of_pytorch(given, strict, why_not)
    count = weight.dim() - 2
    is_one = input.dim() == count + 1
    args = (
        input.unsqueeze(0) if is_one else input,
        weight,
        bias,
        _numbers(stride, count),
        _numbers(padding, count),
        _numbers(output_padding, count),
        groups,
        _numbers(dilation, count),
    )
    if torch.compiler.is_compiling():
        output = forward_op(*args)
    else:
        try:
            output = forward(*args)
        except (RuntimeError, TypeError, ValueError) as error:
            # PyTorch finds the mistake again, and says it in its own words.
            return _of_pytorch(given, strict, str(error))
    return output.squeeze(0) if is_one else output


def _of_pytorch(given, strict: bool, why_not: str) -> Tensor:
    rank = given[1].dim() if isinstance(given[1], Tensor) else 5
    output = _OF_PYTORCH.get(rank, functional.conv_transpose1d if rank < 3 else functional.conv_transpose3d)(*given)
    if strict:
        raise NotImplementedError(f"unstride.torch: {why_not}")
    return output
