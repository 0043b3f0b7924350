"""The function: what goes to Unstride's operators, and what to PyTorch's."""

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional

from ._operators import IS_COMPILED, autocast, coded_forward, differentiable_forward, forward_op

_OF_PYTORCH = {3: functional.conv_transpose1d, 4: functional.conv_transpose2d, 5: functional.conv_transpose3d}
_DTYPES = {torch.float32, torch.float64, torch.float16, torch.bfloat16}
# These are no sets, as torch.compile of PyTorch 2.6 cannot look into them.
_PLAIN = (Tensor, torch.nn.Parameter, torch.nn.Buffer)
# Those that stand for plain tensors where PyTorch traces a program.
_TRACED = ("FakeTensor", "FunctionalTensor")

_is_compiling = torch.compiler.is_compiling
_is_autocast_enabled = torch._C._is_any_autocast_enabled
_is_grad_enabled = torch.is_grad_enabled
_transforms_are_active = torch._C._are_functorch_transforms_active
_number_of_modes = torch._C._len_torch_dispatch_stack


def _why_not(tensors: Sequence[Tensor]) -> str | None:
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


def _numbers(value: Any, count: int) -> Sequence[int]:
    """One number for each dimension of space, or what it was if it has another number of them."""
    if isinstance(value, (list, tuple)):
        return value * count if len(value) == 1 else value
    return [value] * count


@functools.lru_cache(1024)
def _window(count: int, stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any) -> int | None:
    """The number that operators of plain calls take in place of these (window_of in ops.cpp), if they fit in it."""
    lists = [tuple(_numbers(value, count)) for value in (stride, padding, output_padding, dilation)]
    numbers = [number for one in lists for number in one]
    small = range(16)
    if len(numbers) != 4 * count or not 1 <= count <= 3 or not 0 < groups < 1 << 15:
        return None
    if any(type(number) is not int or number not in small for number in numbers) or type(groups) is not int:
        return None
    code = groups
    for one in reversed(lists):
        for number in reversed(one + (0,) * (3 - count)):
            code = code << 4 | number
    return code


def conv_transpose(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
    *,
    strict: bool = False,
) -> Tensor:
    """Does what torch.nn.functional.conv_transpose1d, 2d or 3d does: the one for the weight's dimensions, 3, 4 or 5.

    The input has size (N, C_in, spatial sizes) or (C_in, spatial sizes), the weight (C_in, C_out / groups, kernel
    size), the bias (C_out). Where the output would be PyTorch's own, as Unstride has no kernel for these tensors,
    `strict` makes it a NotImplementedError.
    """
    # A plain call, with tensors that the kernels take and nothing around it that looks at operators. What does not hold
    # of it below, the operators find out.
    if (
        IS_COMPILED
        and not _is_compiling()
        and type(input) in _PLAIN
        and type(weight) in _PLAIN
        and (bias is None or type(bias) in _PLAIN)
        and input.is_cpu
        and not (_transforms_are_active() or _is_autocast_enabled() or _number_of_modes())
        and forward_ad._current_level < 0
    ):
        try:
            rank = weight.ndim
            window = _window(rank - 2, stride, padding, output_padding, groups, dilation)
            if window is not None and input.ndim == rank:
                needs_gradient = _is_grad_enabled() and (
                    weight.requires_grad or input.requires_grad or (bias is not None and bias.requires_grad)
                )
                operator = differentiable_forward if needs_gradient else coded_forward
                return operator(input, weight, bias, window)
        except (RuntimeError, TypeError, ValueError):
            pass
    return _any_call((input, weight, bias, stride, padding, output_padding, groups, dilation), strict)


def _any_call(given: tuple[Any, ...], strict: bool) -> Tensor:
    """Does what conv_transpose does, whatever it is given, and whatever is around the call."""
    input, weight, bias, stride, padding, output_padding, groups, dilation = given
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
            output = forward_op(*args)
        except (RuntimeError, TypeError, ValueError) as error:
            # PyTorch finds the mistake again, and says it in its own words.
            return _of_pytorch(given, strict, str(error))
    return output.squeeze(0) if is_one else output


def _of_pytorch(given: tuple[Any, ...], strict: bool, why_not: str) -> Tensor:
    rank = given[1].dim() if isinstance(given[1], Tensor) else 5
    output: Tensor = _OF_PYTORCH.get(rank, functional.conv_transpose1d if rank < 3 else functional.conv_transpose3d)(
        *given
    )
    if strict:
        raise NotImplementedError(f"unstride.torch: {why_not}")
    return output
