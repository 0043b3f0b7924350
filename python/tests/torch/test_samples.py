"""PyTorch's own samples, and the calls that it refuses."""

import functools

import pytest
import torch
from samples import DTYPES, check, check_error, errors, from_op_db, own, samples, variants
from torch.nn import functional

from unstride.torch import conv_transpose
from unstride.torch._functional import _numbers
from unstride.torch._operators import backward_op, forward_op

ours = functools.partial(conv_transpose, strict=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_samples(dtype):
    found = samples(dtype)
    assert len(found) == 48
    wrong = [text for sample in found for variant in variants(sample) for text in check(ours, variant)]
    assert not wrong, "\n".join(wrong[:10])


def test_errors():
    calls = list(errors())
    assert len(calls) == 51
    wrong = [text for call in calls if (text := check_error(conv_transpose, call))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("check_gradients", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
def test_derivatives(check_gradients):
    for sample in from_op_db(torch.float64):
        given = [None if t is None else t.requires_grad_() for t in (sample.input, sample.weight, sample.bias)]
        check_gradients(lambda *t, s=sample: ours(*t, *s.geometry), given, fast_mode=True)


def test_opcheck():
    for sample in from_op_db(torch.float32):
        spatial = sample.weight.dim() - 2
        geometry = [o if n == 3 else _numbers(o, spatial) for n, o in enumerate(sample.geometry)]
        for variant in variants(sample):
            input, weight, bias = (
                None if t is None else t.detach().requires_grad_()
                for t in (variant.input, variant.weight, variant.bias)
            )
            if input.dim() == spatial + 1:
                input = input.detach().unsqueeze(0).requires_grad_()
            torch.library.opcheck(forward_op, (input, weight, bias, *geometry))
            grad_output = torch.randn_like(forward_op(input, weight, bias, *geometry)).requires_grad_()
            torch.library.opcheck(backward_op, (grad_output, input, weight, *geometry, [True, True, bias is not None]))


# ---------------------------------------------------------------------------------------------- wrong replacements


def wrong_output_padding(input, weight, bias, stride, padding, output_padding, groups, dilation):
    """Adds outputs of output_padding as zeros, in place of computing them."""
    spatial = weight.dim() - 2
    added = [number for o in reversed(_numbers(output_padding, spatial)) for number in (0, o)]
    output = functional.pad(ours(input, weight, None, stride, padding, 0, groups, dilation), added)
    return output if bias is None else output + bias.view(-1, *[1] * spatial)


class _Spoilt(torch.autograd.Function):
    @staticmethod
    def forward(ctx, spoil, *given):
        ctx.spoil, ctx.given = spoil, given
        return own(*given)

    @staticmethod
    def backward(ctx, grad_output):
        with torch.enable_grad():
            given = [None if t is None else t.detach().requires_grad_() for t in ctx.given[:3]]
            output = own(*given, *ctx.given[3:])
        needs = list(ctx.needs_input_grad[1:4])
        wanted = [t for t, n in zip(given, needs, strict=True) if n]
        found = iter(torch.autograd.grad(output, wanted, grad_output))
        gradients = [next(found) if n else None for n in needs]
        return None, *ctx.spoil(needs, gradients), None, None, None, None, None


def wrong_grad_weight(*given):
    """Mirrors the taps in the weight's gradient."""
    return _Spoilt.apply(lambda needs, g: [g[0], g[1] if g[1] is None else g[1].flip(-1), g[2]], *given)


def wrong_mask(*given):
    """Has no gradient of the input if that alone is wanted."""
    alone = [True, False, False]
    return _Spoilt.apply(lambda needs, g: [torch.zeros_like(g[0]), *g[1:]] if needs == alone else g, *given)


def wrong_error(*given):
    """Answers where PyTorch refuses."""
    try:
        return own(*given)
    except RuntimeError:
        return torch.zeros(1)


@pytest.mark.parametrize("replacement", [wrong_output_padding, wrong_grad_weight, wrong_mask])
def test_wrong_replacements_fail(replacement):
    assert any(check(replacement, sample) for sample in samples(torch.float32))


def test_wrong_errors_fail():
    assert all(check_error(wrong_error, call) for call in errors())
