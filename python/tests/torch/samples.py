"""Samples of transposed convolutions that PyTorch's wheel ships, and how a replacement is compared with PyTorch's own.

A replacement is called as f(input, weight, bias, stride, padding, output_padding, groups, dilation), for one, two and
three dimensions of space. `check` compares values, types and shapes, and the gradients for every subset of what needs
one; ERRORS are calls that PyTorch refuses. The sources are torch.testing._internal.common_methods_invocations.op_db,
common_modules.module_db and common_nn.get_new_module_tests() of torch 2.15.
"""

import itertools
import warnings
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db
    from torch.testing._internal.common_nn import get_new_module_tests

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
# rtol and atol, for sums in another order. A sum in f32 has an error relative to its terms, which may be far larger
# than the sum; in 16 bits, one rounding of a sum in f32 may differ.
TOLERANCE = {
    torch.float32: (1.3e-5, 2e-5),
    torch.float64: (1e-7, 1e-7),
    torch.float16: (5e-3, 5e-3),
    torch.bfloat16: (2e-2, 2e-2),
}
OF_LARGEST_TERM = 1e-6
ORDER = ("stride", "padding", "output_padding", "groups", "dilation")
USUAL = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1}
OWN = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}


class Sample(NamedTuple):
    source: str
    name: str
    input: Tensor
    weight: Tensor
    bias: Tensor | None
    options: dict

    @property
    def geometry(self):
        return tuple(self.options[name] for name in ORDER)


def own(input, weight, bias, *geometry):
    return OWN[max(weight.dim() - 2, 1)](input, weight, bias, *geometry)


def rounded_once(input, weight, bias, *geometry):
    """PyTorch's layer, which computes 16 bits in f32 here: some processors' kernels of 16 bits round several times."""
    if weight.element_size() != 2:
        return own(input, weight, bias, *geometry)
    wide = (None if t is None else t.float() for t in (input, weight, bias))
    return own(*wide, *geometry).to(weight.dtype)


# ---------------------------------------------------------------------------------------------- samples


def from_op_db(dtype):
    for op in op_db:
        if op.name.startswith("nn.functional.conv_transpose"):
            for i, s in enumerate(op.sample_inputs("cpu", dtype, requires_grad=False)):
                yield Sample("op_db", f"{op.name[14:]}[{i}]", s.input, s.args[0], s.args[1], USUAL | s.kwargs)


def _of_module(source, name, module, input):
    options = {option: getattr(module, option) for option in ORDER}
    bias = None if module.bias is None else module.bias.detach()
    return Sample(source, name, input, module.weight.detach(), bias, options)


def from_module_db(dtype):
    for info in module_db:
        if info.module_cls.__name__.startswith("ConvTranspose"):
            for i in info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=False, training=True):
                module = info.module_cls(*i.constructor_input.args, **i.constructor_input.kwargs).to(dtype)
                name = f"{info.module_cls.__name__}.{i.desc or 'batch'}"
                yield _of_module("module_db", name, module, i.forward_input.args[0])


def from_common_nn(dtype):
    for test in get_new_module_tests():
        name = test.get("fullname") or test.get("module_name", "")
        if name.startswith("ConvTranspose"):
            make = test.get("constructor") or (lambda t=test, n=name: getattr(torch.nn, n)(*t["constructor_args"]))
            input = torch.randn(test["input_size"]).to(dtype)
            yield _of_module("common_nn", f"{name}.{test.get('desc', '')}", make().to(dtype), input)


def samples(dtype):
    torch.manual_seed(0)
    return [sample for source in (from_op_db, from_module_db, from_common_nn) for sample in source(dtype)]


def variants(sample):
    """The sample as it is; not contiguous; channels last; with no item in its batch."""
    spatial = sample.weight.dim() - 2
    yield sample

    def with_doubled_strides(t):
        return None if t is None else torch.stack([t, t], -1)[..., 0]

    yield sample._replace(
        name=sample.name + ".noncontiguous",
        **{name: with_doubled_strides(getattr(sample, name)) for name in ("input", "weight", "bias")},
    )
    if sample.input.dim() == spatial + 2:
        if spatial > 1:
            last = torch.channels_last if spatial == 2 else torch.channels_last_3d
            yield sample._replace(
                name=sample.name + ".channels_last",
                input=sample.input.contiguous(memory_format=last),
                weight=sample.weight.contiguous(memory_format=last),
            )
        yield sample._replace(name=sample.name + ".empty_batch", input=sample.input[:0])


