"""`unstride run` computes what the reference does, of every option and with every variant."""

import itertools
import json

import numpy as np
from cli_support import (
    DTYPES,
    GEOMETRIES,
    CommandLineTest,
    conv_transpose3d,
    decode,
    encode,
    main,
    types_of_each,
)


def option_text(value):
    return str(value) if isinstance(value, int) else ",".join(map(str, value))


class RunTest(CommandLineTest):
    def test_output_size_of_all_dimensions(self):
        """As PyTorch takes it, with a batch or without, in the order N, C, D, H, W for every layout."""
        self.save_random("w.npy", (2, 5, 3, 3, 3))
        for layout, batch in itertools.product(("ncdhw", "ndhwc"), ((), (4,))):
            self.save_random("x.npy", batch + ((2, 3, 4, 6) if layout == "ncdhw" else (3, 4, 6, 2)))
            run = ["run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2, "--layout", layout]
            self.succeed(*run, "--output-size", "8,9,14", "--output", "y.npy")
            self.succeed(*run, "--output-size", option_text((*batch, 5, 8, 9, 14)), "--output", "z.npy")
            self.assertEqual((self.folder / "y.npy").read_bytes(), (self.folder / "z.npy").read_bytes())
            wrong = (5, 8, 9, 14) if batch else (1, 5, 8, 9, 14)
            self.fail_with("output_size", *run, "--output-size", option_text(wrong), "--output", "z.npy")

    # input (N, C, D, H, W), weight, options
    GEOMETRIES = [
        *GEOMETRIES,
        ((1, 4, 3, 3, 17), (4, 33, 3, 3, 3), {"stride": 2, "padding": 1, "output_size": (6, 5, 34)}),
        ((1, 3, 2, 3, 4), (3, 2, 3, 3, 3), {"stride": 2, "padding_end": 1}),
        ((1, 3, 2, 3, 4), (3, 2, 3, 3, 3), {"stride": 2, "padding": (-1, 2, -3), "padding_end": 0}),
        ((0, 2, 0, 3, 3), (2, 2, 2, 2, 2), {}),
    ]

    def check(self, x, w, b, options, layout="ncdhw", batched=True, extra=(), types="f32"):
        """The file tells the input's type, and --dtype that of an output which has another one."""
        input_type, output_type = types_of_each(types)
        x = decode(encode(x, input_type))

        def channels_last(array):
            return np.moveaxis(array, 1, -1) if layout == "ndhwc" else array

        self.save(
            "x.npy", encode(np.ascontiguousarray(channels_last(x) if batched else channels_last(x)[0]), input_type)
        )
        self.save("w.npy", w)
        arguments = ["--layout", layout, *extra]
        if input_type != output_type:
            arguments += ["--dtype", types]
        if b is not None:
            self.save("b.npy", b)
            arguments += ["--bias", "b.npy"]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), option_text(value)]
        report = self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy", *arguments)

        y = np.load(self.folder / "y.npy")
        output_dtype, output_rounding = DTYPES[output_type]
        self.assertEqual(y.dtype.str, output_dtype)
        self.assertTrue(y.flags.c_contiguous)
        expected = conv_transpose3d(x, w, b, **options)
        # A sum of n products is off by no more than n roundings of the sum of the magnitudes; with minimal filters, by
        # those of a neighbour's sum, too. Sums of 16-bit numbers are f32, and rounded once more.
        magnitudes = conv_transpose3d(abs(x), abs(w), None if b is None else abs(b), **options)
        terms = w[:, 0].size // options.get("groups", 1) + 2
        expected, magnitudes = (channels_last(a) if batched else channels_last(a)[0] for a in (expected, magnitudes))
        self.assertEqual(y.shape, expected.shape)
        roundings = terms * min(output_rounding, 2.0**-24) + output_rounding
        self.assertTrue((abs(decode(y) - expected) <= roundings * magnitudes.max(initial=0)).all())
        return report

    def test_geometries(self):
        for layout in "ncdhw", "ndhwc":
            for x_shape, w_shape, options in self.GEOMETRIES:
                with self.subTest(layout=layout, input=x_shape, weight=w_shape, **options):
                    x, w = (self.random.uniform(-1, 1, s).astype(np.float32) for s in (x_shape, w_shape))
                    b = self.random.uniform(-1, 1, w_shape[1] * options.get("groups", 1)).astype(np.float32)
                    self.check(x, w, b, options, layout)
                    self.check(x, w, None, options, layout)
                    if x_shape[0] == 1:
                        self.check(x, w, b, options, layout, batched=False)

    # The same in one and two dimensions.
    LOWER_GEOMETRIES = [
        (1, (2, 3, 9), (3, 4, 4), {"stride": 2, "padding": 1}),
        (1, (1, 6, 9), (6, 2, 3), {"stride": 3, "groups": 3, "dilation": 2, "output_size": 30}),
        (2, (2, 3, 4, 5), (3, 4, 3, 2), {"stride": (2, 1), "padding": (0, 1), "output_padding": (1, 0)}),
        (2, (1, 3, 4, 5), (3, 2, 3, 3), {"stride": 2, "padding_end": (1, -3), "dilation": (1, 2)}),
        (2, (1, 3, 4, 5), (3, 2, 3, 3), {"stride": 2, "output_size": (10, 11)}),
    ]

    def test_lower_dimensions(self):
        for layout in "ncdhw", "ndhwc":
            for dims, x_shape, w_shape, options in self.LOWER_GEOMETRIES:
                with self.subTest(layout=layout, dims=dims, input=x_shape, weight=w_shape, **options):
                    x, w = (self.random.uniform(-1, 1, s).astype(np.float32) for s in (x_shape, w_shape))
                    for batched in {True, x_shape[0] > 1}:
                        self.check_lower(dims, x, w, options, layout, batched)

    def check_lower(self, dims, x, w, options, layout, batched):
        missing = tuple(range(2, 5 - dims))

        def in_three(name, value):
            value = (value,) * dims if isinstance(value, int) else value
            return (int(name in ("stride", "dilation", "output_size")),) * len(missing) + value

        in_three_options = {
            name: value if name == "groups" else in_three(name, value) for name, value in options.items()
        }
        expected = conv_transpose3d(
            np.expand_dims(x, missing), np.expand_dims(w, missing), None, **in_three_options
        ).squeeze(missing)
        x, expected = (np.moveaxis(a, 1, -1) if layout == "ndhwc" else a for a in (x, expected))
        x, expected = (a if batched else a[0] for a in (x, expected))
        self.save("x.npy", np.ascontiguousarray(x))
        self.save("w.npy", w)
        arguments = [
            part for name, value in options.items() for part in [f"--{name.replace('_', '-')}={option_text(value)}"]
        ]
        self.succeed(
            "run",
            "--input",
            "x.npy",
            "--weight",
            "w.npy",
            "--output",
            "y.npy",
            "--layout",
            layout,
            *arguments,
            "--dims",
            dims,
        )
        y = np.load(self.folder / "y.npy")
        self.assertEqual(y.shape, expected.shape)
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-5)

    def test_activation_and_residual(self):
        x, w, b = (
            self.random.standard_normal(shape).astype(np.float32) for shape in ((2, 4, 3, 4, 5), (4, 3, 3, 3, 3), (3,))
        )
        plain = conv_transpose3d(x, w, b, stride=2)
        r = self.random.standard_normal(plain.shape).astype(np.float32)
        slopes = np.array([0.5, -1, 2]).reshape(1, 3, 1, 1, 1)
        for activation, apply in {
            "relu": lambda v: np.maximum(v, 0),
            "leaky_relu:0.25": lambda v: np.where(v < 0, 0.25 * v, v),
            "prelu:0.5,-1,2": lambda v: np.where(v < 0, slopes * v, v),
            "elu": lambda v: np.where(v < 0, np.expm1(v), v),
            "silu": lambda v: v / (1 + np.exp(-v)),
            "tanh": np.tanh,
            "clamp:-1,2.5": lambda v: np.clip(v, -1, 2.5),
        }.items():
            for residual in (None, r):
                for layout in ("ncdhw", "ndhwc"):
                    order = lambda a: a if layout == "ncdhw" else np.moveaxis(a, 1, -1)  # noqa: B023, E731
                    arguments = ["--activation", activation, "--layout", layout]
                    if residual is not None:
                        self.save("r.npy", np.ascontiguousarray(order(residual)))
                        arguments += ["--residual", "r.npy"]
                    self.save("x.npy", np.ascontiguousarray(order(x)))
                    self.save("w.npy", w)
                    self.save("b.npy", b)
                    self.succeed(
                        "run",
                        "--input",
                        "x.npy",
                        "--weight",
                        "w.npy",
                        "--bias",
                        "b.npy",
                        "--stride",
                        2,
                        "--output",
                        "y.npy",
                        *arguments,
                    )
                    expected = apply(plain if residual is None else plain + residual)
                    np.testing.assert_allclose(np.load(self.folder / "y.npy"), order(expected), rtol=1e-4, atol=1e-4)

    def test_report(self):
        x, w = np.ones((1, 2, 3, 4, 5), np.float32), np.ones((2, 3, 2, 2, 2), np.float32)
        report = self.check(x, w, None, {}, extra=["--threads", "2", "--device", "cpu"])
        for text in (
            "(1, 2, 3, 4, 5)",
            "(2, 3, 2, 2, 2)",
            "(1, 3, 4, 5, 6)",
            "y.npy",
            "type     f32\n",
            "ncdhw_",
            "GFLOP/s",
        ):
            self.assertIn(text, report)
        self.assertIn("type     bf16-f32\n", self.check(x, w, None, {}, types="bf16-f32"))
        self.assertRegex(
            self.check(x, w, None, {}, extra=["--repeat"]), r"GFLOP/s \(second call; the first took [0-9.]+ ms\)"
        )

    def test_planning(self):
        """What is measured has the same bytes, and is reported after the calls that try candidates."""
        run = ["run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2]
        tried = r"reason   measured fastest of \d+ candidates .+\n(?:.+\n)+forward .+ \(after \d+ calls that tried"
        for shape in (1, 4, 2, 6, 20), (0, 4, 2, 6, 20):
            self.save_random("w.npy", (4, 35, 3, 3, 3))
            for layout in "ncdhw", "ndhwc":
                self.save_random("x.npy", shape if layout == "ncdhw" else (shape[0], *shape[2:], 4))
                for extra in ["--planning", "estimate"], []:
                    self.assertNotIn("reason", self.succeed(*run, "--layout", layout, "--output", "y.npy", *extra))
                expected = (self.folder / "y.npy").read_bytes()
                for extra, environment in (
                    (["--planning", "measure"], "estimate"),
                    (["--planning", "measure", "--repeat"], ""),
                    ([], "measure"),
                    ([], "remember"),
                ):
                    with self.subTest(shape=shape, layout=layout, extra=extra, environment=environment):
                        report = self.succeed(
                            *run, "--layout", layout, "--output", "z.npy", *extra, UNSTRIDE_PLANNING=environment
                        )
                        self.assertEqual((self.folder / "z.npy").read_bytes(), expected)
                        if shape[0] > 0:
                            self.assertRegex(report, tried)
                        else:
                            self.assertNotIn("reason", report)
        message = "UNSTRIDE_PLANNING: expected estimate, measure or remember, but got 'fast'"
        self.fail_with(message, *run, "--output", "y.npy", UNSTRIDE_PLANNING="fast")

    def test_every_variant(self):
        def uniform(*shape):
            return self.random.uniform(-1, 1, shape).astype(np.float32)

        def layer(depthwise, size):
            """Input, weight and options."""
            if depthwise:
                return uniform(1, 19, 2, 3, 20), uniform(19, 1, size, size, size), {"stride": 2, "groups": 19}
            return uniform(1, 4, 2, 3, 20), uniform(4, 35, size, size, size), {"stride": 2}

        ran = 0
        for variant in json.loads(self.succeed("list", "--json")):
            if variant["operator"] == "forward" and variant["runs_here"] and variant["stride_x"] in (1, 2):
                with self.subTest(variant["name"]):
                    x, w, options = layer(variant["family"] == "depthwise", variant["known_kernel"] or 3)
                    if variant["family"] == "pairs":  # for weights of bf16 only
                        w = decode(encode(w, "bf16")).astype(np.float32)
                    report = self.check(
                        x,
                        w,
                        None,
                        options,
                        variant["layout"],
                        extra=["--variant", variant["name"], "--device", variant["device"]],
                        types=variant["dtype"],
                    )
                    self.assertIn(variant["name"], report)
                    ran += 1
        self.assertGreater(ran, 0)

    def test_variants_that_cannot_take_the_numbers(self):
        """What is forced runs or is refused, with the condition; the planner finds another variant."""
        x = self.random.uniform(-1, 1, (1, 4, 2, 3, 20))
        self.save_random("w.npy", (4, 35, 3, 3, 3))
        conditions = {
            "winograd": "needs an input and weights below 2^50 in magnitude, without NaN",
            "pairs": "needs weights that bf16 has without rounding",
        }
        x[0, 0, 0, 0, 0] = np.nan
        families = set()
        for variant in json.loads(self.succeed("list", "--json")):
            family = variant["family"]
            is_forward = variant["operator"] == "forward"
            if is_forward and variant["runs_here"] and variant["stride_x"] in (1, 2) and family in conditions:
                ordered = x if variant["layout"] == "ncdhw" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
                self.save("x.npy", encode(ordered, types_of_each(variant["dtype"])[0]))
                run = [
                    "run",
                    "--input",
                    "x.npy",
                    "--weight",
                    "w.npy",
                    "--output",
                    "y.npy",
                    "--stride",
                    2,
                    "--layout",
                    variant["layout"],
                    "--dtype",
                    variant["dtype"],
                ]
                name = variant["name"]
                with self.subTest(name):
                    self.fail_with(f"variant {name} {conditions[family]}", *run, "--variant", name)
                    families.add(family)
        self.assertIn("winograd", families)
        self.succeed(*run)

    def test_threads_do_not_change_the_bits(self):
        self.save_random("x.npy", (2, 5, 6, 7, 19))
        self.save_random("w.npy", (5, 20, 3, 3, 3))
        for name, threads in ("one.npy", 1), ("many.npy", 5):
            self.succeed(
                "run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2, "--output", name, "--threads", threads
            )
        self.assertEqual((self.folder / "one.npy").read_bytes(), (self.folder / "many.npy").read_bytes())


if __name__ == "__main__":
    main()
