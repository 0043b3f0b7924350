"""What `bench/experiments.py planner` measures, judges and fits, and plans for machines that are not here.

planner_test.py BUILD
"""

import functools
import json
import math
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path()
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/cli")]
from cli_support import LAYERS_HEADER  # noqa: E402

from unstride_bench import layer_table  # noqa: E402
from unstride_bench.planner import fitting, judging, measuring, variant_times  # noqa: E402
from unstride_bench.planner.variant_times import Time, VariantTimes  # noqa: E402
from unstride_bench.worker_process import Worker, WorkerError  # noqa: E402

LAYER = layer_table.parse(LAYERS_HEADER + "small,1,4,6,3x4x5,3x3x3,2x2x2,1x1x1,0x0x0,1x1x1,1,here\n")[0]
MACHINE = {"cpu": "a machine", "microarchitecture": "zen3", "isa": "avx2", "threads": 2, "clock_hertz": 3.5e9}
ZEN4 = {"isa": "avx512bf16", "threads": 2, "l1d": 1 << 15, "l2": 1 << 20, "last_level": 1 << 25, "clock_hertz": 1e9}


class FakeWorker:
    """Answers as a worker whose variants take the times that it is told, and counts turns."""

    def __init__(self, seconds, planned, expected=None):
        self.seconds, self.planned, self.expected = seconds, planned, expected or seconds
        self.turns = []

    def ask(self, do, variant="", patience=1, **_):
        """The answer to a request; a variant without a time does not take the layer."""
        name = variant or self.planned
        if name not in self.seconds:
            raise WorkerError("needs another layer")
        if do == "time" and patience > 0:
            self.turns.append(name)
        if do == "time":
            return {"samples": [self.seconds[name]]}
        plan = {"variant": name, "rows": 3, "seconds": self.expected[name], "stores": 0, "staging": 0}
        return {"plans": [plan]}


class TimesTest(unittest.TestCase):
    def test_tables_are_read_as_they_are_written(self):
        times = [Time("small", "ncdhw", "a+b", 3, 0.0125), Time("small", "ndhwc", "c", 1, 2e-5)]
        read = variant_times.parse(variant_times.table_of(VariantTimes(MACHINE, times)))
        self.assertEqual((read.machine, read.times), (MACHINE, times))
        self.assertEqual(read.cases(), {("small", "ncdhw"): {"a+b": 0.0125}, ("small", "ndhwc"): {"c": 2e-5}})
        with self.assertRaisesRegex(ValueError, "columns"):
            variant_times.parse("layer,seconds\nsmall,1\n")


class MeasuringTest(unittest.TestCase):
    def test_what_has_turns(self):
        # `far` is not expected to be fast, `slow` turns out not to be, and `other` does not take the layer.
        seconds = {"a": 1.0, "slow": 2.0, "far": 0.5, "a+b": 0.9}
        worker = FakeWorker(seconds, "a+b", {**seconds, "slow": 1.0, "far": 9.0})
        found = measuring.measure_case(worker, LAYER, "ncdhw", ["a", "slow", "far", "other"])
        self.assertEqual({t.variant: t.seconds for t in found}, {"a": 1.0, "slow": 2.0, "a+b": 0.9})
        self.assertEqual({t.rows for t in found}, {3})
        self.assertEqual([worker.turns.count(name) for name in ("a", "")], [measuring.ROUNDS, 0])
        self.assertEqual(worker.turns.count("slow"), 1)

    def test_a_spent_budget_and_what_is_there(self):
        variants = {"ncdhw": ["a"], "ndhwc": ["a"]}
        for budget, times, done in ((-1, 0, False), (60, 2, True)):
            measured, saved = VariantTimes(MACHINE, []), []
            worker = FakeWorker({"a": 1.0}, "a")
            ended = measuring.measure(worker, [LAYER], variants, measured, budget, functools.partial(saved.append, 1))
            self.assertEqual((ended, len(measured.times), len(saved)), (done, times, times))
        turns = len(worker.turns)
        self.assertTrue(measuring.measure(worker, [LAYER], variants, measured, 60, self.fail))
        self.assertEqual(len(worker.turns), turns)


class JudgingTest(unittest.TestCase):
    TIMES = {"a": 1.0, "b": 1.1, "c": 1.5}

    def judgements(self, *chosen):
        return [judging.judge_case(("small", "ncdhw"), name, self.TIMES) for name in chosen]

    def test_regret(self):
        self.assertEqual([j.regret for j in self.judgements("a", "b", "c", "a+b")], [1, 1.1, 1.5, None])
        self.assertEqual({j.fastest for j in self.judgements("a", "b")}, {"a"})

    def test_summary(self):
        self.assertEqual(
            judging.summary_of(self.judgements("a", "b", "c", "a+b")),
            "within 5 %: 1 of 3, within 15 %: 2, geometric mean "
            f"{(1.1 * 1.5) ** (1 / 3):.3f}, largest 1.50; 1 choices were not measured",
        )
        self.assertEqual(judging.summary_of([]), "nothing was measured")
        lines = judging.report_of(self.judgements("a", "b", "c")).splitlines()
        self.assertEqual([line.split()[2] for line in lines[:-1]], ["1.50", "1.10"])