def _same(result, expected, what):
    if (result is None) != (expected is None):
        return [f"{what}: {'missing' if result is None else 'not None'}"]
    if result is None:
        return []
    rtol, atol = TOLERANCE[expected.dtype]
    if expected.dtype == torch.float32 and expected.numel() > 0:
        atol = max(atol, OF_LARGEST_TERM * expected.abs().max().item())
    try:
        torch.testing.assert_close(result, expected, rtol=rtol, atol=atol, check_stride=False)
    except AssertionError as error:
        return [f"{what}: {str(error).splitlines()[0]}"]
    return []


def _strides(sample, result, expected):
    """What is wrong with an output's strides. Where channels_last comes in, PyTorch's slow kernels lose it."""
    is_last = sample.name.endswith(".channels_last")
    last = torch.channels_last if expected.dim() == 4 else torch.channels_last_3d
    is_right = result.is_contiguous(memory_format=last) if is_last else result.stride() == expected.stride()
    return [] if is_right else [f"{sample.name} strides: {result.stride()}"]


def check(replacement, sample):
    """What a replacement gets wrong, as a list of texts. Its output is compared by `_strides`, too."""
    wrong = []
    for mask in itertools.product((False, True), repeat=3):
        if sample.bias is None and mask[2]:
            continue
        results = []
        for f in (replacement, rounded_once):
            given = [
                None if t is None else t.detach().clone(memory_format=torch.preserve_format).requires_grad_(m)
                for t, m in zip((sample.input, sample.weight, sample.bias), mask, strict=True)
            ]
            output = f(*given, *sample.geometry)
            grad_output = torch.randn(output.shape, generator=torch.Generator().manual_seed(0)).to(output.dtype)
            wanted = [t for t, m in zip(given, mask, strict=True) if m]
            gradients = iter(torch.autograd.grad(output, wanted, grad_output) if wanted else ())
            results.append([output.detach()] + [next(gradients) if m else None for m in mask])
        wrong += _strides(sample, *(result[0] for result in results))
        for what, result, expected in zip(("output", "input", "weight", "bias"), *results, strict=True):
            wrong += [f"{sample.name} {text} (needs {mask})" for text in _same(result, expected, what)]
    return wrong


# ---------------------------------------------------------------------------------------------- errors


def errors():
    """Calls that PyTorch refuses, 17 for each number of dimensions."""
    for n in (1, 2, 3):
        x, w, b = torch.randn(2, 4, *[5] * n), torch.randn(4, 3, *[3] * n), torch.randn(3)
        calls = {
            "output_padding": (x, w, b, {"output_padding": 1}),
            "negative output_padding": (x, w, b, {"output_padding": -1, "stride": 2}),
            "negative padding": (x, w, b, {"padding": -1}),
            "stride 0": (x, w, b, {"stride": 0}),
            "dilation 0": (x, w, b, {"dilation": 0}),
            "groups 0": (x, w, b, {"groups": 0}),
            "groups 3": (x, w, b, {"groups": 3}),
            "channels": (x[:, :3], w, b, {}),
            "bias size": (x, w, torch.randn(4), {}),
            "bias dimensions": (x, w, torch.randn(3, 1), {}),
            "too many dimensions": (torch.randn(*[2] * (n + 3)), w, b, {}),
            "too few dimensions": (torch.randn(*[2] * n), w, b, {}),
            "stride length": (x, w, b, {"stride": (1,) * (n + 1)}),
            "empty output": (x, w, b, {"padding": 4}),
            "types": (x, w.double(), b, {}),
            "bias type": (x, w, b.double(), {}),
            "no input channels": (x[:, :0], w[:0], b, {}),
        }
        for what, (input, weight, bias, options) in calls.items():
            yield Sample("errors", f"{n}d {what}", input, weight, bias, USUAL | options)


# Messages of the library beneath PyTorch differ with processor, type and size: that both refuse is all that counts.
BENEATH = (
    "could not create a primitive",
    "could not construct a memory",
    "dimensions are invalid",
    "Trying to create tensor with negative dimension",
)


def outcome(f, call):
    try:
        return "returned", str(tuple(f(call.input, call.weight, call.bias, *call.geometry).shape))
    except Exception as error:
        return type(error).__name__, str(error).splitlines()[0]


def check_error(replacement, call):
    """What a replacement gets wrong about a call that PyTorch refuses, as a text; empty if nothing."""
    expected, got = outcome(own, call), outcome(replacement, call)
    if expected == got or (expected[1].startswith(BENEATH) and got[0] == expected[0]):
        return ""
    return f"{call.name}: expected {expected}, got {got}"
