"""The command `tiles` of bench/experiments.py: which tiles there are, how they take turns, and what their times say.

tiles_test.py BUILD
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path()
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/cli")]
from cli_support import LAYERS_HEADER  # noqa: E402

from unstride_bench.autoschedulers.candidates import CandidateError  # noqa: E402
from unstride_bench.tiles import verdicts  # noqa: E402
from unstride_bench.tiles.contest import LayerContest, measure  # noqa: E402
from unstride_bench.tiles.enumeration import (  # noqa: E402
    Tile,
    TileKernel,
    catalog_kernels,
    new_kernels,
    possible_tiles,
    registers_taken,
)
from unstride_bench.worker_process import WorkerError  # noqa: E402

# The planner sums it directly in each layout.
TABLE = LAYERS_HEADER + "small,1,16,16,2x3x9,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,here\n"


def kernel(size, family="channels", stride_x=1, layout="ndhwc"):
    """A kernel for AVX2, of a tile such as 16x4."""
    block, columns = map(int, size.split("x"))
    return TileKernel(Tile(layout, family, block, columns, "avx2", "f32"), stride_x)


def name_of(size, **more):
    return kernel(size, **more).name


class EnumerationTest(unittest.TestCase):
    def sizes(self, *kind):
        return {tile.size for tile in possible_tiles(*kind)}

    def test_tiles_fit_the_registers(self):
        avx2 = self.sizes("ndhwc", "channels", "avx2", "f32")
        self.assertLessEqual({"16x4", "16x5", "24x4", "32x2", "48x2"}, avx2)
        self.assertFalse({"64x4", "16x7", "24x5", "32x4"} & avx2)
        avx512 = self.sizes("ndhwc", "channels", "avx512", "f32")
        self.assertLessEqual({"32x12", "48x8", "64x6"}, avx512)
        self.assertFalse({"64x7", "24x4"} & avx512)
        self.assertIn("8x6", self.sizes("ndhwc", "channels", "avx2", "f64"))
        self.assertEqual((registers_taken(3, 4), registers_taken(4, 3)), (16, 16))

    def test_vectors_lie_across_what_the_family_says(self):
        self.assertIn("6x16", self.sizes("ncdhw", "columns", "avx2", "f32"))
        self.assertNotIn("16x6", self.sizes("ncdhw", "columns", "avx2", "f32"))
        self.assertIn("16x6", self.sizes("ndhwc", "taps", "avx2", "f32"))
        self.assertIn("6x16", self.sizes("ncdhw", "taps", "avx2", "f32"))

    def test_there_are_sums_enough(self):
        """Eight, or four where there are few channels or each input serves a single sum."""
        channels = self.sizes("ndhwc", "channels", "avx2", "f32")
        self.assertLessEqual({"8x4", "8x6"}, channels)
        self.assertFalse({"8x3", "16x3", "32x1"} & channels)
        columns = self.sizes("ncdhw", "columns", "avx2", "f32")
        self.assertLessEqual({"1x32", "2x32"}, columns)
        self.assertFalse({"1x24", "2x24", "4x8"} & columns)
        self.assertIn("4x8", self.sizes("ncdhw", "depthwise", "avx2", "f32"))

    def test_the_catalog(self):
        """All of its tiles are possible, and no new kernel is one of its own."""
        done = subprocess.run([BUILD / "bin/unstride", "list", "--json"], capture_output=True, check=True)
        listed = [v for v in json.loads(done.stdout) if v["device"] == "cpu" and v["operator"] == "forward"]
        for isa, dtype in sorted({(v["target"], v["dtype"]) for v in listed}):
            catalog = catalog_kernels(listed, isa, dtype)
            names = {v["name"] for v in listed if (v["target"], v["dtype"], v["known_kernel"]) == (isa, dtype, 0)}
            self.assertEqual({each.name for each in catalog}, names)
            for tile in {each.tile for each in catalog}:
                kind = tile.layout, tile.family, isa, dtype
                self.assertIn(tile, possible_tiles(*kind), tile.line())
            new = {each.name for each in new_kernels(catalog)}
            self.assertTrue(new)
            self.assertFalse(new & names)

    def test_strides_are_those_of_the_family(self):
        catalog = [kernel("4x16", "columns", stride, "ncdhw") for stride in (1, 2)] + [kernel("16x4")]
        names = {each.name for each in new_kernels(catalog)}
        self.assertLessEqual({"ncdhw_columns_6x16_s1_avx2", "ncdhw_columns_6x16_s2_avx2"}, names)
        self.assertIn("ndhwc_channels_16x5_s1_avx2", names)
        self.assertNotIn("ndhwc_channels_16x5_s2_avx2", names)
        self.assertEqual(catalog_kernels([], "avx2", "f32"), [])


class FakeWorker:
    """A worker of variants that take these seconds; `again` has those of a variant once it had so many turns."""

    def __init__(self, seconds, planned, again=None, wrong=(), failing=()):
        self.seconds, self.planned, self.again = dict(seconds), planned, again or {}
        self.wrong, self.failing = wrong, failing
        self.turns, self.added = {}, []

    def ask(self, do, variant="", **request):
        if do == "expect":
            seconds = {name: self.seconds[name] for name in request["variants"] if name in self.seconds}
            return {"planned": self.planned, "seconds": seconds}
        if do == "add":
            self.added.append(request["name"])
            return {}
        if variant and variant not in self.seconds:
            raise WorkerError("not for this layer")
        if variant in self.failing:
            raise WorkerError("failed")
        if do == "check":
            return {"difference": 1e-9 if variant in self.wrong else 0}
        self.turns[variant] = self.turns.get(variant, 0) + 1
        turns, later = self.again.get(variant, (math.inf, 0))
        return {"samples": [later if self.turns[variant] > turns else self.seconds[variant or self.planned]]}


CATALOG = [kernel("16x4"), kernel("24x4"), kernel("8x6"), kernel("16x4", "winograd")]
PLANNED = name_of("16x4")
TIMES = {name_of("16x4"): 1.0, name_of("24x4"): 1.2, name_of("8x6"): 2.0}


class ContestTest(unittest.TestCase):
    def measure(self, new, planned=PLANNED, **more):
        """The record, and the worker, for new kernels of these sizes and seconds."""
        added = [kernel(size) for size in new]
        seconds = {**TIMES, **{name_of(size): s for size, s in new.items() if s}, **more.pop("seconds", {})}
        worker = FakeWorker(seconds, planned, **more)
        contest = LayerContest(worker, "ndhwc", "f32", 3, 0.01)
        return measure(contest, CATALOG, added, pathlib.Path()), worker

    def test_a_faster_tile_is_measured_again(self):
        record, worker = self.measure({"16x5": 0.8, "16x6": 1.0, "32x3": 1.3, "40x2": 9, "48x2": None})
        self.assertEqual(record["catalog"], TIMES)
        self.assertEqual(record["sums"], "direct")
        self.assertEqual(record["slow"], [name_of("40x2")])
        self.assertEqual(set(record["added"]), {name_of(size) for size in ("16x5", "16x6", "32x3")})
        self.assertAlmostEqual(record["added"][name_of("16x6")], 1)
        self.assertEqual(list(record["again"]), [name_of("16x5")])
        self.assertAlmostEqual(record["again"][name_of("16x5")], 1.25)
        self.assertEqual(worker.turns[name_of("32x3")], 1)  # it falls behind at once
        self.assertEqual(worker.turns[name_of("16x5")], 3 + 6)

    def test_luck_does_not_last(self):
        record, _ = self.measure({"16x5": 0.8}, again={name_of("16x5"): (3, 1.0)})
        self.assertAlmostEqual(record["added"][name_of("16x5")], 1.25)
        self.assertAlmostEqual(record["again"][name_of("16x5")], 1)

    def test_wrong_and_failing_tiles(self):
        record, _ = self.measure({"16x5": 0.8, "16x6": 0.9}, wrong=[name_of("16x5")])
        self.assertEqual((record["wrong"], list(record["again"])), ([name_of("16x5")], [name_of("16x6")]))
        with self.assertRaises(CandidateError) as raised:
            self.measure({"16x5": 0.8}, failing=[name_of("16x5")])
        self.assertEqual(raised.exception.name, name_of("16x5"))

    def test_two_kernels_that_share_the_layer(self):
        """A new tile has to beat both together, whose time is known from before."""
        pair = f"{name_of('16x4')}+{name_of('8x6')}"
        record, worker = self.measure({"16x5": 0.8}, planned=pair, seconds={pair: 0.85})
        self.assertEqual(record["catalog"][pair], 0.85)
        self.assertAlmostEqual(record["added"][name_of("16x5")], 0.85 / 0.8)
        self.assertEqual(worker.turns[""], 3)

    def test_only_tiles_that_the_planner_may_choose(self):
        record, worker = self.measure({"16x5": 0.8}, planned=name_of("16x4", family="winograd"))
        self.assertEqual((record["sums"], record["catalog"], worker.added), ("winograd", {}, []))
        record, _ = self.measure({"16x5": 0.8}, planned="ndhwc_channels_32x2_s1_avx2")
        self.assertIsNone(record["sums"])


def record_of(layer, catalog, added=None, again=None, **more):
    """A record of ndhwc, with times of the catalog and gains of new kernels by size."""

    def by_name(sizes):
        return {"+".join(map(name_of, size.split("+"))): value for size, value in (sizes or {}).items()}

    return {
        "layer": layer,
        "catalog": by_name(catalog),
        "added": by_name(added),
        "again": by_name(again),
        "wrong": [name_of(size) for size in more.get("wrong", ())],
        "slow": [name_of(size) for size in more.get("slow", ())],
    }


class VerdictsTest(unittest.TestCase):
    KERNELS = [(kernel(size), True) for size in ("16x4", "24x4", "32x2", "8x6")] + [
        (kernel(size), False) for size in ("16x5", "16x6", "40x2")
    ]

    def found(self, *records):
        return verdicts.standings(self.KERNELS, records)

    def test_missing(self):
        found = self.found(
            record_of("a", {"16x4": 1, "24x4": 1.1}, {"16x5": 1.2, "16x6": 1.19}, {"16x5": 1.12, "16x6": 1.08}),
            record_of("b", {"16x4": 1, "24x4": 1.1}, {"16x5": 1.2}, {"16x5": 1.06}),
            record_of("c", {"16x4": 1, "24x4": 1.1}, {"16x5": 1.2, "16x6": 1.1}, {"16x5": 1.04, "16x6": 1.0}),
        )
        line = "missing: ndhwc channels 16x5 1 - avx2 f32 (1.12x on a, 1.06x on b)"
        self.assertEqual(verdicts.missing_lines(found), [line])

    def test_never_wins(self):
        found = self.found(
            record_of("a", {"16x4": 1, "24x4": 1.5, "32x2": 1.01}, {"16x5": 1.2}),
            record_of("b", {"16x4": 1, "24x4": 1.25, "32x2": 1.5}, slow=["8x6", "40x2"]),
        )
        nearest = "on 2 layers; at best 1.25 times as long as the fastest, on b"
        lines = [
            f"never wins: ndhwc channels 24x4 avx2 f32 ({nearest})",
            "never wins: ndhwc channels 8x6 avx2 f32 (on 1 layer; estimated slow)",
        ]
        self.assertEqual(verdicts.losing_lines(found), lines)
        self.assertEqual(verdicts.missing_lines(found), [])

    def test_wins_and_gains(self):
        by_size = {
            standing.tile.size: standing
            for standing in self.found(
                record_of("a", {"16x4": 1, "24x4": 1.5}, {"16x5": 1.2, "16x6": 1.19, "40x2": 1.1}, wrong=["40x2"]),
                record_of("b", {"16x4": 1, "24x4": 0.5}, {"16x5": 0.99}),
            )
        }
        self.assertEqual(by_size["16x4"].gains, {"a": 1.5, "b": 0.5})
        wins = {size: standing.wins for size, standing in by_size.items()}
        self.assertEqual(wins, {"16x4": 1, "24x4": 1, "16x5": 2, "16x6": 1})
        table = "\n".join(verdicts.table(by_size.values()))
        self.assertRegex(table, r"16x5  new +2 +2 +1   1\.20x on a")
        self.assertRegex(table, r"24x4 +2 +1 +1   2\.00x on b")

    def test_two_kernels_that_share_the_layer_both_win(self):
        found = self.found(record_of("a", {"16x4": 1, "24x4": 1.5, "8x6": 2, "24x4+8x6": 0.9}))
        self.assertEqual({s.tile.size: s.wins for s in found}, {"16x4": 0, "24x4": 1, "8x6": 1})
        self.assertEqual(len(verdicts.losing_lines(found)), 1)

    def test_a_tile_without_others(self):
        found = self.found(record_of("a", {"16x4": 1}))
        (row,) = verdicts.rows(found)
        self.assertEqual((row["wins"], row["gains"]), (1, {"a": None}))


class CommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "layers.csv").write_text(TABLE)
        done = subprocess.run([BUILD / "bin/unstride", "list", "--json"], capture_output=True, check=True)
        self.isas = {v["target"] for v in json.loads(done.stdout)}

    def run_it(self, *words, status=0, **environment):
        command = [sys.executable, str(ROOT / "bench/experiments.py"), "tiles", "--build", str(BUILD), "--output"]
        command += [str(self.folder / "out"), "--layers-file", str(self.folder / "layers.csv"), "--jobs", "1"]
        command += ["--rounds", "1", "--seconds", "0.001", *words]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def document(self):
        return json.loads((self.folder / "out/tiles.json").read_text())

    def test_one_tile(self):
        words = ("--isa", "baseline", "--families", "channels", "--layouts", "ndhwc", "--tiles")
        said = self.run_it(*words, "8x5")
        self.assertIn("1 kernel that the catalog lacks", said)
        self.assertRegex(said, r"ndhwc channels baseline f32 +layers +wins")
        found, name = self.document(), "ndhwc_channels_8x5_s1_baseline"
        (compiled,), (record,) = found["kernels"], found["layers"]
        self.assertEqual((compiled["kernel"], compiled["status"]), (name, "ok"))
        self.assertEqual((record["layer"], record["layout"], record["kernels"]), ("small", "ndhwc", [name]))
        self.assertEqual((record["sums"], record["wrong"], record["fails"]), ("direct", [], {}))
        self.assertTrue(all(seconds > 0 for seconds in record["catalog"].values()))
        self.assertGreater(record["added"][name], 0)
        self.assertEqual(found["settings"]["isa"], "baseline")

        # Nothing is compiled or timed twice.
        (library,) = (self.folder / "out/tiles").glob(f"*/{name}.so")
        made = library.stat().st_mtime_ns
        self.run_it(*words, "8x5")
        self.assertEqual(library.stat().st_mtime_ns, made)
        self.assertEqual(self.document()["layers"], [record])
        self.assertIn("made with other settings", self.run_it(*words, "8x5", "--threads", "37", status=1))

        # A tile more takes turns with those of before; one that fails is a result.
        code = f'extern "C" int unstride_{name}() {{ return -11; }}'
        subprocess.run(["c++", "-xc++", "-shared", "-fPIC", "-", "-o", library], input=code, text=True, check=True)
        self.run_it(*words, "8x6")
        (record,) = self.document()["layers"]
        other = "ndhwc_channels_8x6_s1_baseline"
        self.assertEqual((list(record["added"]), list(record["fails"])), ([other], [name]))
        self.assertEqual(record["kernels"], [other, name])

    def test_code_of_a_tile_that_does_not_run_here(self):
        if "avx512" not in self.isas:
            self.skipTest("this build has no kernels of avx512")
        words = ("--isa", "avx512", "--families", "channels", "--layouts", "ndhwc", "--tiles", "32x10")
        said = self.run_it(*words, UNSTRIDE_MAX_ISA="baseline")
        self.assertIn("nothing was timed: this machine does not run avx512", said)
        self.assertRegex(said, r"ndhwc_channels_32x10_s1_avx512 +20 +12 +1\.67 +0 ")
        self.assertEqual(self.document()["layers"], [])

    def test_errors(self):
        for words, message in (
            (("--families", "rows"), "there is no family 'rows'"),
            (("--families", "pairs", "--isa", "baseline"), "the catalog has no kernels of pairs for f32 and baseline"),
            (("--layers", "large"), "there is no layer 'large'"),
            (("--layouts", "nhwc"), "there is no layout 'nhwc'"),
            (("--isa", "cuda"), "there is no instruction set 'cuda'"),
            (("--tiles", "64x64"), "--tiles: 64x64"),
            (("--build", "/nowhere"), "No such file"),
        ):
            with self.subTest(words):
                said = self.run_it(*words, status=1)
                self.assertTrue(said.startswith("experiments.py: "), said)
                self.assertIn(message, said)
        self.assertIn("invalid choice: 'f8'", self.run_it("--type", "f8", status=2))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
