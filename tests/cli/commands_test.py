"""The other commands: init, list, plan and bench."""

import json
import pathlib
import re
import sys

import numpy as np
from cli_support import DTYPES, LAYERS_HEADER, TYPES, CommandLineTest, main, types_of_each

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
from unstride_bench.instruction_sets import ISAS  # noqa: E402
from unstride_bench.kernel_families import FAMILIES  # noqa: E402


class CommandsTest(CommandLineTest):
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
        self.assertEqual(
            [float(v).hex() for v in w.ravel()[[0, 1, 71]]],
            ["0x1.3ed6520000000p-3", "-0x1.68f7560000000p-3", "-0x1.e3a3a00000000p-4"],
        )
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
            self.fail_with(
                fragment,
                "init",
                "--in-channels",
                channels,
                "--out-channels",
                6,
                "--kernel-size",
                2,
                "--weight",
                weight,
                *extra,
            )

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
        for variant, line in zip(variants, table[1:], strict=True):
            self.assertEqual(
                set(variant),
                {
                    "name",
                    "operator",
                    "family",
                    "sums",
                    "lanes",
                    "layout",
                    "tile",
                    "stride_x",
                    "known_kernel",
                    "known_stride",
                    "device",
                    "target",
                    "rank",
                    "vector_bytes",
                    "fma",
                    "dtype",
                    "runs_here",
                    "why_not",
                },
            )
            self.assertIn(variant["layout"], ("ncdhw", "ndhwc"))
            family = FAMILIES[variant["family"]]
            self.assertEqual((variant["sums"], variant["lanes"]), (family.sums, family.lanes[variant["layout"]]))
            known, types = re.search(r"_s\d+_(k\d+s\d+_)?([b]?f.+_)?[^_]+$", variant["name"]).groups()
            kernel, stride = variant["known_kernel"], variant["known_stride"]
            self.assertEqual(known or "", f"k{kernel}s{stride}_" if kernel else "")
            self.assertEqual(variant["dtype"], types[:-1].replace("_", "-") if types else "f32")
            self.assertEqual(line.split()[0], variant["name"])
            self.assertIn(f"  {variant['dtype']}  ", line)
            self.assertTrue(line.endswith("  yes" if variant["runs_here"] else f"  no: {variant['why_not']}"), line)
            self.assertEqual(variant["runs_here"], variant["why_not"] is None)
            isa = ISAS[variant["target"]]
            self.assertEqual(
                (variant["rank"], variant["vector_bytes"], variant["fma"]), (isa.rank, isa.vector_bytes, isa.fma)
            )
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
                text = self.succeed(
                    "plan", "--input-size", "4,16,10,50,100", *layer, "--layout", layout, "--dtype", types
                )
                self.assertRegex(text, rf"variant +{layout}_[^\n]+\n +family [^\n]+, {types}\n")
                input_bytes, output_bytes = (int(DTYPES[t][0][2:]) for t in types_of_each(types))
                weight_bytes = 8 if types == "f64" else 4
                moved = (
                    4 * 16 * 10 * 50 * 100 * input_bytes
                    + 16 * 33 * 27 * weight_bytes
                    + 4 * 33 * 21 * 101 * 201 * output_bytes
                )
                self.assertIn(f"at least {moved / 2**20:.1f} MiB to move", text)
        for size in "22,9,11", "33,22,9,11":
            self.assertIn(
                "(33, 22, 9, 11)",
                self.succeed("plan", "--input-size", "1,10,4,5", *layer, "--padding", "0,0,0", "--output-size", size),
            )
        self.assertIn(
            "(33, 9, 12, 11)", self.succeed("plan", "--input-size", "1,10,4,5", *layer, "--padding-end=12,-3,0")
        )
        self.assertIn(
            "(4, 16, 10, 50) -> (4, 33, 21, 101), weight (16, 33, 3, 3)",
            self.succeed("plan", "--input-size", "4,16,10,50", *layer, "--dims", 2),
        )
        self.assertIn(
            "(16, 50) -> (33, 101), weight (16, 33, 3)",
            self.succeed("plan", "--dims", 1, "--input-size", "16,50", *layer),
        )
        self.fail_with(
            "--input-size: expected N,C,H,W or C,H,W", "plan", "--input-size", "4,16,10,50,60", *layer, "--dims", 2
        )
        self.fail_with("--input-size: expected", "plan", "--input-size", "4,16,10", *layer)
        self.fail_with("--input-size", "plan", *layer)
        self.fail_with("", "plan", "--input-size", "1,-1,3,3,3", *layer)
        self.fail_with("", "plan", "--input-size", "1,1,9223372036854775807,3,3", *layer)

    def test_bench(self):
        (self.folder / "layers.csv").write_text(
            LAYERS_HEADER
            + 'small,1,4,5,3x4x5,3x3x3,2x2x2,1x1x1,1x1x1,1x1x1,1,"a, b"\n\n'
            + "wide,2,4,4,2x2x30,1x1x3,1x1x1,0x0x0,0x0x0,1x1x2,4,c\n"
        )
        text = self.succeed("bench", "--layers-file", "layers.csv", "--threads", 1, "--json", "out.json")
        report = json.loads((self.folder / "out.json").read_text())
        machine = report["machine"]
        self.assertEqual(machine["threads"], 1)
        self.assertGreater(machine["peak_gflops"], 0)
        self.assertGreater(machine["bandwidth_gbs"], 0)
        self.assertEqual(
            [(r["layer"], r["layout"]) for r in report["results"]],
            [(name, layout) for name in ("small", "wide") for layout in ("ncdhw", "ndhwc")],
        )
        for result in report["results"]:
            self.assertTrue(result["planned"])
            self.assertEqual((result["dtype"], result["device"]), ("f32", "cpu"))
            self.assertIn(result["variant"], text)
            self.assertGreater(result["fraction_of_limit"], 0)
            if result["layer"] == "wide":  # no padding: each input element meets 3 weights
                self.assertAlmostEqual(result["gflops"] * result["seconds"], 2 * 2 * 4 * 120 * 3 * 1e-9, 15)

        variants = json.loads(self.succeed("list", "--json"))
        variants = [
            v
            for v in variants
            if v["operator"] == "forward"
            and v["runs_here"]
            and v["family"] == "columns"
            and v["device"] == "cpu"
            and v["dtype"] == "f32"
        ]
        any_stride, stride_2 = (next(v["name"] for v in variants if v["stride_x"] == s) for s in (1, 2))
        text = self.succeed(
            "bench",
            "--layers-file",
            "layers.csv",
            "--layers",
            "wide,small",
            "--variants",
            f"{stride_2},{any_stride}",
            "--json",
            "out.json",
        )
        measured = {(r["layer"], r["variant"]) for r in json.loads((self.folder / "out.json").read_text())["results"]}
        self.assertEqual(measured, {("wide", any_stride), ("small", any_stride), ("small", stride_2)})
        self.assertIn("skipped", text)

        bench = ["bench", "--layers-file", "layers.csv", "--layers", "small", "--json", "out.json"]
        for planning in "estimate", "measure":
            self.succeed(*bench, "--planning", planning, UNSTRIDE_PLANNING="measure")
            results = json.loads((self.folder / "out.json").read_text())["results"]
            self.assertEqual([r["planned"] for r in results], [True, True])

        self.succeed(
            "bench",
            "--layers-file",
            "layers.csv",
            "--layers",
            "small",
            "--dtype",
            "bf16-f32",
            "--variants",
            "all",
            "--json",
            "out.json",
        )
        results = json.loads((self.folder / "out.json").read_text())["results"]
        self.assertEqual({r["dtype"] for r in results}, {"bf16-f32"})
        self.assertTrue(all("_bf16_f32_" in r["variant"] for r in results))
        self.assertEqual(len(results), len({r["variant"] for r in results}))
        self.fail_with(
            f"--variants: {stride_2} is for type f32, not f16",
            "bench",
            "--layers",
            "seed1",
            "--variants",
            stride_2,
            "--dtype",
            "f16",
        )

    def test_other_devices(self):
        """`bench` and `plan` for each GPU of this machine; without one, PoCL stands in for it."""
        (self.folder / "layers.csv").write_text(LAYERS_HEADER + "small,1,4,5,3x4x5,3x3x3,2x2x2,1x1x1,1x1x1,1x1x1,1,a\n")
        for device in {v["device"] for v in json.loads(self.succeed("list", "--json")) if v["runs_here"]} - {"cpu"}:
            with self.subTest(device):
                self.succeed("bench", "--layers-file", "layers.csv", "--device", device, "--json", f"{device}.json")
                results = json.loads((self.folder / f"{device}.json").read_text())["results"]
                self.assertEqual([r["device"] for r in results], [device] * 2)
                for result in results:
                    self.assertTrue(result["variant"].endswith(device) and result["seconds"] > 0, result)
                text = self.succeed(
                    "plan", "--input-size", "1,4,3,4,5", "--out-channels", 5, "--kernel-size", 3, "--device", device
                )
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
        for fragment, text in (
            ("does not begin", ""),
            ("does not begin", good),
            ("line 2", LAYERS_HEADER + good[:-2]),
            ("line 3", LAYERS_HEADER + good + "\n" + good.replace("3x4x5", "3x4")),
            ("'x' is not an integer", LAYERS_HEADER + good.replace(",5,", ",x,")),
        ):
            (self.folder / "layers.csv").write_text(text)
            self.fail_with(fragment, "bench", "--layers-file", "layers.csv")


if __name__ == "__main__":
    main()
