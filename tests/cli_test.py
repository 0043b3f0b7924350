"""Tests of the command line. Usage: python cli_test.py PATH_TO_UNSTRIDE [unittest arguments]"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

import numpy as np

import cli_support
from cli_support import DTYPES, TYPES, CommandLineTest, conv_transpose3d, decode, encode, npy_bytes, types_of_each

def option_text(value):
    return str(value) if isinstance(value, int) else ",".join(map(str, value))


class RunTest(CommandLineTest):
    # input (N, C, D, H, W), weight, options
    GEOMETRIES = [
        ((2, 3, 3, 4, 5), (3, 4, 3, 3, 3), {"stride": 2}),
        ((1, 2, 3, 6, 5), (2, 3, 3, 5, 2), {"stride": (2, 1, 1), "padding": (0, 4, 2)}),
        ((2, 6, 3, 2, 4), (6, 5, 2, 3, 3), {"groups": 3, "stride": (1, 2, 3), "padding": 1}),
        ((1, 5, 3, 3, 9), (5, 1, 3, 3, 3), {"groups": 5, "stride": 2, "padding": 1, "output_padding": 1}),
        ((1, 2, 3, 4, 7), (2, 3, 2, 3, 3), {"dilation": (2, 3, 2), "stride": (2, 1, 4), "output_padding": (1, 2, 3)}),
        ((1, 3, 2, 3, 4), (3, 2, 1, 1, 1), {"stride": 3}),
        ((1, 4, 3, 3, 17), (4, 33, 3, 3, 3), {"stride": 2, "padding": 1, "output_size": (6, 5, 34)}),
        ((0, 2, 3, 3, 3), (2, 2, 2, 2, 2), {}),
        ((1, 3, 2, 3, 4), (3, 2, 3, 3, 3), {"stride": 2, "padding_end": 1}),
        ((1, 3, 2, 3, 4), (3, 2, 3, 3, 3), {"stride": 2, "padding": 1, "padding_end": (0, 3, -5), "output_padding": 1}),
    ]

    def check(self, x, w, b, options, layout="ncdhw", batched=True, extra=(), types="f32"):
        """The file tells the input's type, and --dtype that of an output which has another one."""
        input_type, output_type = types_of_each(types)
        x = decode(encode(x, input_type))

        def channels_last(array):
            return np.moveaxis(array, 1, -1) if layout == "ndhwc" else array

        self.save("x.npy", encode(np.ascontiguousarray(channels_last(x) if batched else channels_last(x)[0]), input_type))
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
        # A sum of n products is off by no more than n roundings of the sum of the magnitudes, with minimal filters of a neighbour's. Sums of
        # 16 bits are f32, and rounded once more.
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

        in_three_options = {name: value if name == "groups" else in_three(name, value) for name, value in options.items()}
        expected = conv_transpose3d(np.expand_dims(x, missing), np.expand_dims(w, missing), None, **in_three_options).squeeze(missing)
        x, expected = (np.moveaxis(a, 1, -1) if layout == "ndhwc" else a for a in (x, expected))
        x, expected = (a if batched else a[0] for a in (x, expected))
        self.save("x.npy", np.ascontiguousarray(x))
        self.save("w.npy", w)
        arguments = [part for name, value in options.items() for part in [f"--{name.replace('_', '-')}={option_text(value)}"]]
        self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy", "--layout", layout, *arguments, "--dims", dims)
        y = np.load(self.folder / "y.npy")
        self.assertEqual(y.shape, expected.shape)
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-5)

    def test_activation_and_residual(self):
        x, w, b = (self.random.standard_normal(shape).astype(np.float32) for shape in ((2, 4, 3, 4, 5), (4, 3, 3, 3, 3), (3,)))
        plain = conv_transpose3d(x, w, b, stride=2)
        r = self.random.standard_normal(plain.shape).astype(np.float32)
        slopes = np.array([0.5, -1, 2]).reshape(1, 3, 1, 1, 1)
        for activation, apply in {"relu": lambda v: np.maximum(v, 0), "leaky_relu:0.25": lambda v: np.where(v < 0, 0.25 * v, v),
                                  "prelu:0.5,-1,2": lambda v: np.where(v < 0, slopes * v, v), "elu": lambda v: np.where(v < 0, np.expm1(v), v),
                                  "silu": lambda v: v / (1 + np.exp(-v)), "tanh": np.tanh, "clamp:-1,2.5": lambda v: np.clip(v, -1, 2.5)}.items():
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
                    self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--bias", "b.npy", "--stride", 2, "--output", "y.npy", *arguments)
                    expected = apply(plain if residual is None else plain + residual)
                    np.testing.assert_allclose(np.load(self.folder / "y.npy"), order(expected), rtol=1e-4, atol=1e-4)

    def test_report(self):
        x, w = np.ones((1, 2, 3, 4, 5), np.float32), np.ones((2, 3, 2, 2, 2), np.float32)
        report = self.check(x, w, None, {}, extra=["--threads", "2", "--device", "cpu"])
        for text in "(1, 2, 3, 4, 5)", "(2, 3, 2, 2, 2)", "(1, 3, 4, 5, 6)", "y.npy", "type     f32\n", "ncdhw_", "GFLOP/s":
            self.assertIn(text, report)
        self.assertIn("type     bf16-f32\n", self.check(x, w, None, {}, types="bf16-f32"))

    def test_every_variant(self):
        def uniform(*shape):
            return self.random.uniform(-1, 1, shape).astype(np.float32)

        layers = [(uniform(1, 4, 2, 3, 20), uniform(4, 35, 3, 3, 3), {"stride": 2}),
                  (uniform(1, 19, 2, 3, 20), uniform(19, 1, 3, 3, 3), {"stride": 2, "groups": 19})]
        ran = 0
        for variant in json.loads(self.succeed("list", "--json")):
            if variant["runs_here"] and variant["stride_x"] in (1, 2):
                with self.subTest(variant["name"]):
                    layer = layers[variant["family"] == "depthwise"]
                    report = self.check(*layer[:2], None, layer[2], variant["layout"],
                                        extra=["--variant", variant["name"], "--device", variant["device"]], types=variant["dtype"])
                    self.assertIn(variant["name"], report)
                    ran += 1
        self.assertGreater(ran, 0)

    def test_threads_do_not_change_the_bits(self):
        self.save_random("x.npy", (2, 5, 6, 7, 19))
        self.save_random("w.npy", (5, 20, 3, 3, 3))
        for name, threads in ("one.npy", 1), ("many.npy", 5):
            self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2, "--output", name, "--threads",
                         threads)
        self.assertEqual((self.folder / "one.npy").read_bytes(), (self.folder / "many.npy").read_bytes())

    def test_other_npy_headers(self):
        values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
        data = values.tobytes()
        self.save("w.npy", np.ones((1, 1, 1, 1, 1), np.float32))
        for content in (
                npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }\n", data, (2, 0)),
                npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }\n", data, (3, 0)),
                npy_bytes('  {"shape":(1,2,3,4,),\t"descr":"<f4","fortran_order":False}', data)):
            (self.folder / "x.npy").write_bytes(content)
            self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy")
            np.testing.assert_array_equal(np.load(self.folder / "y.npy"), values)

    def test_output_through_a_link_and_over_an_input(self):
        x = self.save_random("x.npy", (1, 2, 3, 4))
        self.save("w.npy", np.ones((1, 1, 1, 1, 1), np.float32))
        (self.folder / "link.npy").symlink_to("y.npy")
        self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "link.npy")
        self.assertTrue((self.folder / "link.npy").is_symlink())
        np.testing.assert_array_equal(np.load(self.folder / "y.npy"), x)
        self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "x.npy")
        np.testing.assert_array_equal(np.load(self.folder / "x.npy"), x)
        self.assertEqual(len(list(self.folder.iterdir())), 4)


