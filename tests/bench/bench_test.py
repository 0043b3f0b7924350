"""The benchmark's driver and Unstride's worker, on layers that take no time.

bench_test.py BUILD
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path()
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/cli")]
from cli_support import LAYERS_HEADER, conv_transpose3d  # noqa: E402

from unstride_bench.instruction_sets import ISAS, lanes_of  # noqa: E402
from unstride_bench.kernel_families import FAMILIES  # noqa: E402
from unstride_bench.layer_table import LAYOUTS, parse  # noqa: E402
from unstride_bench.machine_code import find_llvm_mca  # noqa: E402
from unstride_bench.peers import PEERS  # noqa: E402
from unstride_bench.short_turns import EPILOGUES, PEER_TYPES, TYPES  # noqa: E402
from unstride_bench.worker_process import Worker, WorkerError  # noqa: E402

SMALL = 'small,2,4,6,3x4x5,3x2x1,2x1x3,1x0x0,1x0x2,1x2x1,2,"here, and there"\n'
WIDE = "wide,1,8,8,2x2x9,1x1x3,1x1x1,0x0x0,0x0x0,1x1x1,1,nowhere\n"


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class InstructionSetsTest(unittest.TestCase):
    def test_the_table_is_what_the_build_has(self):
        done = subprocess.run([BUILD / "bin/unstride", "list", "--json"], capture_output=True, check=True)
        listed = json.loads(done.stdout)
        for v in listed:
            isa = ISAS[v["target"]]
            facts = v["rank"], v["vector_bytes"], v["fma"], v["device"]
            self.assertEqual((isa.rank, isa.vector_bytes, isa.fma, isa.device), facts)
        self.assertEqual({v["family"] for v in listed}, set(FAMILIES))
        targets = json.loads((BUILD / "generator.json").read_text())["targets"]
        self.assertTrue({v["target"] for v in listed} <= set(targets))

    def test_lanes(self):
        for variant, lanes in {
            "ndhwc_pairs_32x8_s1_bf16_avx512bf16": 16,
            "ncdhw_columns_8x16_s1_f64_avx512": 8,
            "ncdhw_columns_4x8_s2_f64_avx2": 4,
            "ncdhw_columns_6x16_s1_avx2": 8,
            "ncdhw_columns_4x8_s1_bf16_f32_baseline": 4,
        }.items():
            self.assertEqual(lanes_of(variant), lanes, variant)


class LayerTableTest(unittest.TestCase):
    def test_parse(self):
        (layer,) = parse(LAYERS_HEADER + "\n" + SMALL)
        self.assertEqual((layer.name, layer.source, layer.groups), ("small", "here, and there", 2))
        self.assertEqual((layer.input_shape, layer.output_shape), ((2, 4, 3, 4, 5), (2, 6, 6, 6, 15)))
        self.assertEqual(parse(layer.text), [layer])

    def test_errors(self):
        for text in (
            SMALL,
            LAYERS_HEADER + SMALL.replace(",2,", ",x,"),
            LAYERS_HEADER + SMALL.replace("3x4x5", "3x4"),
            LAYERS_HEADER + "small,1\n",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                parse(text + SMALL)


class WorkerTest(Files):
    def setUp(self):
        super().setUp()
        self.worker = Worker([BUILD / "bin/unstride_bench_worker", "1"])
        self.addCleanup(self.worker.close)

    def load(self, layout, **more):
        return self.worker.ask("load", layer=LAYERS_HEADER + SMALL, layout=layout, **more)

    def test_load(self):
        for layout in LAYOUTS:
            reply = self.load(layout, save=str(self.folder))
            self.assertTrue(reply["variant"].startswith(layout))
            self.assertGreater(reply["packed_bytes"], 0)
            self.assertGreaterEqual(reply["extra_bytes"], 0)
            x, w, b, y = (np.load(self.folder / f"{name}.npy") for name in ("input", "weight", "bias", "output"))
            if layout == "ncdhw":
                first = x
            np.testing.assert_array_equal(x, first)  # the same numbers in any layout
            expected = conv_transpose3d(x, w, b, (2, 1, 3), (1, 0, 0), (1, 0, 2), (1, 2, 1), 2)
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
            moved = 4 * (x.size + w.size + y.size)
            self.assertEqual(reply["compulsory_bytes"], moved)
            self.assertTrue(0 < reply["flops"] <= 2 * x.size * 3 * 6)

    def test_memory_that_a_forward_takes(self):
        # One input channel and a kernel that is larger than all else: its packed copy is what the layer takes.
        layer = LAYERS_HEADER + "large,1,512,512,1x1x1,3x3x3,1x1x1,1x1x1,0x0x0,1x1x1,1,nowhere\n"
        reply = self.worker.ask("load", layer=layer, layout="ndhwc")
        if reply["extra_bytes"] is None:
            self.skipTest("the kernel does not let the worker reset its peak of memory")
        self.assertGreater(reply["packed_bytes"], 28e6)
        self.assertTrue(0.9 < reply["extra_bytes"] / (reply["packed_bytes"] + reply["scratch_bytes"]) < 1.3, reply)

    def test_time(self):
        planned = self.load("ncdhw")["variant"]
        for variant in ({}, {"variant": planned}):
            samples = self.worker.ask("time", layout="ncdhw", seconds=0, least=4, **variant)["samples"]
            self.assertEqual(len(samples), 4)
            self.assertTrue(all(s > 0 for s in samples))
        # A call takes microseconds, but the processor may be busy with something else for a while.
        self.assertGreater(len(self.worker.ask("time", layout="ncdhw", seconds=1, least=1)["samples"]), 10)

    def test_types(self):
        for layout in LAYOUTS:
            self.load(layout)
            for name in TYPES:
                difference = self.worker.ask("check", layout=layout, dtype=name, save=str(self.folder))["difference"]
                # Sums round to f32, and outputs to their type: by half of its last bit, of the largest output at most.
                rounding = {"f64": 0, "f16": 2**-11, "bf16": 2**-8}.get(name, 0)
                self.assertTrue(rounding / 8 <= difference <= rounding + 1e-6 * (name != "f64"), (name, difference))
                x, w, b, y = (np.load(self.folder / f"{each}.npy") for each in ("input", "weight", "bias", "output"))
                self.assertEqual((x.dtype, y.dtype), (np.float32, np.float64))
                if not name.startswith("bf16"):
                    x, w, b = (each.astype(np.float16 if name.startswith("f16") else np.float32) for each in (x, w, b))
                    np.testing.assert_allclose(
                        y,
                        conv_transpose3d(x, w, b, (2, 1, 3), (1, 0, 0), (1, 0, 2), (1, 2, 1), 2),
                        rtol=1e-12,
                        atol=1e-12,
                    )
                self.assertEqual(
                    len(self.worker.ask("time", layout=layout, seconds=0, least=4, dtype=name)["samples"]), 4
                )
            # What has no type in a request is f32.
            self.assertEqual(
                self.worker.ask("check", layout=layout, variant=self.load(layout)["variant"])["difference"], 0
            )

    def test_what_the_planner_expects(self):
        for layout in LAYOUTS:
            planned = self.load(layout)["variant"]
            for dtype in ("f32", "f64"):
                place = {"layout": layout, "dtype": dtype}
                first = self.worker.ask("expect", variants=[], **place)["planned"].split("+")[0]
                other = first.replace(layout, LAYOUTS[layout == LAYOUTS[0]])
                answer = self.worker.ask("expect", variants=[first, other, "nonesuch"], **place)
                self.assertEqual(list(answer["seconds"]), [first])
                self.assertGreater(answer["seconds"][first], 0)
                self.assertEqual(self.worker.ask("check", variant=first, beside=first, **place)["difference"], 0)
                with self.assertRaisesRegex(WorkerError, "unknown variant: nobody"):
                    self.worker.ask("check", variant=first, beside="nobody", **place)
            self.assertEqual(self.worker.ask("expect", layout=layout, variants=[])["planned"], planned)

    def test_load_without_memory(self):
        self.assertIsNone(self.load("ncdhw", memory=False)["extra_bytes"])

    def test_load_in_a_type(self):
        reply = self.load("ndhwc", dtype="bf16")
        self.assertIn("bf16", reply["variant"])
        self.assertEqual(len(self.worker.ask("time", layout="ndhwc", seconds=0, least=2, dtype="bf16")["samples"]), 2)

    def test_patience(self):
        self.load("ncdhw")
        self.assertEqual(len(self.worker.ask("time", layout="ncdhw", seconds=0, least=4, patience=0)["samples"]), 1)

    def test_machine(self):
        machine = self.worker.ask("machine")
        self.assertEqual(machine["threads"], 1)
        # Figures are far below the machine's own if it is busy.
        for figure in "clock_ghz", "peak_gflops", "bandwidth_gbs":
            self.assertGreater(machine[figure], 0)
        self.assertLess(machine["clock_ghz"], 20)

    def test_errors_are_answers(self):
        self.load("ncdhw")
        for fragment, request in {
            "no request 'wat'": {"do": "wat"},
            "no layer is loaded in ndhwc": {"do": "time", "layout": "ndhwc", "seconds": 0, "least": 1},
            "unknown variant: wat": {"do": "time", "layout": "ncdhw", "seconds": 0, "least": 1, "variant": "wat"},
            "but got 'wat'": {"do": "time", "layout": "ncdhw", "seconds": 0, "least": 1, "dtype": "wat"},
            "in f32": {
                "do": "time",
                "layout": "ncdhw",
                "seconds": 0,
                "least": 1,
                "dtype": "f16",
                "activation": "silu",
                "residual": True,
            },
            "no layout 'wat'": {"do": "load", "layer": LAYERS_HEADER + SMALL, "layout": "wat"},
            "does not begin": {"do": "load", "layer": SMALL, "layout": "ncdhw"},
            "one layer is needed": {"do": "load", "layer": LAYERS_HEADER + SMALL + WIDE, "layout": "ncdhw"},
        }.items():
            with self.subTest(fragment), self.assertRaisesRegex(WorkerError, fragment):
                self.worker.ask(**request)
        self.worker.ask("unload")
        with self.assertRaisesRegex(WorkerError, "no layer is loaded"):
            self.worker.ask("time", layout="ncdhw", seconds=0, least=1)

    def state(self):
        return pathlib.Path(f"/proc/{self.worker.process.pid}/stat").read_text().split(") ")[1][0]

    def test_stands_still_between_requests(self):
        self.load("ncdhw")
        self.assertEqual(self.state(), "T")

    def test_process_that_ends(self):
        self.load("ncdhw")
        self.worker.process.send_signal(signal.SIGKILL)
        with self.assertRaises(WorkerError):
            self.load("ncdhw")
        self.assertFalse(self.worker.alive)
        with self.assertRaisesRegex(WorkerError, "last words.*exit status 3"):
            Worker([sys.executable, "-c", "import sys; print('last words', file=sys.stderr); sys.exit(3)"]).ask("wat")
        with self.assertRaisesRegex(WorkerError, "no answer"):
            Worker([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.1).ask("wat")


class DriverTest(Files):
    def bench(self, *arguments):
        (self.folder / "layers.csv").write_text(LAYERS_HEADER + SMALL + WIDE)
        done = subprocess.run(
            [
                sys.executable,
                ROOT / "bench/bench.py",
                "--build",
                BUILD,
                "--layers-file",
                self.folder / "layers.csv",
                "--json",
                self.folder / "out.json",
                "--threads",
                "1",
                "--rounds",
                "2",
                "--seconds",
                "0.001",
                *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=600,
        )
        return done

    def document(self):
        return json.loads((self.folder / "out.json").read_text())

    def test_peers_that_fail_and_resume(self):
        # This Python has none of the peers' packages, which is what each peer's results say then.
        peers = ("--peers", sys.executable, "--peer-names", "torch,openvino")
        done = self.bench(*peers, "--layers", "small")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = self.document()
        self.assertEqual([layer["name"] for layer in document["layers"]], ["small"])
        results = {(r["who"], r["layout"]): r for r in document["results"]}
        self.assertEqual(
            set(results), {(who, layout) for who in ("unstride", "torch", "openvino") for layout in LAYOUTS}
        )
        for (who, _), result in results.items():
            if who == "unstride":
                self.assertLess(result["difference"], 1e-5)
                self.assertEqual(len(result["rounds"]), 2)
                self.assertTrue(result["fastest"] <= result["seconds"] <= result["slowest"])
            else:
                self.assertIn("ModuleNotFoundError", result["error"])
        for layout in LAYOUTS:
            rows = [v for v in document["variants"] if v["layout"] == layout]
            self.assertEqual([v["variant"] for v in rows if v["planned"]], [results["unstride", layout]["variant"]])
        for row in document["epilogues"]:
            self.assertEqual(set(row["seconds"]), set(EPILOGUES))
        for row in document["types"]:
            self.assertEqual(set(row["seconds"]), set(TYPES))
            self.assertEqual({peer: tuple(results) for peer, results in row["peers"].items()}, PEER_TYPES)
            self.assertTrue(
                all(
                    "ModuleNotFoundError" in result["cannot"]
                    for results in row["peers"].values()
                    for result in results.values()
                ),
                row,
            )
        for part in "epilogues", "types":
            self.assertEqual([row["layout"] for row in document[part]], list(LAYOUTS))
        self.assertIn("ModuleNotFoundError", (self.folder / "out.html").read_text())
        names = {
            name
            for row in document["results"] + document["variants"]
            if "variant" in row
            for name in row["variant"].split("+")
        }
        self.assertLessEqual({row["variant"] for row in document["code"]}, names)
        if document["code"]:
            self.assertEqual(all("predicted_cycles" in row for row in document["code"]), find_llvm_mca() is not None)

        first = document["results"]
        done = self.bench(*peers, "--resume")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([layer["name"] for layer in self.document()["layers"]], ["small", "wide"])
        self.assertEqual(self.document()["results"][: len(first)], first)
        done = self.bench("--resume", "--rounds", "1")
        self.assertIn("other settings", done.stderr)

    def test_goals(self):
        """With no time at all, each layer has a round; this Python has none of the peers' packages."""
        done = self.bench("--only", "goals", "--minutes", "0", "--isa", "avx2", "--peers", sys.executable)
        self.assertEqual(done.returncode, 0, done.stderr)
        document = self.document()
        self.assertEqual({layer["name"] for layer in document["layers"]}, {"small", "wide"})
        self.assertEqual((document["settings"]["only"], document["settings"]["isa"]), ("goals", "avx2"))
        for part in "results", "bf16":
            ours = [row for row in document[part] if row["who"] == "unstride"]
            self.assertEqual(len(ours), 4)
            for row in ours:
                self.assertEqual(len(row["rounds"]), 1)
                self.assertLess(row["difference"], 1e-2)
                names = row["variant"].split("+")
                self.assertTrue(all(ISAS[name.split("_")[-1]].rank <= ISAS["avx2"].rank for name in names), names)
            theirs = [row for row in document[part] if row["who"] != "unstride"]
            self.assertTrue(theirs and all("ModuleNotFoundError" in row["error"] for row in theirs))
        self.assertEqual(document["epilogues"] + document["types"] + document["layer_kernels"], [])
        planned = [row for row in document["variants"] if row["planned"]]
        ours = [row for row in document["results"] if row["who"] == "unstride"]
        self.assertEqual([row["rounds"] for row in planned], [row["rounds"] for row in ours])
        line = done.stdout.splitlines()[-1]
        self.assertRegex(line, "^goals: f32 wins 0/0, any none, same none, .*, isa at most avx2$")
        self.assertEqual(document["goals"]["f32"]["of"], 0)
        self.assertIn("ModuleNotFoundError", (self.folder / "out.html").read_text())

    def test_kernels_for_layers(self):
        """The test's own worker has kernels for the layer `wide` in ndhwc, and for nothing else.

        With AVX-512, the planner has a better one.
        """
        worker = BUILD / "bin/unstride_bench_test_worker"
        done = self.bench("--layer-kernels", worker, "--isa", "avx2")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = self.document()
        self.assert_below_avx2(document)
        (row,) = document["layer_kernels"]
        self.assertEqual((row["layer"], row["layout"], row["difference"], len(row["rounds"])), ("wide", "ndhwc", 0, 2))
        self.assertTrue(row["variant"].startswith("wide_ndhwc_"), row)
        self.assertFalse(any(r["variant"].startswith("wide") for r in document["results"]))
        self.assertIn(row["variant"], (self.folder / "out.html").read_text())

    def assert_below_avx2(self, document):
        """All that is measured keeps below an instruction set: the planner's choice, and the variants tried."""
        self.assertEqual(document["settings"]["isa"], "avx2")
        names = [name for row in document["results"] + document["variants"] for name in row["variant"].split("+")]
        self.assertTrue(names)
        for name in names:
            self.assertLessEqual(ISAS[name.split("_")[-1]].rank, ISAS["avx2"].rank, name)
        self.assertEqual({tuple(row["seconds"]) for row in document["types"]}, {tuple(TYPES)})

    def test_errors(self):
        self.assertIn("no 'nonesuch'", self.bench("--layers", "nonesuch").stderr)
        self.assertIn("invalid choice", self.bench("--isa", "sse9").stderr)
        self.assertIn("no such peer", self.bench("--peers", sys.executable, "--peer-names", "nonesuch").stderr)

    def test_peers_have_names_of_their_own(self):
        self.assertEqual(len({peer.name for peer in PEERS}), len(PEERS))
        for peer in PEERS:
            self.assertTrue((ROOT / f"bench/peers/{peer.module}.py").exists())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
