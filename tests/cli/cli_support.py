"""What the tests of the command line share: the reference, files, and calls of the program."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

UNSTRIDE = pathlib.Path()

# What NumPy knows the types as, and how far a number may be from the nearest one of the type, over its magnitude. To
# NumPy, without the package ml_dtypes, a number of type bf16 is two bytes without a meaning.
DTYPES = {"f32": ("<f4", 2.0**-24), "f64": ("<f8", 2.0**-53), "f16": ("<f2", 2.0**-11), "bf16": ("|V2", 2.0**-8)}
TYPES = [*DTYPES, "f16-f32", "bf16-f32"]

# Layers to compute and to differentiate: sizes of input and weight, (N, C, D, H, W) and PyTorch's, and the options.
GEOMETRIES = [
    ((2, 3, 3, 4, 5), (3, 4, 3, 3, 3), {"stride": 2}),
    ((1, 2, 3, 6, 5), (2, 3, 3, 5, 2), {"stride": (2, 1, 1), "padding": (0, 4, 2)}),
    ((2, 6, 3, 2, 4), (6, 5, 2, 3, 3), {"groups": 3, "stride": (1, 2, 3), "padding": 1}),
    ((1, 5, 3, 3, 9), (5, 1, 3, 3, 3), {"groups": 5, "stride": 2, "padding": 1, "output_padding": 1}),
    ((1, 2, 3, 4, 7), (2, 3, 2, 3, 3), {"dilation": (2, 3, 2), "stride": (2, 1, 4), "output_padding": (1, 2, 3)}),
    ((1, 3, 2, 3, 4), (3, 2, 1, 1, 1), {"stride": 3}),
    ((0, 2, 3, 3, 3), (2, 2, 2, 2, 2), {}),
    ((1, 3, 2, 3, 4), (3, 2, 3, 3, 3), {"stride": 2, "padding": 1, "padding_end": (0, 3, -5), "output_padding": 1}),
]

# The first line of a table of layers.
LAYERS_HEADER = (
    "name,batch,in_channels,out_channels,input_size,kernel_size,stride,padding,output_padding,dilation,groups,source\n"
)


def types_of_each(types):
    """Of input and output: "bf16" is ("bf16", "bf16"), "bf16-f32" is ("bf16", "f32")."""
    parts = types.split("-")
    return parts[0], parts[-1]


def encode(values, dtype):
    """The nearest numbers of that type, which float32 has in its range."""
    if dtype != "bf16":
        return values.astype(DTYPES[dtype][0])
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16).view("V2")


def decode(array):
    """The same numbers in double."""
    if array.dtype != "V2":
        return array.astype(np.float64)
    return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def triple(value):
    return (value,) * 3 if isinstance(value, int) else value


def conv_transpose3d(
    x, w, b=None, stride=1, padding=0, output_padding=0, dilation=1, groups=1, output_size=None, padding_end=None
):
    """The scatter form in double: x (N, C, D, H, W), w (C_in, C_out / groups, KD, KH, KW), b (C_out) or None."""
    padding_end = padding if padding_end is None else padding_end
    stride, padding, padding_end, output_padding, dilation = map(
        triple, (stride, padding, padding_end, output_padding, dilation)
    )
    x, w = x.astype(np.float64), w.astype(np.float64)
    batch, in_channels, *size = x.shape
    spread = [(i - 1) * s + 1 for i, s in zip(size, stride, strict=True)]
    base = [n + d * (k - 1) for n, d, k in zip(spread, dilation, w.shape[2:], strict=True)]
    if output_size is None:
        output_size = [n - p - e + o for n, p, e, o in zip(base, padding, padding_end, output_padding, strict=True)]
    before = [max(-p, 0) for p in padding]
    longest = (b + max(n, p + o) for b, n, p, o in zip(before, base, padding, output_size, strict=True))
    full = np.zeros((batch, groups, w.shape[1], *longest))
    x = x.reshape(batch, groups, in_channels // groups, *size)
    w = w.reshape(groups, in_channels // groups, *w.shape[1:])
    for tap in np.ndindex(*w.shape[3:]):
        first = [b + k * d for b, k, d in zip(before, tap, dilation, strict=True)]
        where = tuple(slice(f, f + n, s) for f, n, s in zip(first, spread, stride, strict=True))
        full[(..., *where)] += np.einsum("ngczyx,gco->ngozyx", x, w[(..., *tap)])
    y = full[(..., *(slice(b + p, b + p + o) for b, p, o in zip(before, padding, output_size, strict=True)))]
    y = y.reshape(batch, groups * w.shape[2], *output_size)
    return y if b is None else y + b.astype(np.float64).reshape(-1, 1, 1, 1)


def npy_bytes(header, data=b"", version=(1, 0), length=None):
    """A .npy file with any text as its header; `length` replaces the header's true length."""
    text = header.encode("latin1")
    width = 2 if version[0] == 1 else 4
    return (
        b"\x93NUMPY"
        + bytes(version)
        + (len(text) if length is None else length).to_bytes(width, "little")
        + text
        + data
    )


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = np.random.default_rng(1)

    def environment(self):
        """Variables without the wisdom and the planning of whoever runs the tests."""
        users = {"UNSTRIDE_WISDOM", "UNSTRIDE_PLANNING"}
        variables = {name: value for name, value in os.environ.items() if name not in users}
        variables["XDG_CONFIG_HOME"] = str(self.folder / "config")
        return variables

    def call(self, *arguments, **environment):
        return subprocess.run(
            [UNSTRIDE, *map(str, arguments)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=600,
            env={**self.environment(), **environment},
        )

    def start(self, *arguments, **options):
        """The process, for tests that do something to it; what it writes to standard error can be read from it."""
        return subprocess.Popen(
            [UNSTRIDE, *map(str, arguments)],
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            **options,
        )

    def succeed(self, *arguments, **environment):
        done = self.call(*arguments, **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def fail_with(self, fragment, *arguments, **environment):
        """The call has status 2, one line of error that holds `fragment`, and leaves all files as they are."""

        def files():
            return {path.name: path.read_bytes() if path.is_file() else None for path in self.folder.iterdir()}

        before = files()
        done = self.call(*arguments, **environment)
        self.assertEqual(done.returncode, 2, done)
        self.assertRegex(done.stderr, r"\Aunstride: error: [^\n]+\n\Z")
        self.assertIn(fragment, done.stderr)
        self.assertEqual(before, files())

    def save(self, name, array):
        np.save(self.folder / name, array)
        return array

    def save_integers(self, name, shape, dtype="f32"):
        """So few and small that sums of the layers here are exact in every type, bf16 with its 8 bits included."""
        values = self.random.integers(-2, 3, shape).astype(np.float64)
        self.save(name, encode(values, dtype))
        return values

    def load(self, name):
        return np.load(self.folder / name)

    def save_random(self, name, shape):
        return self.save(name, self.random.uniform(-1, 1, shape).astype(np.float32))


def main():
    """Runs the tests of the file that is the program."""
    global UNSTRIDE
    if len(sys.argv) < 2:
        sys.exit(f"Usage: python {sys.argv[0]} PATH_TO_UNSTRIDE [unittest arguments]")
    UNSTRIDE = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
