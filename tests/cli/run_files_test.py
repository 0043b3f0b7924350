"""`unstride run` reads and writes all kinds of files, in one piece or slab by slab."""

import itertools
import os
import pty
import subprocess

import cli_support
import numpy as np
from cli_support import CommandLineTest, main, npy_bytes


class RunFilesTest(CommandLineTest):
    def test_other_npy_headers(self):
        values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
        data = values.tobytes()
        self.save("w.npy", np.ones((1, 1, 1, 1, 1), np.float32))
        for content in (
            npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }\n", data, (2, 0)),
            npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }\n", data, (3, 0)),
            npy_bytes('  {"shape":(1,2,3,4,),\t"descr":"<f4","fortran_order":False}', data),  # not aligned
        ):
            (self.folder / "x.npy").write_bytes(content)
            self.succeed("run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy")
            np.testing.assert_array_equal(np.load(self.folder / "y.npy"), values)

    def test_fortran_order(self):
        """Arrays in Fortran order have the same numbers, and give the same output."""
        run = ["run", "--input", "x.npy", "--weight", "w.npy", "--bias", "b.npy", "--residual", "r.npy", "--stride", 2]
        for layout, x, r in (
            ("ncdhw", (2, 4, 3, 4, 5), (2, 6, 7, 9, 11)),
            ("ndhwc", (2, 3, 4, 5, 4), (2, 7, 9, 11, 6)),
        ):
            arrays = {"x": x, "w": (4, 6, 3, 3, 3), "b": (6,), "r": r}
            arrays = {name: self.save_integers(f"{name}.npy", shape) for name, shape in arrays.items()}
            self.succeed(*run, "--layout", layout, "--output", "y.npy")
            for name, array in arrays.items():
                self.save(f"{name}.npy", np.asfortranarray(array.astype(np.float32)))
            self.succeed(*run, "--layout", layout, "--output", "z.npy")
            np.testing.assert_array_equal(self.load("z.npy"), self.load("y.npy"))

    def test_slabs(self):
        """Whatever is computed at a time, the output is the same."""
        self.save_random("w.npy", (4, 6, 3, 3, 3))
        for layout, shape in itertools.product(("ncdhw", "ndhwc"), ((3, 4, 5, 4, 4), (4, 9, 4, 4))):
            self.save_random("x.npy", shape if layout == "ncdhw" else (*shape[:-4], *shape[-3:], 4))
            run = ["run", "--input", "x.npy", "--weight", "w.npy", "--stride", "2,1,3", "--layout", layout]
            run += ["--output-size", f"{2 * shape[-3] + 2},6,12"]
            self.succeed(*run, "--output", "y.npy")
            self.save_random("r.npy", self.load("y.npy").shape)
            adds = ["--residual", "r.npy"]
            self.succeed(*run, *adds, "--output", "sum.npy")
            for slab_bytes, (more, whole) in itertools.product((1, 9000, 40000), (([], "y.npy"), (adds, "sum.npy"))):
                self.succeed(*run, *more, "--output", "z.npy", "--slab-bytes", slab_bytes)
                self.assertEqual((self.folder / whole).read_bytes(), (self.folder / "z.npy").read_bytes())
            self.fail_with("of the output's size", *run, "--residual", "x.npy", "--output", "z", "--slab-bytes", 1)
        self.fail_with("--slab-bytes must be positive", *run, "--output", "z.npy", "--slab-bytes", 0)

    def test_bar(self):
        """A terminal sees how many slabs are done, and no bar at the end."""
        self.save_random("x.npy", (1, 2, 8, 4, 5))
        self.save_random("w.npy", (2, 3, 2, 2, 2))
        run = [cli_support.UNSTRIDE, "run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"]
        for slab_bytes, bar in (1, True), (1 << 20, False):
            reader, terminal = pty.openpty()
            subprocess.run(
                [*run, "--slab-bytes", str(slab_bytes)],
                cwd=self.folder,
                env=self.environment(),
                stdout=subprocess.DEVNULL,
                stderr=terminal,
                check=True,
            )
            os.set_blocking(reader, False)
            try:
                shown = os.read(reader, 1 << 16).decode()
            except BlockingIOError:
                shown = ""
            os.close(reader)
            os.close(terminal)
            self.assertEqual("100 %" in shown, bar)
            self.assertEqual(shown.endswith("\r\x1b[K"), bar)

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


if __name__ == "__main__":
    main()
