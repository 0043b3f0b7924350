"""What `unstride run` refuses: a line of error, and no file is touched."""

import json
import subprocess

import cli_support
import numpy as np
from cli_support import CommandLineTest, main, npy_bytes


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
        self.refuse("--planning: expected estimate or measure, but got 'remember'", "--planning", "remember")
        self.refuse("no_such_variant", "--variant", "no_such_variant")
        gradients = [v["name"] for v in json.loads(self.succeed("list", "--json")) if v["operator"] != "forward"]
        self.refuse("which is not asked for", "--variant", next(name for name in gradients if "baseline" in name))
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
        self.refuse(
            "--stride: expected an integer or two as height,width, but got '1,2,3'",
            "--stride",
            "1,2,3",
            "--dims",
            2,
            **files,
        )
        self.refuse(
            "--output-size: expected H,W or N,C,H,W or C,H,W, but got '9'", "--output-size", 9, "--dims", 2, **files
        )
        self.refuse("", "--output-size", "3,6,7", "--dims", 2, **files)
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
        for arguments in (
            ["list"],
            ["list", "--json"],
            ["--help"],
            ["run", "--stride", "x"],
            ["run", "--input", "x.npy", "--weight", "w.npy", "--output", "new.npy"],
        ):
            with self.subTest(arguments), open("/dev/full", "w") as full:
                done = subprocess.run(
                    [cli_support.UNSTRIDE, *arguments],
                    cwd=self.folder,
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=600,
                )
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
            "truncated": [
                good[:8],
                good[:9],
                good[:40],
                good[:-1],
                good[:128],
                npy_bytes(head + as_x, data, length=65535),
                npy_bytes(head + as_x, data, (2, 0), 2**32 - 1),
            ],
            "too long": [good + b"\0", good + good],
            "malformed .npy header": [
                npy_bytes(text, data)
                for text in (
                    "",
                    "{",
                    "}",
                    "{}",
                    "[]",
                    "nonsense",
                    head,
                    head + "}",
                    head + as_x[:-1],
                    head + as_x + "}",
                    head + as_x + " x",
                    "{'fortran_order': False, " + as_x,
                    "{'descr': '<f4', " + as_x,
                    head + "'extra': 1, " + as_x,
                    head + "'descr': '<f4', " + as_x,
                    head + "'shape': (1, 2, 3, 4, -5), }",
                    head + "'shape': (1 2), }",
                    head + "'shape': (1, 2, 3, 4, 5.0), }",
                    head + "'shape': (120), }",
                    head + "'shape': (, ), }",
                    head + "'shape': (1, 2, 3, 4, 99999999999999999999), }",
                    head + "'shape': None, }",
                    head + "'shape': (1, 2, 3, 4, 5 }",
                    "{'descr': <f4, 'fortran_order': False, " + as_x,
                    "{'descr': '<f4, 'fortran_order': False, " + as_x,
                    "{'descr': '<f4', 'fortran_order': 0, " + as_x,
                    "{'descr': [('a', '<f4'), 'fortran_order': False, " + as_x,
                    "{'descr': '<f4' 'fortran_order': False, " + as_x,
                )
            ],
            "is too large": [
                npy_bytes(head + "'shape': (4294967296, 4294967296, 1, 1, 1), }", data),
                npy_bytes(head + "'shape': (9223372036854775807, 9223372036854775807), }", data),
            ],
            "takes 4611686018427387904 bytes": [npy_bytes(head + "'shape': (1073741824, 1073741824), }", data)],
        }
        for fragment, contents in cases.items():
            for content in contents:
                with self.subTest(fragment, start=content[:80]):
                    (self.folder / "bad.npy").write_bytes(content)
                    self.refuse(fragment, input="bad.npy")
                    self.refuse("bad.npy: ", weight="bad.npy")

    def test_wrong_dtype(self):
        x = np.load(self.folder / "x.npy")
        for dtype in ">f4", ">f8", ">f2", "<i8", "<u2", "|u1", "<c8", "|b1", "<U3":
            self.save("bad.npy", x.astype(dtype))
            self.refuse(
                f"its dtype is '{dtype}', but one of f32 ('<f4'), f64 ('<f8'), f16 ('<f2'), bf16 ('<V2') is needed",
                input="bad.npy",
            )
        for dtype in ">V2", "|V4", "<f16", "f4", "<f", "":
            (self.folder / "bad.npy").write_bytes(
                npy_bytes(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (3,), }}\n", bytes(6))
            )
            self.refuse(f"its dtype is '{dtype}', but one of f32", bias="bad.npy")
        for dtype, fragment in ("<f8", "truncated"), ("<f2", "too long"), ("<V2", "too long"), ("|V2", "too long"):
            (self.folder / "bad.npy").write_bytes((self.folder / "x.npy").read_bytes().replace(b"<f4", dtype.encode()))
            self.refuse(fragment, input="bad.npy")
        self.save("bad.npy", np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4", (2,))]))
        self.refuse("its dtype is '[('a', '<f4'), ('b', '<i4', (2,))]', but one of f32", bias="bad.npy")


if __name__ == "__main__":
    main()
