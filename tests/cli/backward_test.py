"""`unstride backward` computes what loops do, writes just what is asked for, and refuses what does not fit."""

import itertools

import numpy as np
from cli_support import DTYPES, GEOMETRIES, CommandLineTest, decode, encode, main, triple

OUTPUTS = {"grad-input": "gx.npy", "grad-weight": "gw.npy", "grad-bias": "gb.npy"}


def option_text(value):
    return str(value) if isinstance(value, int) else ",".join(map(str, value))


def option_list(options):
    return [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}={option_text(value)}",)]


def output_sizes(sizes, kernel, stride=1, padding=0, output_padding=0, dilation=1, groups=1, padding_end=None):
    ends = padding if padding_end is None else padding_end
    numbers = map(triple, (stride, padding, ends, output_padding, dilation))
    return [
        (i - 1) * s - p - e + d * (k - 1) + o + 1 for i, k, s, p, e, o, d in zip(sizes, kernel, *numbers, strict=True)
    ]


def gradients(x, w, g, stride=1, padding=0, dilation=1, groups=1, **_):
    """Those of x (N, C, D, H, W), w and the bias, in double: for each tap, all inputs whose output exists."""
    stride, padding, dilation = map(triple, (stride, padding, dilation))
    batch, in_channels, *size = x.shape
    x = x.astype(np.float64).reshape(batch, groups, in_channels // groups, *size)
    w = w.astype(np.float64).reshape(groups, in_channels // groups, *w.shape[1:])
    by_group = g.astype(np.float64).reshape(batch, groups, w.shape[2], *g.shape[2:])
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(w)
    for tap in np.ndindex(*w.shape[3:]):
        inputs, outputs = [], []
        for i, o, s, p, d, k in zip(size, g.shape[2:], stride, padding, dilation, tap, strict=True):
            meeting = [(n, n * s - p + k * d) for n in range(i) if 0 <= n * s - p + k * d < o]
            inputs.append([n for n, _ in meeting])
            outputs.append([n for _, n in meeting])
        from_x, from_g = np.ix_(*inputs), np.ix_(*outputs)
        part = by_group[(slice(None),) * 3 + from_g]
        grad_x[(slice(None),) * 3 + from_x] += np.einsum("ngozyx,gco->ngczyx", part, w[(..., *tap)])
        grad_w[(..., *tap)] = np.einsum("ngczyx,ngozyx->gco", x[(slice(None),) * 3 + from_x], part)
    return (
        grad_x.reshape(batch, in_channels, *size),
        grad_w.reshape(in_channels, *w.shape[2:]),
        g.astype(np.float64).sum((0, 2, 3, 4)),
    )


class BackwardTest(CommandLineTest):
    def backward(self, *arguments, outputs=OUTPUTS, files=("--input", "x.npy", "--weight", "w.npy")):
        asked = [part for name, path in outputs.items() for part in ("--" + name, path)]
        return self.succeed("backward", *files, "--grad-output", "g.npy", *asked, *arguments)

    GEOMETRIES = [*GEOMETRIES, ((1, 3, 4, 5, 6), (3, 17, 3, 3, 3), {"padding": 1})]

    def test_geometries(self):
        for layout in "ncdhw", "ndhwc":
            for x_shape, w_shape, options in self.GEOMETRIES:
                for batched in {True, x_shape[0] != 1}:
                    with self.subTest(layout=layout, input=x_shape, weight=w_shape, batched=batched, **options):
                        self.check(x_shape, w_shape, options, layout, batched)

    def check(self, x_shape, w_shape, options, layout, batched):
        def in_file(array):
            array = array if batched else array[0]
            return np.ascontiguousarray(array if layout == "ncdhw" else np.moveaxis(array, -4, -1))

        space = output_sizes(x_shape[2:], w_shape[2:], **options)
        g_shape = (x_shape[0], w_shape[1] * options.get("groups", 1), *space)
        x, w, g = (self.random.integers(-2, 3, shape).astype(np.float32) for shape in (x_shape, w_shape, g_shape))
        self.save("x.npy", in_file(x))
        self.save("w.npy", w)
        self.save("g.npy", in_file(g))
        self.backward("--layout", layout, *option_list(options))
        grad_x, grad_w, grad_b = gradients(x, w, g, **options)
        for name, expected in ("gx.npy", in_file(grad_x)), ("gw.npy", grad_w), ("gb.npy", grad_b):
            got = self.load(name)
            self.assertEqual((got.dtype.str, got.flags.c_contiguous), ("<f4", True))
            np.testing.assert_array_equal(got, expected, name)

    def test_lower_dimensions(self):
        for layout in "ncdhw", "ndhwc":
            for dims, x_shape, w_shape, stride in (1, (2, 3, 9), (3, 4, 4), 2), (2, (2, 3, 4, 5), (3, 4, 3, 2), 3):
                missing = tuple(range(2, 5 - dims))
                strides = (1,) * len(missing) + (stride,) * dims
                space = output_sizes(
                    np.expand_dims(np.zeros(x_shape), missing).shape[2:],
                    np.expand_dims(np.zeros(w_shape), missing).shape[2:],
                    strides,
                )
                x, w, g = (
                    self.random.integers(-2, 3, shape).astype(np.float32)
                    for shape in (x_shape, w_shape, (x_shape[0], w_shape[1], *space[3 - dims :]))
                )
                order = (lambda a: a) if layout == "ncdhw" else (lambda a: np.moveaxis(a, 1, -1))
                for name, array in ("x.npy", order(x)), ("w.npy", w), ("g.npy", order(g)):
                    self.save(name, np.ascontiguousarray(array))
                self.backward("--dims", dims, "--stride", stride, "--layout", layout)
                grad_x, grad_w, grad_b = gradients(*(np.expand_dims(a, missing) for a in (x, w, g)), stride=strides)
                np.testing.assert_array_equal(self.load("gx.npy"), order(grad_x.squeeze(missing)))
                np.testing.assert_array_equal(self.load("gw.npy"), grad_w.squeeze(missing))
                np.testing.assert_array_equal(self.load("gb.npy"), grad_b)

    def save_example(self, dtype="f32"):
        """A layer of stride 2, its input and the gradient of an output of (1, 3, 4, 6, 8): output padding 1."""
        x, w, g = (
            self.save_integers("x.npy", (1, 2, 2, 3, 4), dtype),
            self.save_integers("w.npy", (2, 3, 3, 3, 3)),
            self.save_integers("g.npy", (1, 3, 4, 6, 8), dtype),
        )
        return gradients(x, w, g, stride=2, padding=1)

    EXAMPLE = ["--stride", 2, "--padding", 1]

    def test_every_type(self):
        for dtype in DTYPES:
            with self.subTest(dtype):
                expected = self.save_example(dtype)
                for extra in [], ["--dtype", dtype]:
                    self.backward(*self.EXAMPLE, *extra)
                    for name, values in zip(OUTPUTS.values(), expected, strict=True):
                        self.assertEqual(self.load(name).dtype.str, DTYPES[dtype][0])
                        np.testing.assert_array_equal(decode(self.load(name)), decode(encode(values, dtype)))
        for dtype in "f16", "bf16":
            _, *expected = self.save_example(dtype)
            outputs = {"grad-weight": "gw.npy", "grad-bias": "gb.npy"}
            self.backward(*self.EXAMPLE, "--dtype", dtype + "-f32", outputs=outputs)
            for name, values in zip(outputs.values(), expected, strict=True):
                self.assertEqual(self.load(name).dtype, np.float32)
                np.testing.assert_array_equal(self.load(name), values)

    def test_each_combination_of_outputs(self):
        """Just what is asked for is written, and the same whatever else is, with the files that it needs."""
        expected = dict(zip(OUTPUTS, self.save_example(), strict=True))
        x, w = ["--input", "x.npy"], ["--weight", "w.npy"]
        size, kernel = ["--input-size", "1,2,2,3,4"], ["--kernel-size", 3, "--out-channels", 3]
        for count in 1, 2, 3:
            for names in itertools.combinations(OUTPUTS, count):
                outputs = {name: OUTPUTS[name] for name in names}
                for files in [*x, *w], [*size, *w], [*x, *kernel], [*size, *kernel], []:
                    there = {option for option in files if str(option).startswith("--")}
                    lacks_weight = "grad-input" in names and "--weight" not in there
                    lacks_input = "grad-weight" in names and "--input" not in there
                    if lacks_weight or lacks_input:
                        continue
                    with self.subTest(outputs=names, files=files):
                        self.backward(*self.EXAMPLE, outputs=outputs, files=files)
                        for name, path in OUTPUTS.items():
                            self.assertEqual((self.folder / path).exists(), name in names)
                            if name in names:
                                np.testing.assert_array_equal(self.load(path), expected[name])
                                (self.folder / path).unlink()

    def test_output_size(self):
        self.save_example()
        self.backward(*self.EXAMPLE)
        expected = [self.load(name).tobytes() for name in OUTPUTS.values()]
        for size in "4,6,8", "1,3,4,6,8":
            self.backward(*self.EXAMPLE, "--output-size", size)
            self.assertEqual([self.load(name).tobytes() for name in OUTPUTS.values()], expected)

    def test_threads_do_not_change_the_bits(self):
        for name, shape in ("x.npy", (2, 5, 6, 7, 19)), ("w.npy", (5, 20, 3, 3, 3)), ("g.npy", (2, 20, 13, 15, 39)):
            self.save_random(name, shape)
        results = set()
        for threads in 1, 2, 5:
            self.backward("--stride", 2, "--threads", threads)
            results.add(tuple((self.folder / name).read_bytes() for name in OUTPUTS.values()))
        self.assertEqual(len(results), 1)

    def test_report(self):
        self.save_example()
        report = self.backward(*self.EXAMPLE, "--threads", 2)
        self.assertRegex(
            report,
            r"\Agrad_output  \(1, 3, 4, 6, 8\) ncdhw\n"
            r"type         f32\n"
            r"threads      2\n"
            r"grad-input   \(1, 2, 2, 3, 4\) -> gx\.npy: [0-9.]+ ms, [0-9.]+ GFLOP/s, \w+\n"
            r"grad-weight  \(2, 3, 3, 3, 3\) -> gw\.npy: [0-9.]+ ms, [0-9.]+ GFLOP/s, \w+\n"
            r"grad-bias    \(3,\) -> gb\.npy: [0-9.]+ ms\n\Z",
        )

    # ------------------------------------------------------------------------------------------------ refused

    ALL = ("backward", "--grad-output", "g.npy", "--grad-input", "gx.npy", "--grad-weight", "gw.npy", "--grad-bias",
           "gb.npy", "--stride", 2, "--padding", 1)  # fmt: skip

    def test_missing_options(self):
        self.save_example()
        x, w, g = ["--input", "x.npy"], ["--weight", "w.npy"], ["--grad-output", "g.npy"]
        self.fail_with("--grad-output is required", "backward", *x, *w, "--grad-input", "gx.npy")
        self.fail_with("one of --grad-input, --grad-weight and --grad-bias is needed", "backward", *x, *w, *g)
        self.fail_with("--grad-input needs --weight", *self.ALL, *x)
        grad_x, grad_w = ["--grad-input", "gx.npy"], ["--grad-weight", "gw.npy"]
        kernel = ["--kernel-size", 3, "--out-channels", 3]
        self.fail_with("--grad-input needs --weight", "backward", *x, *g, *grad_x, *kernel)
        self.fail_with("--grad-input needs --input, or else --input-size", "backward", *w, *g, *grad_x)
        self.fail_with("--grad-weight needs --input", "backward", *w, *g, *grad_w, "--input-size", "1,2,2,3,4")
        needs = "--grad-weight needs --weight, or else --kernel-size and --out-channels"
        self.fail_with(needs, "backward", *x, *g, *grad_w, "--kernel-size", 3)
        self.fail_with(needs, "backward", *x, *g, *grad_w, "--out-channels", 3)
        self.fail_with("--input-size", "backward", *x, *w, *g, *grad_x, "--input-size", "1,2,2,3,4")
        self.fail_with("--kernel-size", "backward", *x, *w, *g, *grad_x, "--kernel-size", 3)
        self.fail_with("--out-channels", "backward", *x, *w, *g, *grad_x, "--out-channels", 3)

    def test_sizes_that_disagree(self):
        self.save_example()
        files = ["--input", "x.npy", "--weight", "w.npy"]
        for shape in (1, 3, 4, 6, 9), (1, 3, 2, 6, 8), (1, 4, 4, 6, 8), (2, 3, 4, 6, 8), (3, 4, 6, 8), (6, 8), ():
            with self.subTest(shape):
                self.save_random("bad.npy", shape)
                arguments = ["bad.npy" if part == "g.npy" else part for part in self.ALL]
                self.fail_with("", *arguments, *files)
                self.fail_with("", *arguments, *files, "--layout", "ndhwc")
                bias = ["backward", "--grad-output", "bad.npy", "--grad-bias", "gb.npy", *self.EXAMPLE]
                self.fail_with("", *bias, *files)
        self.save_random("bad.npy", (1, 4, 2, 3, 4))
        self.fail_with("to have 2 channels, but got 4", *self.ALL, "--input", "bad.npy", "--weight", "w.npy")
        self.save_random("bad.npy", (2, 3, 3, 3))
        self.fail_with("a weight has 5 dimensions", *self.ALL, "--input", "x.npy", "--weight", "bad.npy")
        self.fail_with("--output-size: grad_output has another size", *self.ALL, *files, "--output-size", "3,5,7")
        self.fail_with("requested an output size", *self.ALL, *files, "--output-size", "9,9,9")
        bias = ["backward", "--grad-output", "g.npy", "--grad-bias", "gb.npy"]
        self.fail_with("expected grad_output to have 4 channels", *bias, "--out-channels", 4)
        self.fail_with("divisible by groups", *bias, "--groups", 2)

    def test_types_that_disagree(self):
        self.save_example()
        files = ["--input", "x.npy", "--weight", "w.npy"]
        self.fail_with(
            "--dtype: f64 needs a grad_output of f64, but g.npy has f32", *self.ALL, *files, "--dtype", "f64"
        )
        self.save("x.npy", self.load("x.npy").astype("f8"))
        self.fail_with("input and grad_output must have the same type, but got f64 and f32", *self.ALL, *files)

    def test_files_and_options(self):
        self.save_example()
        files = ["--input", "x.npy", "--weight", "w.npy"]
        self.fail_with("missing.npy: No such file", *self.ALL, "--input", "missing.npy", "--weight", "w.npy")
        self.fail_with("missing.npy: No such file", *self.ALL, "--input", "x.npy", "--weight", "missing.npy")
        (self.folder / "bad.npy").write_bytes((self.folder / "g.npy").read_bytes()[:-1])
        self.fail_with("bad.npy: truncated", *["bad.npy" if a == "g.npy" else a for a in self.ALL], *files)
        self.fail_with("missing/gw.npy: cannot be written",
                       *["missing/gw.npy" if a == "gw.npy" else a for a in self.ALL], *files)  # fmt: skip
        self.fail_with("--grad-input and --grad-bias name the same file",
                       *["./gx.npy" if a == "gb.npy" else a for a in self.ALL], *files)  # fmt: skip
        self.fail_with("unknown variant: no_such", *self.ALL, *files, "--variant", "no_such")
        self.fail_with("is for operator forward, which is not asked for", *self.ALL, *files, "--variant",
                       "ncdhw_columns_4x8_s1_baseline")  # fmt: skip
        self.fail_with("--planning", *self.ALL, *files, "--planning", "measure")
        self.fail_with("stride", *self.ALL[:-4], *files, "--stride", 0)

    def test_an_input_may_be_replaced(self):
        expected = self.save_example()
        self.backward(*self.EXAMPLE, outputs={"grad-input": "x.npy", "grad-weight": "w.npy", "grad-bias": "g.npy"})
        for name, values in zip(("x.npy", "w.npy", "g.npy"), expected, strict=True):
            np.testing.assert_array_equal(self.load(name), values)


if __name__ == "__main__":
    main()
