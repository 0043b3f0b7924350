"""`unstride run` with files of every element type."""

import json

import numpy as np
from cli_support import DTYPES, TYPES, CommandLineTest, conv_transpose3d, decode, encode, main, npy_bytes, types_of_each


def in_layout(array, layout):
    """An array (N, C, ...), with the dimensions in the order of a layout."""
    return np.ascontiguousarray(array if layout == "ncdhw" else np.moveaxis(array, 1, -1))


class TypesTest(CommandLineTest):
    def run_types(self, *arguments, output="y.npy", weight="w.npy"):
        self.succeed("run", "--input", "x.npy", "--weight", weight, "--stride", 2, "--output", output, *arguments)
        return self.load(output)

    def test_every_type(self):
        for types in TYPES:
            input_type, output_type = types_of_each(types)
            x, w, b = (
                self.save_integers("x.npy", (2, 4, 3, 4, 5), input_type),
                self.save_integers("w.npy", (4, 3, 3, 3, 3)),
                self.save_integers("b.npy", 3),
            )
            expected = conv_transpose3d(x, w, b, stride=2)
            self.assertLessEqual(abs(expected).max(), 2**8)
            for layout in "ncdhw", "ndhwc":
                with self.subTest(types, layout=layout):
                    self.save("x.npy", encode(in_layout(x, layout), input_type))
                    y = self.run_types("--bias", "b.npy", "--layout", layout, "--dtype", types)
                    self.assertEqual(y.dtype.str, DTYPES[output_type][0])
                    np.testing.assert_array_equal(decode(y), in_layout(expected, layout))

                    r = self.save_integers("r.npy", in_layout(expected, layout).shape, output_type)
                    y = self.run_types(
                        "--bias",
                        "b.npy",
                        "--layout",
                        layout,
                        "--dtype",
                        types,
                        "--residual",
                        "r.npy",
                        "--activation",
                        "relu",
                    )
                    np.testing.assert_array_equal(decode(y), np.maximum(in_layout(expected, layout) + r, 0))

    def test_the_file_tells_the_type(self):
        self.save_integers("w.npy", (2, 3, 3, 3))
        for dtype in DTYPES:
            with self.subTest(dtype):
                self.save_integers("x.npy", (2, 4, 5), dtype)
                y = self.run_types("--dims", 2)
                self.assertEqual(y.dtype.str, DTYPES[dtype][0])
                self.assertEqual(y.tobytes(), self.run_types("--dims", 2, "--dtype", dtype).tobytes())

    def test_round_trips(self):
        """Files that pass through a layer of ones stay the same, byte for byte. That of bf16 is as NumPy saves an array
        of ml_dtypes.bfloat16."""
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
        x, w, b = (
            self.save(name, self.random.uniform(-1, 1, shape))
            for name, shape in (("x.npy", (1, 5, 3, 4, 9)), ("w.npy", (5, 6, 3, 3, 3)), ("b.npy", 6))
        )
        np.testing.assert_allclose(
            self.run_types("--bias", "b.npy"), conv_transpose3d(x, w, b, stride=2), rtol=0, atol=1e-13
        )

    def test_sums_of_16_bits_are_rounded_once(self):
        x, w = (
            self.random.uniform(-1, 1, (1, 40, 3, 4, 9)),
            self.random.uniform(-1, 1, (40, 6, 3, 3, 3)).astype(np.float32),
        )
        self.save("w.npy", w)
        for dtype in "f16", "bf16":
            with self.subTest(dtype):
                self.save("x.npy", encode(x, dtype))
                in_f32 = self.run_types("--dtype", dtype + "-f32")
                np.testing.assert_allclose(
                    in_f32, conv_transpose3d(decode(encode(x, dtype)), w, stride=2), rtol=0, atol=1e-4
                )
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
        variant = next(
            v
            for v in json.loads(self.succeed("list", "--json"))
            if v["runs_here"] and (v["dtype"], v["layout"], v["device"], v["stride_x"]) == ("bf16", "ncdhw", "cpu", 1)
        )["name"]

        def refuse(fragment, dtype, *arguments):
            self.fail_with(
                fragment, "run", "--input", f"{dtype}.npy", "--weight", "w.npy", "--output", "new.npy", *arguments
            )

        for types in TYPES:
            needed = types_of_each(types)[0]
            for dtype in DTYPES:
                if dtype != needed:
                    refuse(
                        f"--dtype: {types} needs an input of {needed}, but {dtype}.npy has {dtype}",
                        dtype,
                        "--dtype",
                        types,
                    )
        refuse("expected a residual of the output's type f32, but got f16", "f32", "--residual", "r.npy")
        refuse(
            "expected a residual of the output's type f32, but got f16",
            "f16",
            "--residual",
            "r.npy",
            "--dtype",
            "f16-f32",
        )
        refuse(f"variant {variant} is for type bf16, not f32", "f32", "--variant", variant)
        refuse(f"variant {variant} is for type bf16, not bf16-f32", "bf16", "--variant", variant, "--dtype", "bf16-f32")

    def test_bad_names(self):
        self.save_integers("x.npy", (1, 2, 3, 4, 5))
        self.save_integers("w.npy", (2, 3, 3, 3, 3))
        for command in (
            ["run", "--input", "x.npy", "--weight", "w.npy", "--output", "new.npy"],
            ["plan", "--input-size", "1,2,3,4,5", "--out-channels", 3, "--kernel-size", 3],
            ["bench"],
        ):
            for bad in "f8", "", "F32", "bfloat16", "f16-", "f32-f32", "f32,f64":
                self.fail_with(
                    f"--dtype: the type has to be one of f32, f64, f16, bf16, f16-f32, bf16-f32, but got '{bad}'",
                    *command,
                    "--dtype",
                    bad,
                )
            for bad in "f32-f16", "f64-f32", "bf16-f16":
                self.fail_with("--dtype: ", *command, "--dtype", bad)


if __name__ == "__main__":
    main()
