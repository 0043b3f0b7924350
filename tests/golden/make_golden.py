#!/usr/bin/env python3
"""Makes cases.json and data.bin, PyTorch's results that the C++ tests compare with. Needs numpy and torch (here 2.15).

    make_golden.py            writes both files beside this script, for the list in golden_cases.py
    make_golden.py --check    compares them with what would be written; exit status 1 if a byte differs

data.bin    little-endian float32, nothing else
cases.json  {"floats": length of data.bin in floats, "cases": [...], "initialization": [...], "typed": [...]}, with one
            case a line. An array is {"shape": [...], "offset": its first float in data.bin}, in C order; equal arrays
            are stored once.

A case holds the parameters of the layer under PyTorch's names, with a number for each of its one to three dimensions,
and
    output_size     argument of forward: [] or the spatial sizes
    input, output   (N, C, D, H, W), or (C, D, H, W) for a test that has no batch; in two dimensions without D, in one
                    without D and H
    weight_values   (in_channels, out_channels / groups, kernel)
    bias_values     (out_channels), or null
    terms           most terms that are summed for one output, the bias included
    magnitude       largest sum of |weight * input| + |bias| over the outputs
    exact           all is integer and magnitude < 2^24, so that f32 arithmetic in any order gives the output exactly
    gradients       what autograd gives for input, weight and bias, if these are not many numbers. Input, weight and
                    gradient of the output are here the numbers of `operand`, so that they need no place in the file

The numbers of `operand` are multiples of 2^-6 in [-1, 1), which every element type has. Sums of their products are
exact in f32 in any order, and so are the gradients in every type but for one rounding of a gradient of 16 bits.

A typed case is one of which torch computed the output in `dtype`, f16 or bf16, with all arrays rounded to it. Outputs
may be infinite or NaN; `magnitude` is that of the others.

An initialization holds the layer and the seed of `torch.manual_seed(seed); torch.nn.ConvTranspose3d(...)`, 2d or 1d,
and for weight and bias the first values and zlib.crc32 of all values. PyTorch scales its draws with a fused
multiply-add where the CPU has AVX2, and rounds twice on older ones, which gives other bits: the script wants AVX2.

The inputs are multiples of 2^-21 in [-1, 1), or small integers where the original test has them. Products are then
multiples of 2^-42, every partial sum below 2^11 is exact in float64, and what torch computes there is the exact result,
the same on every machine. It is stored rounded once to float32: the half ulp that this adds is one rounding among those
of a float32 kernel, which the bound of the test counts, and float64 would double the file.
"""

import argparse
import json
import pathlib
import sys
import zlib

import numpy as np
import torch
from golden_cases import CASES, INITIALIZATIONS, LOWER_CASES, LOWER_INITIALIZATIONS, SEEDS, TYPED

HERE = pathlib.Path(__file__).resolve().parent
GRID = 2.0**-21
OPERANDS = ["grad_output", "input", "weight"]
KNUTH = np.uint32(2654435761)
MOST_IN_GRADIENTS = 4000  # numbers of input and weight
HEAD = 8  # values of an initialization that are stored
LAYERS = {1: torch.nn.ConvTranspose1d, 2: torch.nn.ConvTranspose2d, 3: torch.nn.ConvTranspose3d}


class Store:
    """The floats of data.bin; an array that is already there is not stored again."""

    def __init__(self):
        self.floats = 0
        self.chunks = []
        self.offsets = {}

    def add(self, array):
        data = np.ascontiguousarray(array, dtype="<f4").tobytes()
        if data not in self.offsets:
            self.offsets[data] = self.floats
            self.chunks.append(data)
            self.floats += len(data) // 4
        return {"shape": list(array.shape), "offset": self.offsets[data]}


def dimensions(kernel):
    return 3 if isinstance(kernel, int) else len(kernel)


def numbers(value, count):
    return [value] * count if isinstance(value, int) else list(value)


def random_values(name, part, shape):
    # RandomState's stream is frozen; a seed from the name keeps a case's data when others come and go.
    random = np.random.RandomState(zlib.crc32(f"{name} {part}".encode()))
    return np.floor(random.random_sample(shape) * 2**22) * GRID - 1