class TypesTest(CommandLineTest):
    def save_integers(self, name, shape, dtype="f32"):
        """So few and small that sums of the layers here are exact in every type, bf16 with its 8 bits included."""
        values = self.random.integers(-2, 3, shape).astype(np.float64)
        self.save(name, encode(values, dtype))
        return values

    def load(self, name):
        return np.load(self.folder / name)

    def run_types(self, *arguments, output="y.npy", weight="w.npy"):
        self.succeed("run", "--input", "x.npy", "--weight", weight, "--stride", 2, "--output", output, *arguments)
        return self.load(output)

    def test_every_type(self):
        for types in TYPES:
            input_type, output_type = types_of_each(types)
            x, w, b = self.save_integers("x.npy", (2, 4, 3, 4, 5), input_type), self.save_integers("w.npy", (4, 3, 3, 3, 3)), self.save_integers("b.npy", 3)
            expected = conv_transpose3d(x, w, b, stride=2)
            self.assertLessEqual(abs(expected).max(), 2**8)
            for layout in "ncdhw", "ndhwc":
                with self.subTest(types, layout=layout):
                    order = lambda a: np.ascontiguousarray(a if layout == "ncdhw" else np.moveaxis(a, 1, -1))  # noqa: B023, E731
                    self.save("x.npy", encode(order(x), input_type))
                    y = self.run_types("--bias", "b.npy", "--layout", layout, "--dtype", types)
                    self.assertEqual(y.dtype.str, DTYPES[output_type][0])
                    np.testing.assert_array_equal(decode(y), order(expected))

                    r = self.save_integers("r.npy", order(expected).shape, output_type)
                    y = self.run_types("--bias", "b.npy", "--layout", layout, "--dtype", types, "--residual", "r.npy", "--activation", "relu")
                    np.testing.assert_array_equal(decode(y), np.maximum(order(expected) + r, 0))

    def test_the_file_tells_the_type(self):
        self.save_integers("w.npy", (2, 3, 3, 3))
        for dtype in DTYPES:
            with self.subTest(dtype):
                self.save_integers("x.npy", (2, 4, 5), dtype)
                y = self.run_types("--dims", 2)
                self.assertEqual(y.dtype.str, DTYPES[dtype][0])
                self.assertEqual(y.tobytes(), self.run_types("--dims", 2, "--dtype", dtype).tobytes())

    def test_round_trips(self):
        """Files that pass through a layer of ones stay the same, byte for byte; that of bf16 is as an array of ml_dtypes.bfloat16 is saved."""
        self.save("w.npy", np.ones((1, 1, 1, 1, 1), np.float32))
        values = np.array([1, -1 / 3, 65504, 2.0**-14, np.inf, 0]).reshape(1, 1, 2, 3)
        for dtype in DTYPES:
            with self.subTest(dtype):
                x = self.save("x.npy", encode(values, dtype))
                if dtype == "bf16":
                    header = "{'descr': '<V2', 'fortran_order': False, 'shape': (1, 1, 2, 3), }"
                    (self.folder / "x.npy").write_bytes(npy_bytes(header.ljust(117) + "\n", x.tobytes()))
                self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy")
                self.assertEqual((self.folder / "y.npy").read_bytes(), (self.folder / "x.npy").read_bytes())
                self.save("x.npy", self.load("y.npy"))  # '|V2' if it was '<V2'
                self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "again.npy")
                self.assertEqual((self.folder / "y.npy").read_bytes(), (self.folder / "again.npy").read_bytes())

    def test_sums_of_f64(self):
        x, w, b = (self.save(name, self.random.uniform(-1, 1, shape)) for name, shape in (("x.npy", (1, 5, 3, 4, 9)), ("w.npy", (5, 6, 3, 3, 3)), ("b.npy", 6)))
        np.testing.assert_allclose(self.run_types("--bias", "b.npy"), conv_transpose3d(x, w, b, stride=2), rtol=0, atol=1e-13)

    def test_sums_of_16_bits_are_rounded_once(self):
        x, w = self.random.uniform(-1, 1, (1, 40, 3, 4, 9)), self.random.uniform(-1, 1, (40, 6, 3, 3, 3)).astype(np.float32)
        self.save("w.npy", w)
        for dtype in "f16", "bf16":
            with self.subTest(dtype):
                self.save("x.npy", encode(x, dtype))
                in_f32 = self.run_types("--dtype", dtype + "-f32")
                np.testing.assert_allclose(in_f32, conv_transpose3d(decode(encode(x, dtype)), w, stride=2), rtol=0, atol=1e-4)
                np.testing.assert_allclose(decode(self.run_types()), in_f32, rtol=DTYPES[dtype][1], atol=1e-4)

    def test_weights_of_any_type(self):
        w, b = self.save_integers("w.npy", (4, 3, 3, 3, 3)), self.save_integers("b.npy", 3)
        for types in TYPES:
            self.save_integers("x.npy", (1, 4, 3, 4, 5), types_of_each(types)[0])
            expected = self.run_types("--bias", "b.npy", "--dtype", types)
            for dtype in DTYPES:
                with self.subTest(types, weight=dtype):
                    self.save("other_w.npy", encode(w, dtype))
                    self.save("other_b.npy", encode(b, dtype))
                    y = self.run_types("--bias", "other_b.npy", "--dtype", types, weight="other_w.npy")
                    self.assertEqual(y.tobytes(), expected.tobytes())

    def test_disagreement(self):
        for dtype in DTYPES:
            self.save_integers(f"{dtype}.npy", (1, 2, 3, 4, 5), dtype)
        self.save_integers("w.npy", (2, 3, 3, 3, 3))
        self.save_integers("r.npy", (1, 3, 5, 6, 7), "f16")
        variant = next(v for v in json.loads(self.succeed("list", "--json"))
                       if v["runs_here"] and (v["dtype"], v["layout"], v["device"], v["stride_x"]) == ("bf16", "ncdhw", "cpu", 1))["name"]

        def refuse(fragment, dtype, *arguments):
            self.fail_with(fragment, "run", "--input", f"{dtype}.npy", "--weight", "w.npy", "--output", "new.npy", *arguments)

        for types in TYPES:
            needed = types_of_each(types)[0]
            for dtype in DTYPES:
                if dtype != needed:
                    refuse(f"--dtype: {types} needs an input of {needed}, but {dtype}.npy has {dtype}", dtype, "--dtype", types)
        refuse("expected a residual of the output's type f32, but got f16", "f32", "--residual", "r.npy")
        refuse("expected a residual of the output's type f32, but got f16", "f16", "--residual", "r.npy", "--dtype", "f16-f32")
        refuse(f"--variant: {variant} is for type bf16, not f32", "f32", "--variant", variant)
        refuse(f"--variant: {variant} is for type bf16, not bf16-f32", "bf16", "--variant", variant, "--dtype", "bf16-f32")

    def test_bad_names(self):
        self.save_integers("x.npy", (1, 2, 3, 4, 5))
        self.save_integers("w.npy", (2, 3, 3, 3, 3))
        for command in (["run", "--input", "x.npy", "--weight", "w.npy", "--output", "new.npy"],
                        ["plan", "--input-size", "1,2,3,4,5", "--out-channels", 3, "--kernel-size", 3], ["bench"]):
            for bad in "f8", "", "F32", "bfloat16", "f16-", "f32-f32", "f32,f64":
                self.fail_with(f"--dtype: the type has to be one of f32, f64, f16, bf16, f16-f32, bf16-f32, but got '{bad}'", *command, "--dtype", bad)
            for bad in "f32-f16", "f64-f32", "bf16-f16":
                self.fail_with("--dtype: ", *command, "--dtype", bad)


class RunErrorTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.save_random("x.npy", (1, 2, 3, 4, 5))
        self.save_random("w.npy", (2, 3, 3, 3, 3))
        self.save_random("b.npy", (3,))
        self.save("y.npy", np.zeros(3))

    def refuse(self, fragment, *extra, **files):
        """`run` fails both where the output exists already and where it does not."""
        files = {"input": "x.npy", "weight": "w.npy", **files}
        arguments = [part for name, value in files.items() for part in ("--" + name, value)]
        for output in [] if "output" in files else ["y.npy", "new.npy"]:
            self.fail_with(fragment, "run", *arguments, "--output", output, *extra)
        if "output" in files:
            self.fail_with(fragment, "run", *arguments, *extra)

    def test_options(self):
        self.refuse("--stride: expected", "--stride", "2,2")
        self.refuse("'2,2'", "--stride", "2,2")
        for bad in "x", "", "1.5", "1,,1", "1,1,1,", " 1", "99999999999999999999", "0x10":
            self.refuse("--padding: expected", "--padding", bad)
        self.refuse("stride", "--stride", "0")
        self.refuse("stride", "--stride=1,-1,1")
        self.refuse("padding", "--padding", "-1")
        self.refuse("--padding-end: expected", "--padding-end", "1,2")
        self.refuse("padding_end is too large", "--padding-end=-9999999999")
        self.refuse("output padding must be smaller", "--output-padding", "1")
        self.refuse("dilation", "--dilation", "0")
        self.refuse("groups", "--groups", "0")
        self.refuse("divisible by groups", "--groups", "3")
        self.refuse("--groups", "--groups", "9223372036854775807")
        self.refuse("--output-size: expected", "--output-size", "7")
        self.refuse("requested an output size", "--output-size", "99,99,99")
        self.refuse("--layout: expected ncdhw or ndhwc, but got 'nchw'", "--layout", "nchw")
        self.refuse("--variant: expected a name", "--variant", "")
        self.refuse("no_such_variant", "--variant", "no_such_variant")
        here = {v["device"] for v in json.loads(self.succeed("list", "--json")) if v["runs_here"]}
        for device, text in ("cuda", "there is no CUDA device"), ("opencl", "there is no OpenCL device"):
            if device not in here:
                self.refuse(text, "--device", device)
        self.save_random("r.npy", (1, 1, 1, 1, 1))
        for bad in "swish", "", "relu:1", "leaky_relu:a", "clamp:1", "prelu", "prelu:1,", "elu:1,2":
            self.refuse("--activation: expected", "--activation", bad)
        self.refuse("clamp needs a low bound", "--activation", "clamp:2,1")
        self.refuse("Found parameter numbers = 7", "--activation", "prelu:1,2,3,4,5,6,7")
        self.refuse("expected a residual of the output's size", "--residual", "r.npy")
        self.refuse("missing.npy", "--residual", "missing.npy")
        self.refuse("--device: expected cpu, cuda or opencl, but got 'tpu'", "--device", "tpu")
        for threads in "0", "-1", "257", "4294967297":
            self.refuse("thread", "--threads", threads)
        self.refuse("--threads", "--threads", "two")
        self.refuse("--wat", "--wat")
        self.refuse("extra", "extra")
        self.refuse("--stride", "--stride")
        self.refuse("--stride", "--stride", "1", "--stride", "2")
        name = next(v["name"] for v in json.loads(self.succeed("list", "--json")) if v["layout"] == "ndhwc")
        self.refuse("ndhwc", "--variant", name, "--layout", "ncdhw")

    def test_lower_dimensions(self):
        self.refuse("--dims: expected 1, 2 or 3, but got '4'", "--dims", 4)
        self.refuse("a weight has 4 dimensions (C_in, C_out / groups, KH, KW)", "--dims", 2)
        self.refuse("a weight has 3 dimensions (C_in, C_out / groups, KW)", "--dims", 1)
        self.save_random("w2.npy", (2, 3, 3, 3))
        self.refuse("Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d", "--dims", 2, weight="w2.npy")
        self.save_random("x2.npy", (1, 2, 4, 5))
        files = {"input": "x2.npy", "weight": "w2.npy"}
        self.refuse("--stride: expected an integer or two as height,width, but got '1,2,3'", "--stride", "1,2,3", "--dims", 2, **files)
        self.refuse("--output-size: expected two integers as H,W, but got '9'", "--output-size", 9, "--dims", 2, **files)
        self.refuse("(4 x 5). Calculated output size per channel: (-12 x -11)", "--padding", 9, "--dims", 2, **files)

    def test_missing_options(self):
        self.fail_with("--input", "run", "--weight", "w.npy", "--output", "new.npy")
        self.fail_with("--weight", "run", "--input", "x.npy", "--output", "new.npy")
        self.fail_with("--output", "run", "--input", "x.npy", "--weight", "w.npy")
        self.fail_with("a command is needed")
        self.fail_with("walk", "walk")
        self.fail_with("plan", "list", "plan")

    def test_shapes(self):
        for shape in (), (3,), (1, 2, 3), (1, 1, 2, 3, 4, 5):
            with self.subTest(shape):
                self.save_random("bad.npy", shape)
                self.refuse("Expected 4D (unbatched) or 5D (batched) input", input="bad.npy")
                self.refuse("Expected 4D (unbatched) or 5D (batched) input", "--layout", "ndhwc", input="bad.npy")
        self.refuse("", "--layout", "ndhwc")
        for shape in (), (2, 3, 3, 3), (2, 3, 3, 3, 3, 1):
            self.save_random("bad.npy", shape)
            self.refuse("a weight has 5 dimensions", weight="bad.npy")
        for shape in (3, 3, 3, 3, 3), (2, 3, 0, 3, 3), (0, 3, 3, 3, 3), (2, 0, 3, 3, 3):
            self.save_random("bad.npy", shape)
            self.refuse("", weight="bad.npy")
        for shape in (), (2,), (3, 1):
            self.save_random("bad.npy", shape)
            self.refuse("bias", bias="bad.npy")
        self.refuse("Output size is too small", "--padding", "9")

    def test_files(self):
        (self.folder / "folder").mkdir()
        for option in "input", "weight", "bias":
            self.refuse("missing.npy: No such file", **{option: "missing.npy"})
            self.refuse("folder: not a regular file", **{option: "folder"})
        self.refuse("missing/y.npy: cannot be written", output="missing/y.npy")
        self.refuse("folder: cannot be written", output="folder")
        self.refuse("/dev/null: cannot be written", output="/dev/null")
        self.refuse("cannot be written", output="x.npy/y.npy")
        (self.folder / "loop").symlink_to("loop")
        self.refuse("loop: cannot be written", output="loop")
        (self.folder / "loop").unlink()
        for name in "input", "weight", "bias", "output":
            self.refuse(f"--{name}: expected a name", **{name: ""})
        self.refuse("cannot be written", output="a" * 300)
        self.refuse("two lines", input="two\nlines")

    def test_standard_output_that_cannot_be_written(self):
        for arguments in (["list"], ["list", "--json"], ["--help"], ["run", "--stride", "x"],
                          ["run", "--input", "x.npy", "--weight", "w.npy", "--output", "new.npy"]):
            with self.subTest(arguments), open("/dev/full", "w") as full:
                done = subprocess.run([cli_support.UNSTRIDE, *arguments], cwd=self.folder, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=120)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, r"\Aunstride: error: [^\n]+\n\Z")
        self.assertFalse((self.folder / "new.npy").exists())

    def test_malformed_npy(self):
        good = (self.folder / "x.npy").read_bytes()
        as_x = "'shape': (1, 2, 3, 4, 5), }"
        head = "{'descr': '<f4', 'fortran_order': False, "
        data = good[-480:]
        cases = {
            "not a .npy file": [b"", b"\x93NUMPY", b"PK\3\4 and more", b"\x93NUMPX" + good[6:]],
            "unknown .npy version": [good[:6] + b"\4\0" + good[8:], good[:6] + b"\1\1" + good[8:]],
            "truncated": [good[:8], good[:9], good[:40], good[:-1], good[:128],
                          npy_bytes(head + as_x, data, length=65535),
                          npy_bytes(head + as_x, data, (2, 0), 2**32 - 1)],
            "too long": [good + b"\0", good + good],
            "malformed .npy header": [npy_bytes(text, data) for text in (
                "", "{", "}", "{}", "[]", "nonsense", head, head + "}", head + as_x[:-1],
                head + as_x + "}", head + as_x + " x",
                "{'fortran_order': False, " + as_x, "{'descr': '<f4', " + as_x, head + "'extra': 1, " + as_x,
                head + "'descr': '<f4', " + as_x, head + "'shape': (1, 2, 3, 4, -5), }", head + "'shape': (1 2), }",
                head + "'shape': (1, 2, 3, 4, 5.0), }", head + "'shape': (120), }", head + "'shape': (, ), }",
                head + "'shape': (1, 2, 3, 4, 99999999999999999999), }", head + "'shape': None, }",
                head + "'shape': (1, 2, 3, 4, 5 }", "{'descr': <f4, 'fortran_order': False, " + as_x,
                "{'descr': '<f4, 'fortran_order': False, " + as_x, "{'descr': '<f4', 'fortran_order': 0, " + as_x,
                "{'descr': [('a', '<f4'), 'fortran_order': False, " + as_x,
                "{'descr': '<f4' 'fortran_order': False, " + as_x)],
            "is too large": [npy_bytes(head + "'shape': (4294967296, 4294967296, 1, 1, 1), }", data),
                             npy_bytes(head + "'shape': (9223372036854775807, 9223372036854775807), }", data)],
            "takes 4611686018427387904 bytes": [npy_bytes(head + "'shape': (1073741824, 1073741824), }", data)],
        }
        for fragment, contents in cases.items():
            for content in contents:
                with self.subTest(fragment, start=content[:80]):
                    (self.folder / "bad.npy").write_bytes(content)
                    self.refuse(fragment, input="bad.npy")
                    self.refuse("bad.npy: ", weight="bad.npy")

    def test_wrong_dtype_or_order(self):
        x = np.load(self.folder / "x.npy")
        for dtype in ">f4", ">f8", ">f2", "<i8", "<u2", "|u1", "<c8", "|b1", "<U3":
            self.save("bad.npy", x.astype(dtype))
            self.refuse(f"its dtype is '{dtype}', but one of f32 ('<f4'), f64 ('<f8'), f16 ('<f2'), bf16 ('<V2') is needed", input="bad.npy")
        for dtype in ">V2", "|V4", "<f16", "f4", "<f", "":
            (self.folder / "bad.npy").write_bytes(npy_bytes(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (3,), }}\n", bytes(6)))
            self.refuse(f"its dtype is '{dtype}', but one of f32", bias="bad.npy")
        for dtype, fragment in ("<f8", "truncated"), ("<f2", "too long"), ("<V2", "too long"), ("|V2", "too long"):
            (self.folder / "bad.npy").write_bytes((self.folder / "x.npy").read_bytes().replace(b"<f4", dtype.encode()))
            self.refuse(fragment, input="bad.npy")
        self.save("bad.npy", np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4", (2,))]))
        self.refuse("its dtype is '[('a', '<f4'), ('b', '<i4', (2,))]', but one of f32", bias="bad.npy")
        self.save("bad.npy", np.asfortranarray(x))
        self.refuse("it is in Fortran order, but C order is needed", input="bad.npy")


class OtherCommandsTest(CommandLineTest):
    def test_help_and_version(self):
        self.assertRegex(self.succeed("--version"), r"\Aunstride \d+\.\d+\.\d+\n\Z")
        for command in "run", "init", "plan", "list", "bench", "tune":
            self.assertIn(command, self.succeed("--help"))
            self.assertIn("--help", self.succeed(command, "--help"))

    def test_init(self):
        geometry = ["--in-channels", 4, "--out-channels", 6, "--kernel-size", "1,2,3", "--groups", 2]
        self.succeed("init", *geometry, "--seed", 5, "--weight", "w.npy", "--bias", "b.npy")
        self.succeed("init", *geometry, "--seed", 5, "--weight", "again.npy")
        self.succeed("init", *geometry, "--weight", "zero.npy")
        self.assertEqual((self.folder / "w.npy").read_bytes(), (self.folder / "again.npy").read_bytes())
        w, b, zero = (np.load(self.folder / name) for name in ("w.npy", "b.npy", "zero.npy"))
        self.assertEqual((w.shape, b.shape, w.dtype, b.dtype), ((4, 3, 1, 2, 3), (6,), np.float32, np.float32))
        self.assertFalse((w == zero).any())
        # From PyTorch: torch.manual_seed(5); m = torch.nn.ConvTranspose3d(4, 6, (1, 2, 3), groups=2)
        self.assertEqual([float(v).hex() for v in w.ravel()[[0, 1, 71]]],
                         ["0x1.3ed6520000000p-3", "-0x1.68f7560000000p-3", "-0x1.e3a3a00000000p-4"])
        self.assertEqual([float(v).hex() for v in b[[0, 5]]], ["-0x1.3369820000000p-5", "0x1.c0ab780000000p-3"])

    def test_init_of_lower_dimensions(self):
        geometry = ["--in-channels", 4, "--out-channels", 6, "--groups", 2, "--seed", 5]
        self.succeed("init", *geometry, "--kernel-size", "2,3", "--dims", 2, "--weight", "w2.npy")
        self.succeed("init", *geometry, "--kernel-size", 5, "--dims", 1, "--weight", "w1.npy")
        self.succeed("init", *geometry, "--kernel-size", "1,2,3", "--weight", "w3.npy")
        w1, w2, w3 = (np.load(self.folder / name) for name in ("w1.npy", "w2.npy", "w3.npy"))
        self.assertEqual((w1.shape, w2.shape), ((4, 3, 5), (4, 3, 2, 3)))
        np.testing.assert_array_equal(w2, w3[:, :, 0])

    def test_init_errors(self):
        def refuse(fragment, *extra, channels=4, weight="w.npy"):
            self.fail_with(fragment, "init", "--in-channels", channels, "--out-channels", 6, "--kernel-size", 2,
                           "--weight", weight, *extra)

        self.save("w.npy", np.zeros(3))
        refuse("groups", "--groups", 4)
        refuse("in_channels", channels=-4)
        refuse("--seed", "--seed", -1)
        refuse("--seed: expected", "--seed", "abc")
        refuse("same file", "--bias", "./w.npy")
        refuse("missing/w.npy: cannot be written", "--bias", "b.npy", weight="missing/w.npy")
        refuse("missing/b.npy: cannot be written", "--bias", "missing/b.npy")
        refuse("", channels=2**62)
        self.fail_with("--kernel-size", "init", "--in-channels", 1, "--out-channels", 1, "--weight", "new.npy")

    def test_list(self):
        variants = json.loads(self.succeed("list", "--json"))
        table = self.succeed("list").splitlines()
        self.assertEqual(len(table), len(variants) + 1)
        self.assertEqual(len({v["name"] for v in variants}), len(variants))
        for variant, line in zip(variants, table[1:]):
            self.assertEqual(set(variant),
                             {"name", "family", "layout", "tile", "stride_x", "device", "target", "dtype", "runs_here"})
            self.assertIn(variant["layout"], ("ncdhw", "ndhwc"))
            types = re.search(r"_s\d+_(.+_)?[^_]+$", variant["name"])[1]
            self.assertEqual(variant["dtype"], types[:-1].replace("_", "-") if types else "f32")
            self.assertEqual(line.split()[0], variant["name"])
            self.assertEqual(line.split()[-2], variant["dtype"])
            self.assertEqual(line.split()[-1], "yes" if variant["runs_here"] else "no")
        self.assertEqual({v["dtype"] for v in variants if v["runs_here"]}, set(TYPES))
        self.fail_with("--wat", "list", "--wat")

    def test_plan(self):
        layer = ["--out-channels", 33, "--kernel-size", 3, "--stride", 2]
        for layout in "ncdhw", "ndhwc":
            text = self.succeed("plan", "--input-size", "4,16,10,50,100", *layer, "--layout", layout, "--threads", 2)
            # Each input element meets each of the 16 * 33 * 27 weights once, as there is no padding.
            gflop = 2 * 4 * 10 * 50 * 100 * 16 * 33 * 27 * 1e-9
            for part in "(4, 16, 10, 50, 100) -> (4, 33, 21, 101, 201)", layout + "_", f"{gflop:.3f} GFLOP", "reason":
                self.assertIn(part, text)
        self.assertIn(", f32\n", text)
        for types in TYPES:
            for layout in "ncdhw", "ndhwc":
                text = self.succeed("plan", "--input-size", "4,16,10,50,100", *layer, "--layout", layout, "--dtype", types)
                self.assertRegex(text, rf"variant +{layout}_[^\n]+\n +family [^\n]+, {types}\n")
                input_bytes, output_bytes = (int(DTYPES[t][0][2:]) for t in types_of_each(types))
                weight_bytes = 8 if types == "f64" else 4
                moved = 4 * 16 * 10 * 50 * 100 * input_bytes + 16 * 33 * 27 * weight_bytes + 4 * 33 * 21 * 101 * 201 * output_bytes
                self.assertIn(f"at least {moved / 2**20:.1f} MiB to move", text)
        self.assertIn("(33, 22, 9, 11)", self.succeed("plan", "--input-size", "1,10,4,5", *layer, "--padding", "0,0,0",
                                                      "--output-size", "22,9,11"))
        self.assertIn("(33, 9, 12, 11)", self.succeed("plan", "--input-size", "1,10,4,5", *layer, "--padding-end=12,-3,0"))
        self.assertIn("(4, 16, 10, 50) -> (4, 33, 21, 101), weight (16, 33, 3, 3)",
                      self.succeed("plan", "--input-size", "4,16,10,50", *layer, "--dims", 2))
        self.assertIn("(16, 50) -> (33, 101), weight (16, 33, 3)", self.succeed("plan", "--dims", 1, "--input-size", "16,50", *layer))
        self.fail_with("--input-size: expected N,C,H,W or C,H,W", "plan", "--input-size", "4,16,10,50,60", *layer, "--dims", 2)
        self.fail_with("--input-size: expected", "plan", "--input-size", "4,16,10", *layer)
        self.fail_with("--input-size", "plan", *layer)
        self.fail_with("", "plan", "--input-size", "1,-1,3,3,3", *layer)
        self.fail_with("", "plan", "--input-size", "1,1,9223372036854775807,3,3", *layer)

    HEADER = ("name,batch,in_channels,out_channels,input_size,kernel_size,stride,padding,output_padding,dilation,"
              "groups,source\n")

    def test_bench(self):
        (self.folder / "layers.csv").write_text(
            self.HEADER + 'small,1,4,5,3x4x5,3x3x3,2x2x2,1x1x1,1x1x1,1x1x1,1,"a, b"\n\n'
            + "wide,2,4,4,2x2x30,1x1x3,1x1x1,0x0x0,0x0x0,1x1x2,4,c\n")
        text = self.succeed("bench", "--layers-file", "layers.csv", "--threads", 1, "--json", "out.json")
        report = json.loads((self.folder / "out.json").read_text())
        machine = report["machine"]
        self.assertEqual(machine["threads"], 1)
        self.assertGreater(machine["peak_gflops"], 1)
        self.assertGreater(machine["bandwidth_gbs"], 0.1)
        self.assertEqual([(r["layer"], r["layout"]) for r in report["results"]],
                         [(name, layout) for name in ("small", "wide") for layout in ("ncdhw", "ndhwc")])
        for result in report["results"]:
            self.assertTrue(result["planned"])
            self.assertEqual((result["dtype"], result["device"]), ("f32", "cpu"))
            self.assertIn(result["variant"], text)
            self.assertGreater(result["fraction_of_limit"], 0)
            if result["layer"] == "wide":  # no padding: each input element meets 3 weights
                self.assertAlmostEqual(result["gflops"] * result["seconds"], 2 * 2 * 4 * 120 * 3 * 1e-9, 15)

        variants = json.loads(self.succeed("list", "--json"))
        variants = [v for v in variants if v["runs_here"] and v["family"] == "columns" and v["device"] == "cpu" and v["dtype"] == "f32"]
        any_stride, stride_2 = (next(v["name"] for v in variants if v["stride_x"] == s) for s in (1, 2))
        text = self.succeed("bench", "--layers-file", "layers.csv", "--layers", "wide,small", "--variants",
                            f"{stride_2},{any_stride}", "--json", "out.json")
        measured = {(r["layer"], r["variant"]) for r in json.loads((self.folder / "out.json").read_text())["results"]}
        self.assertEqual(measured, {("wide", any_stride), ("small", any_stride), ("small", stride_2)})
        self.assertIn("skipped", text)

        self.succeed("bench", "--layers-file", "layers.csv", "--layers", "small", "--dtype", "bf16-f32", "--variants", "all", "--json", "out.json")
        results = json.loads((self.folder / "out.json").read_text())["results"]
        self.assertEqual({r["dtype"] for r in results}, {"bf16-f32"})
        self.assertTrue(all("_bf16_f32_" in r["variant"] for r in results))
        self.assertEqual(len(results), len({r["variant"] for r in results}))
        self.fail_with(f"--variants: {stride_2} is for type f32, not f16", "bench", "--layers", "seed1", "--variants", stride_2, "--dtype", "f16")

    def test_other_devices(self):
        """`bench` and `plan` for each GPU of this machine; without one, PoCL stands in for it."""
        (self.folder / "layers.csv").write_text(self.HEADER + "small,1,4,5,3x4x5,3x3x3,2x2x2,1x1x1,1x1x1,1x1x1,1,a\n")
        for device in {v["device"] for v in json.loads(self.succeed("list", "--json")) if v["runs_here"]} - {"cpu"}:
            with self.subTest(device):
                self.succeed("bench", "--layers-file", "layers.csv", "--device", device, "--json", f"{device}.json")
                results = json.loads((self.folder / f"{device}.json").read_text())["results"]
                self.assertEqual([r["device"] for r in results], [device] * 2)
                for result in results:
                    self.assertTrue(result["variant"].endswith(device) and result["seconds"] > 0, result)
                text = self.succeed("plan", "--input-size", "1,4,3,4,5", "--out-channels", 5, "--kernel-size", 3, "--device", device)
                for part in f"_{device}", "processors", "blocks of threads":
                    self.assertIn(part, text)

    def test_bench_errors(self):
        self.save("out.json.npy", np.zeros(3))
        self.fail_with("--layers: there is no 'nonesuch'", "bench", "--layers", "seed1,nonesuch", "--json", "out.json")
        self.fail_with("--layers: expected", "bench", "--layers", "seed1,,seed2")
        self.fail_with("--variants: there is no 'nonesuch'", "bench", "--layers", "s1k3", "--variants", "nonesuch")
        self.fail_with("missing/out.json: cannot be written", "bench", "--json", "missing/out.json")
        self.fail_with("missing.csv: cannot be read", "bench", "--layers-file", "missing.csv")
        self.fail_with("cannot be read", "bench", "--layers-file", ".")
        good = "a,1,4,5,3x4x5,3x3x3,2x2x2,1x1x1,1x1x1,1x1x1,1,b"
        for fragment, text in (("does not begin", ""), ("does not begin", good), ("line 2", self.HEADER + good[:-2]),
                               ("line 3", self.HEADER + good + "\n" + good.replace("3x4x5", "3x4")),
                               ("'x' is not an integer", self.HEADER + good.replace(",5,", ",x,"))):
            (self.folder / "layers.csv").write_text(text)
            self.fail_with(fragment, "bench", "--layers-file", "layers.csv")


class TuneTest(CommandLineTest):
    GEOMETRY = ["--input-size", "1,4,2,3,5", "--out-channels", 6, "--kernel-size", 3, "--stride", 2, "--padding", 1]
    TUNE = ["tune", *GEOMETRY, "--threads", 1]
    PLAN = ["plan", *GEOMETRY, "--threads", 1]

    def assert_warns(self, fragment, *arguments, **environment):
        done = self.call(*arguments, **environment)
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stderr, r"\Aunstride: warning: [^\n]+\n\Z")
        self.assertIn(fragment, done.stderr)
        return done.stdout

    def plan(self, *extra, **environment):
        """Whether the plan comes from wisdom, its variant, and its rows of a task."""
        text = self.succeed(*self.PLAN, *extra, **environment)
        return self.parse_plan(text)

    def parse_plan(self, text):
        measured = "by unstride tune" in text
        self.assertEqual("as measured by unstride tune" in text, measured)
        self.assertEqual("by the planner's estimate" in text, not measured)
        variant = re.search(r"^variant +(\S+)$", text, re.M)[1]
        return measured, variant, int(re.search(r"(\d+) output rows each", text)[1])

    def test_tune_remembers(self):
        self.assertFalse(self.plan()[0])
        text = self.succeed(*self.TUNE)
        wisdom = self.folder / "config/unstride/wisdom"
        self.assertEqual([path.name for path in wisdom.parent.iterdir()], ["wisdom"])
        self.assertIn(str(wisdom), text)
        rows = [line.split() for line in text.splitlines() if line.startswith("1x4x2x3x5 ")]
        self.assertEqual([row[1] for row in rows], ["ncdhw", "ndhwc"])
        for _, layout, planned, planned_rows, _, winner, winner_rows, _, gain in rows:
            self.assertEqual(self.plan("--layout", layout), (True, winner, int(winner_rows)))
            self.assertEqual(self.plan("--layout", layout, "--wisdom", "none"), (False, planned, int(planned_rows)))
            self.assertRegex(gain, r"\A\d+\.\d\dx\Z")
        self.assertFalse(self.parse_plan(self.succeed("plan", *self.GEOMETRY, "--threads", 2))[0])
        self.assertFalse(self.plan("--dilation", 2)[0])
        self.assertFalse(self.plan(UNSTRIDE_WISDOM="")[0])

        # The same with a name: other winners stay, the same layer's is replaced.
        before = wisdom.read_text().splitlines()
        self.succeed(*self.TUNE, "--layout", "ncdhw", "--dilation", 2, "--wisdom", wisdom)
        self.succeed(*self.TUNE, "--layout", "ndhwc", UNSTRIDE_WISDOM=str(wisdom))
        after = wisdom.read_text().splitlines()
        self.assertEqual(len(after), len(before) + 1)
        self.assertEqual(set(before) - set(after) - {before[2]}, set())
        self.assertTrue(self.plan("--dilation", 2)[0])

    def test_output_size(self):
        self.succeed(*self.TUNE, "--layout", "ncdhw", "--output-size", "4,5,10", "--wisdom", "w")
        self.assertTrue(self.plan("--output-size", "4,5,10", "--wisdom", "w")[0])
        self.assertTrue(self.plan("--output-padding", "1,0,1", "--wisdom", "w")[0])
        self.assertFalse(self.plan("--wisdom", "w")[0])

    def test_layers(self):
        (self.folder / "layers.csv").write_text(
            OtherCommandsTest.HEADER + "one,1,2,3,2x3x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n"
            + "two,2,4,4,2x2x9,1x1x3,1x1x1,0x0x0,0x0x0,1x1x2,4,b\n")
        text = self.succeed("tune", "--layers", "two", "--layers-file", "layers.csv", "--wisdom", "w")
        self.assertEqual(text.count("two "), 2)
        self.assertNotIn("one ", text)
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 3)
        text = self.succeed("tune", "--layers", "all", "--layers-file", "layers.csv", "--wisdom", "w", "--layout", "ndhwc")
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 4)
        for command in "bench", "plan", "run":
            self.assertIn("--wisdom", self.succeed(command, "--help"))
        self.succeed("bench", "--layers", "one", "--layers-file", "layers.csv", "--wisdom", "w", "--json", "out.json")
        for result in json.loads((self.folder / "out.json").read_text())["results"]:
            self.assertTrue(result["planned"])

    def test_wisdom_does_not_change_the_result(self):
        self.save_random("x.npy", (1, 4, 2, 3, 5))
        self.save_random("w.npy", (4, 6, 3, 3, 3))
        run = ["run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2, "--padding", 1, "--threads", 1, "--output"]
        self.succeed(*self.TUNE, "--layout", "ncdhw", "--wisdom", "wisdom")
        self.succeed(*run, "without.npy")
        text = self.succeed(*run, "with.npy", "--wisdom", "wisdom")
        self.assertIn(self.plan("--wisdom", "wisdom")[1], text)
        self.assertEqual((self.folder / "with.npy").read_bytes(), (self.folder / "without.npy").read_bytes())

    def test_bad_wisdom(self):
        self.succeed(*self.TUNE, "--wisdom", "w")
        good = (self.folder / "w").read_text()
        first, second, third = good.splitlines(keepends=True)
        other = first + second.replace("=", "~", 1) + third[:-20]
        for content, fragment in (("", "w: line 1: it is not 'unstride wisdom 1'; ignored"),
                                  ("nonsense\n\0\xff\r", "w: line 1: it is not"),
                                  (good.replace("wisdom 1", "wisdom 2"), "w: line 1: it is not"),
                                  (other, "w: line 2: it is damaged: its checksum is wrong; ignored, with 1 more")):
            (self.folder / "w").write_text(content)
            for arguments, environment in ((["--wisdom", "w"], {}), ([], {"UNSTRIDE_WISDOM": "w"})):
                with self.subTest(fragment, arguments=arguments):
                    text = self.assert_warns(fragment, *self.PLAN, *arguments, **environment)
                    self.assertFalse(self.parse_plan(text)[0])
        (self.folder / "w").write_text(first + second + third[:-20])
        self.assertTrue(self.parse_plan(self.assert_warns("line 3", *self.PLAN, "--wisdom", "w"))[0])
        # What is good stays, what is not goes, and says so.
        self.assert_warns("line 3", *self.TUNE, "--layout", "ncdhw", "--dilation", 2, "--wisdom", "w")
        lines = (self.folder / "w").read_text().splitlines(keepends=True)
        self.assertEqual(len(lines), 3)
        self.assertIn(second, lines)

        (self.folder / "config/unstride").mkdir(parents=True)
        (self.folder / "config/unstride/wisdom").write_text("nonsense")
        self.assertFalse(self.parse_plan(self.assert_warns("unstride/wisdom: line 1", *self.PLAN))[0])
        self.assert_warns("missing: cannot be read", *self.PLAN, UNSTRIDE_WISDOM="missing")
        self.fail_with("missing: cannot be read", *self.PLAN, "--wisdom", "missing")
        self.fail_with(".: cannot be read", *self.PLAN, "--wisdom", ".")

    def test_tune_of_two_dimensions(self):
        layer = ["--dims", 2, "--input-size", "1,4,6,5", "--out-channels", 6, "--kernel-size", 3, "--stride", 2, "--output-size", "14,12", "--threads", 1]
        text = self.succeed("tune", *layer, "--wisdom", "w")
        self.assertIn("1x4x6x5", text)
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])

    def test_tune_of_a_type(self):
        layer = ["--input-size", "1,4,2,3,5", "--out-channels", 3, "--kernel-size", 3, "--threads", 1]
        self.succeed("tune", *layer, "--dtype", "bf16-f32", "--wisdom", "w")
        self.assertTrue(self.parse_plan(self.succeed("plan", *layer, "--dtype", "bf16-f32", "--wisdom", "w"))[0])
        self.assertFalse(self.parse_plan(self.succeed("plan", *layer, "--dtype", "bf16", "--wisdom", "w"))[0])
        self.assertFalse(self.parse_plan(self.succeed("plan", *layer, "--wisdom", "w"))[0])

    def test_tune_errors(self):
        (self.folder / "notes").write_text("not to be lost\n")
        self.fail_with("notes: cannot be added to: line 1", *self.TUNE, "--wisdom", "notes")
        self.fail_with("notes: cannot be added to: line 1", *self.TUNE, UNSTRIDE_WISDOM="notes")
        self.fail_with("missing/w: cannot be written", *self.TUNE, "--wisdom", "missing/w")
        self.fail_with(".: cannot be written", *self.TUNE, "--wisdom", ".")
        self.fail_with("--wisdom", *self.TUNE, "--wisdom", "none")
        self.fail_with("--wisdom", *self.TUNE, XDG_CONFIG_HOME="", HOME="")
        w = ["--wisdom", "w"]
        self.fail_with("--layers", "tune", *w)
        self.fail_with("--layers", *self.TUNE, "--layers", "seed1", *w)
        self.fail_with("there is no 'nonesuch'", "tune", "--layers", "nonesuch", *w)
        self.fail_with("--out-channels", "tune", "--input-size", "1,4,2,3,5", "--kernel-size", 3, *w)
        self.fail_with("--kernel-size", "tune", "--input-size", "1,4,2,3,5", "--out-channels", 3, *w)
        self.fail_with("--input-size", "tune", "--layers", "seed1", "--stride", 2, *w)
        self.fail_with("--input-size", "tune", "--input-size", "1,4,2", "--out-channels", 6, "--kernel-size", 3, *w)
        self.fail_with("output size", *self.TUNE, "--output-size", "9,9,9", *w)
        self.fail_with("groups", *self.TUNE, "--groups", 4, *w)
        self.fail_with("empty batch", "tune", "--input-size", "0,4,2,3,5", "--out-channels", 6, "--kernel-size", 3, *w)
        self.fail_with("--variant", *self.TUNE, "--variant", "planned", *w)
        (self.folder / "layers.csv").write_text(
            OtherCommandsTest.HEADER + "good,1,2,3,2x3x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,a\n"
            + "bad,1,2,3,2x3x4,2x2x2,2x2x2,9x9x9,0x0x0,1x1x1,1,a\n")
        self.fail_with("too small", "tune", "--layers", "all", "--layers-file", "layers.csv", *w)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cli_support.UNSTRIDE = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