class FittingTest(unittest.TestCase):
    def answers(self):
        """Two cases of four variants, whose expected times have different parts."""
        parts = [(5, 1, 1), (4, 3, 1), (3, 1, 4), (2, 2, 3)]
        return {
            case: {
                f"v{i}": {"seconds": scale * (m + s + g), "stores": scale * s, "staging": scale * g}
                for i, (m, s, g) in enumerate(parts)
            }
            for case, scale in (("one", 1.0), ("two", 20.0))
        }

    def times(self, storing, staging, factor):
        return {
            case: {name: factor * fitting.expected_seconds(a, storing, staging) for name, a in answers.items()}
            for case, answers in self.answers().items()
        }

    def test_constants_that_made_the_times_are_found(self):
        for storing, staging in ((1, 1), (1.6, 0.8), (0.7, 1.3)):
            found = fitting.fit(self.times(storing, staging, 3), self.answers())
            for got, want in zip(found, (storing, staging), strict=True):
                self.assertLess(abs(math.log(got / want)), 0.02)

    def test_choices(self):
        # Counted as they are, v0 and v3 take 7; with dearer stores v0 takes less, with dearer staging v1.
        self.assertEqual(set(fitting.choices(self.answers(), 1.1, 1).values()), {"v0"})
        self.assertEqual(set(fitting.choices(self.answers(), 0.1, 5).values()), {"v1"})


class PlansTest(unittest.TestCase):
    """The worker's plans, for machines that need not be this one."""

    @classmethod
    def setUpClass(cls):
        cls.worker = Worker([str(BUILD / "bin/unstride_bench_worker"), "1"])
        cls.addClassCleanup(cls.worker.close)
        done = subprocess.run([BUILD / "bin/unstride", "list", "--json"], capture_output=True, check=True)
        cls.sums = {v["name"]: v["sums"] for v in json.loads(done.stdout)}

    def plans(self, layer, layout, machines, **more):
        return self.worker.ask("plan", layer=layer.text, layout=layout, machines=machines, **more)["plans"]

    def test_a_plan(self):
        machine = self.worker.ask("processor")
        (plan,) = self.plans(LAYER, "ncdhw", [machine])
        self.assertEqual(self.worker.ask("plan", layer=LAYER.text, layout="ncdhw")["plans"], [plan])
        self.assertGreater(plan["seconds"], plan["stores"] + plan["staging"])
        self.assertGreater(min(plan["stores"], plan["staging"], plan["rows"]), 0)
        with self.assertRaisesRegex(WorkerError, "microarchitecture 'zen0'"):
            self.plans(LAYER, "ncdhw", [{**machine, "microarchitecture": "zen0"}])
        with self.assertRaisesRegex(WorkerError, "nonsense"):
            self.plans(LAYER, "ncdhw", [machine], variant="nonsense")

    def test_the_way_of_summing_does_not_depend_on_the_machine(self):
        """All machines with FMA sum alike, but for those that multiply pairs of bf16."""
        names = "zen2", "zen3", "zen4", "zen5", "intel_client", "skylake_server", "sapphire_rapids", "unknown"
        with_fma = [
            {**ZEN4, "isa": isa, "microarchitecture": name, "threads": threads}
            for name in names
            for isa, threads in (("avx2", 2), ("avx512", 64))
        ]
        with_pairs = [{**ZEN4, "microarchitecture": name} for name in ("zen4", "sapphire_rapids")]
        for table in ("layers", "more_layers", "lower_layers"):
            for layer in layer_table.read(ROOT / f"bench/{table}.csv"):
                for dtype in ("f32", "f64", "bf16"):
                    ways = {"without pairs": set(), "with pairs": set()}
                    for layout in layer_table.LAYOUTS:
                        for key, machines in (("without pairs", with_fma), ("with pairs", with_pairs)):
                            for plan in self.plans(layer, layout, machines, dtype=dtype):
                                ways[key] |= {self.sums[name] for name in plan["variant"].split("+")}
                    with self.subTest(layer=layer.name, dtype=dtype):
                        self.assertEqual([len(way) for way in ways.values()], [1, 1])
                        self.assertTrue(ways["with pairs"] == ways["without pairs"] or dtype == "bf16")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop())
    unittest.main()