def run(layer, output_size, x, weight, bias):
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
        return layer(x, output_size=output_size or None)


def operand(part, shape):
    """The numbers of one of the operands of gradients; tests/support/golden.cpp makes the same ones."""
    hashed = (np.arange(np.prod(shape), dtype=np.uint32) * np.uint32(3) + np.uint32(OPERANDS.index(part) + 1)) * KNUTH
    hashed = (hashed ^ hashed >> np.uint32(13)) * KNUTH
    return torch.from_numpy(((hashed >> np.uint32(25)).astype(np.float64) - 64).reshape(shape) / 64)


def make_gradients(store, case, entry):
    """Adds the gradients to the entry of a case."""
    options = options_of(case)
    layer = LAYERS[dimensions(case["kernel"])](**{**options, "bias": True}, dtype=torch.float64)
    if np.prod(case["shape"]) + layer.weight.numel() > MOST_IN_GRADIENTS:
        return

    def gradients(change):
        """The gradients for changed operands."""
        x = change(operand("input", case["shape"])).requires_grad_()
        with torch.no_grad():
            layer.weight.copy_(change(operand("weight", tuple(layer.weight.shape))))
        layer.zero_grad()
        y = layer(x, output_size=case.get("output_size") or None)
        y.backward(change(operand("grad_output", tuple(y.shape))))
        return x.grad, layer.weight.grad, layer.bias.grad

    # Those of input and weight are multiples of 2^-12, and that of the bias of 2^-6: all have less than 24 bits.
    for magnitudes, least in zip(gradients(torch.abs), (2.0**-12, 2.0**-12, 2.0**-6), strict=True):
        assert (magnitudes < 2**24 * least).all(), entry["name"]
    parts = zip(("input", "weight", "bias"), gradients(lambda values: values), strict=True)
    entry["gradients"] = {part: store.add(gradient.numpy()) for part, gradient in parts}


def options_of(case):
    def extents(name, default=None):
        return numbers(case.get(name, default), dimensions(case["kernel"]))

    return {
        "in_channels": case["channels"][0],
        "out_channels": case["channels"][1],
        "kernel_size": extents("kernel"),
        "stride": extents("stride", 1),
        "padding": extents("padding", 0),
        "output_padding": extents("output_padding", 0),
        "groups": case.get("groups", 1),
        "bias": case.get("bias", True),
        "dilation": extents("dilation", 1),
    }


def make_case(store, case):
    name, options = case["name"], options_of(case)
    layer = LAYERS[dimensions(case["kernel"])](**options, dtype=torch.float64)
    output_size = case.get("output_size", [])

    def values(part, shape):
        array = case[part](shape) if part in case else random_values(name, part, shape)
        assert np.array_equal(array, array.astype(np.float32)), name
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))

    x = values("input", case["shape"])
    weight = values("weight", tuple(layer.weight.shape))
    bias = values("bias_values", tuple(layer.bias.shape)) if options["bias"] else None
    y = run(layer, output_size, x, weight, bias)

    magnitude = terms = 0.0
    if y.numel() > 0:
        absolute = (x.abs(), weight.abs(), bias if bias is None else bias.abs())
        magnitude = run(layer, output_size, *absolute).max().item()
        ones = [torch.ones_like(x), torch.ones_like(weight), bias if bias is None else torch.ones_like(bias)]
        terms = run(layer, output_size, *ones).max().item()
    integer = all(torch.equal(a, a.round()) for a in (x, weight, bias) if a is not None)
    assert magnitude < (2**53 if integer else 2**11), f"{name}: torch's float64 result would not be exact"

    return {
        "name": name,
        **options,
        "output_size": output_size,
        "input": store.add(x.numpy()),
        "weight_values": store.add(weight.numpy()),
        "bias_values": None if bias is None else store.add(bias.numpy()),
        "output": store.add(y.numpy()),
        "terms": int(terms),
        "magnitude": magnitude,
        "exact": integer and magnitude < 2**24,
    }


def make_typed_case(store, case):
    options = options_of(case)
    dtype, largest = {"f16": (torch.float16, 65520), "bf16": (torch.bfloat16, 2.0**128)}[case["dtype"]]
    layer = torch.nn.ConvTranspose3d(**options, dtype=dtype)
    random = np.random.RandomState(zlib.crc32(case["name"].encode()))
    x = torch.from_numpy(case["input"](random, case["shape"])).to(dtype)
    weight = torch.from_numpy(case["weight"](random, tuple(layer.weight.shape))).to(dtype)
    bias = torch.from_numpy(random.standard_normal(tuple(layer.bias.shape))).to(dtype)
    y = run(layer, [], x, weight, bias)
    # What overflows must not depend on the order of a sum: in f64 no sum is near the largest number, and no term brings
    # one back that is beyond it.
    exact = run(layer.to(torch.float64), [], x.double(), weight.double(), bias.double()).abs()
    assert not ((exact > 0.9 * largest) & (exact < 1.1 * largest)).any(), case["name"]
    terms = int(
        run(
            layer,
            [],
            torch.ones_like(x, dtype=torch.float64),
            *(torch.ones_like(a, dtype=torch.float64) for a in (weight, bias)),
        )
        .max()
        .item()
    )
    finite = (x.double().nan_to_num(0, 0, 0).abs(), weight.double().abs(), bias.double().abs())
    return {
        "name": case["name"],
        "dtype": case["dtype"],
        **options,
        "input": store.add(x.float().numpy()),
        "weight_values": store.add(weight.float().numpy()),
        "bias_values": store.add(bias.float().numpy()),
        "output": store.add(y.float().numpy()),
        "terms": terms,
        "magnitude": run(layer, [], *finite)[y.isfinite()].max().item(),
    }


def make_initialization(store, geometry, seed):
    kernel = geometry["kernel_size"]

    def initialize(seed):
        torch.manual_seed(seed)
        layer = LAYERS[dimensions(kernel)](**geometry)
        return [p.detach().numpy() for p in (layer.weight, layer.bias) if p is not None]

    def summary(array):
        return {**store.add(array.ravel()[:HEAD]), "crc32": zlib.crc32(array.astype("<f4").tobytes())}

    parameters = initialize(seed)
    # torch takes any 64-bit seed, but its mt19937 sees the low 32 bits only.
    for array, truncated in zip(parameters, initialize(seed % 2**32), strict=True):
        assert np.array_equal(array.view(np.uint32), truncated.view(np.uint32)), seed
    return {
        **geometry,
        "kernel_size": numbers(kernel, 3),
        "seed": seed,
        "weight_values": summary(parameters[0]),
        "bias_values": summary(parameters[1]) if len(parameters) == 2 else None,
    }


def lines(entries):
    return "[\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries) + "\n]"


def make_files():
    store = Store()
    assert len({case["name"] for case in CASES + LOWER_CASES}) == len(CASES + LOWER_CASES), (
        "two cases have the same name"
    )
    cases = [make_case(store, case) for case in CASES]
    initializations = [make_initialization(store, g, seed) for g in INITIALIZATIONS for seed in SEEDS]
    typed = [make_typed_case(store, case) for case in TYPED]
    # Last, so that the floats of the others stay where they are.
    cases += [make_case(store, case) for case in LOWER_CASES]
    initializations += [make_initialization(store, g, seed) for g in LOWER_INITIALIZATIONS for seed in SEEDS]
    for case, entry in zip(CASES + LOWER_CASES, cases, strict=True):
        make_gradients(store, case, entry)
    lists = {"cases": cases, "initialization": initializations, "typed": typed}
    members = "".join(f',"{name}":{lines(entries)}' for name, entries in lists.items())
    text = f'{{"floats":{store.floats}{members}}}\n'
    return {"cases.json": text.encode(), "data.bin": b"".join(store.chunks)}


def main():
    parser = argparse.ArgumentParser(description="Makes PyTorch's results that the C++ tests compare with.")
    parser.add_argument("--check", action="store_true", help="only compare the files with what would be written")
    check = parser.parse_args().check
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        sys.exit("PyTorch uses no AVX2 on this CPU, or with this ATEN_CPU_CAPABILITY: initialization has other bits")
    stale = 0
    for name, data in make_files().items():
        path = HERE / name
        if not check:
            path.write_bytes(data)
            print(f"{name}: {len(data)} bytes")
        elif not path.exists() or path.read_bytes() != data:
            print(f"{name} is not what make_golden.py makes", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
