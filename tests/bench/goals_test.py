"""The run `--only goals`, with workers and a clock that are made up: nothing here is timed."""

import math
import pathlib
import random
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).parents[2] / "bench"), str(pathlib.Path(__file__).parent)]
from made_up_run import LAYERS, Machine, MadeUpRun  # noqa: E402

from unstride_bench.goals_run import CHOOSING_ROUNDS, PARTS, GoalsRun  # noqa: E402
from unstride_bench.layer_table import LAYOUTS  # noqa: E402
from unstride_bench.peers import CEILINGS  # noqa: E402
from unstride_bench.ratios import Comparison, interval_of_median, ratio_of  # noqa: E402
from unstride_bench.report.benchmark_summary import Summary  # noqa: E402
from unstride_bench.report.goal_numbers import goal_numbers, goals_line  # noqa: E402
from unstride_bench.visits import TURN  # noqa: E402
from unstride_bench.worker_process import WorkerError  # noqa: E402


class RunTest(MadeUpRun):
    def run_goals(self, machine, seconds, layers=LAYERS):
        benchmark = self.benchmark(machine)
        GoalsRun(benchmark, machine.clock).run(layers, seconds)
        return benchmark.document

    def rounds(self, document, who, part="results"):
        """By layer and layout, how many rounds a library had."""
        return {
            (r["layer"], r["layout"]): sum(s is not None for s in r.get("rounds", ()))
            for r in document[part]
            if r.get("who") == who
        }

    def test_numbers(self):
        """Ours take 10 ms, in the second layer as long as ONNX Runtime, whose 11 ms are those of ncdhw."""
        second, third = LAYERS[1].name, LAYERS[2].name
        speeds = {"onnxruntime": 15, ("unstride", second): 11.6, ("onnxruntime", second): 11, "torchbf16": 200}
        machine = Machine({**speeds, "rival": 9, "slow": 12, ("rival", third): 9.9}, variants=["rival", "slow"])
        document = self.run_goals(machine, 1000)
        summary = Summary(document)
        numbers = goal_numbers(summary)
        self.assertEqual((numbers["f32"]["wins"], numbers["f32"]["of"]), (4, 6))
        self.assertEqual((numbers["bf16"]["wins"], numbers["bf16"]["of"]), (6, 6))
        self.assertEqual(numbers["regret"], {"within": 2, "of": 6})
        for found, means in (
            (numbers["f32"]["any"], (1.5, 1.5, 11 / 11.6, 11 / 11.6, 1.5, 1.5)),
            (numbers["f32"]["same"], (1.5, 2, 11 / 11.6, 20 / 11.6, 1.5, 2)),
            (numbers["bf16"]["any"], (2,) * 6),  # OpenVINO's
        ):
            self.assertAlmostEqual(found, math.prod(means) ** (1 / 6), delta=0.03 * found)
        (speed,) = [s for s in summary.against_any_layout() if (s.layer, s.layout) == (second, "ndhwc")]
        self.assertEqual((speed.who, speed.peer_layout), ("onnxruntime", "ncdhw"))
        self.assertTrue(speed.measured.low <= 11 / 11.6 <= speed.measured.high, speed)
        self.assertEqual({c.best.split("_")[1] for c in summary.choices()}, {"rival"})
        for layer in LAYERS:  # rounds belong together one by one
            rows = [row for part in PARTS for row in document[part] if row["layer"] == layer.name]
            self.assertEqual(len({len(row["rounds"]) for row in rows}), 1)

    def test_line(self):
        goals = {
            "f32": {"wins": 46, "of": 46, "any": 1.5, "same": 2.05},
            "bf16": {"wins": 40, "of": 46, "any": 1.307},
            "regret": {"within": 44, "of": 46},
        }
        line = "goals: f32 wins 46/46, any 1.50, same 2.05, bf16 wins 40/46 1.31, regret<=5% 44/46"
        self.assertEqual(goals_line(goals, None), line)
        self.assertEqual(goals_line(goals, "avx2"), line + ", isa at most avx2")
        goals["bf16"] = {"wins": 0, "of": 0, "any": None}
        self.assertIn("bf16 wins 0/0 none,", goals_line(goals, None))

    def test_rounds_go_to_what_is_near_one(self):
        """The first layer is far from one, and the second near it; nothing is ever certain about the third."""
        first, second, third = (layer.name for layer in LAYERS)
        speeds = {"onnxruntime": 300, "torch": 30, "openvino": 30, ("openvino", second): 10.4, ("openvino", third): 10}
        document = self.run_goals(Machine(speeds, noise=0.05), 150)
        rounds = self.rounds(document, "openvino")
        for near in second, third:
            self.assertGreater(rounds[near, "ncdhw"], 2 * rounds[first, "ncdhw"])
        self.assertEqual(set(self.rounds(document, "onnxruntime").values()), {1})  # it takes 30 times as long
        self.assertLess(self.rounds(document, "torch")[second, "ncdhw"], rounds[second, "ncdhw"] / 3)

    def test_budget_that_is_spent(self):
        """However little time there is, every layer has a round of everything, and no layer is visited again."""
        machine = Machine({})
        document = self.run_goals(machine, 0, LAYERS[::-1])
        self.assertEqual([layer["name"] for layer in document["layers"]], [layer.name for layer in LAYERS])
        for part in "results", "bf16":
            self.assertEqual({len(row["rounds"]) for row in document[part]}, {1})
            self.assertTrue(all(row["seconds"] > 0 for row in document[part]))
        self.assertEqual(goal_numbers(Summary(document))["f32"]["of"], 6)
        self.assertEqual(len(machine.loads), len(document["results"] + document["bf16"]))

    def test_the_time_is_spent_and_not_more(self):
        machine = Machine({"openvino": 10, "torch": 12, "v": 10}, noise=0.5, variants=["v"])
        document = self.run_goals(machine, 200)
        self.assertTrue(180 < machine.now < 201, machine.now)
        # What comes into question again waits until it is loaded.
        self.assertEqual([row for part in ("results", "bf16") for row in document[part] if "error" in row], [])

    def test_ends_when_all_is_certain(self):
        machine = Machine({}, noise=0.001)
        self.run_goals(machine, 1e6)
        self.assertLess(machine.now, 200)

    def test_later_visits_load_what_is_in_doubt(self):
        machine = Machine({"openvino": 10, "torch": 100}, noise=0.3)
        self.run_goals(machine, 100)
        later = machine.loads[len(machine.loads) // 2 :]
        self.assertIn("openvino", {who for who, *_ in later})
        self.assertNotIn("onnxruntime", {who for who, *_ in later[-9:]})

    def test_the_least_certain_is_first(self):
        third = LAYERS[2].name
        machine = Machine({"openvino": 30, "torch": 30, "onnxruntime": 30, ("openvino", third): 10}, noise=0.1)
        self.run_goals(machine, 0)
        first_visits = len(machine.loads)
        benchmark = self.benchmark(machine)
        machine.loads.clear()
        GoalsRun(benchmark, machine.clock).run(LAYERS, machine.now + 150)
        self.assertGreater(len(machine.loads), first_visits)
        self.assertEqual(machine.loads[first_visits][1], third)

    def test_calls_are_few(self):
        """A peer's call that takes longer than the patience is not repeated: that of loading it is its only one."""
        machine = Machine({})
        machine.first_call_seconds = {"onnxruntime": 0.6, "torch": 0.4}
        document = self.run_goals(machine, 0)
        for _, key, request in machine.turns:
            self.assertEqual({name: request[name] for name in TURN}, TURN)
            self.assertEqual("patience" in request, not key.startswith(("unstride", "planned")))
        self.assertNotIn("onnxruntime", {key for _, key, _ in machine.turns})
        slow = [row["rounds"] for row in document["results"] if row["who"] == "onnxruntime"]
        self.assertEqual(slow, [[0.6]] * len(LAYERS))
        self.assertTrue({"torch", "torchbf16"} <= {key for _, key, _ in machine.turns})
        self.assertEqual({request.get("dtype") for _, key, request in machine.turns if "bf16" in key}, {"bf16"})

    def test_rival_is_measured_anew(self):
        """Of many variants that are as fast as the planner's choice, the one that seemed faster is not."""
        names = [f"v{i}" for i in range(20)]
        machine = Machine(dict.fromkeys(names, 10), noise=0.1, variants=names)
        document = self.run_goals(machine, 100, LAYERS[:1])
        for choice in Summary(document).choices():
            self.assertAlmostEqual(choice.ratio, 1, delta=0.06)
        for layout in LAYOUTS:
            planned, *others = [row for row in document["variants"] if row["layout"] == layout]
            (rival,) = [row for row in others if row["final"]]
            self.assertEqual(rival["rounds"][:CHOOSING_ROUNDS], [None] * CHOOSING_ROUNDS)
            self.assertGreater(sum(s is not None for s in rival["rounds"]), 5)
            ours = next(r for r in document["results"] if (r["who"], r["layout"]) == ("unstride", layout))
            self.assertEqual(planned["rounds"], ours["rounds"])

    def test_candidates(self):
        """What the planner expects to be twice as slow gets no turn; and where there is nothing else, the choice is the
        best."""
        machine = Machine({}, variants=["hopeless"])
        document = self.run_goals(machine, 100)
        self.assertEqual({row["variant"].split("_")[1] for row in document["variants"]}, {"planned"})
        self.assertEqual(goal_numbers(Summary(document))["regret"], {"within": 6, "of": 6})

    def test_peers_that_fail(self):
        machine = Machine({"openvino": 10}, noise=0.2)
        machine.fail = {("torch", "load"): 0, ("openvino", "time"): 9}
        document = self.run_goals(machine, 150)
        failed = {row["who"] for row in document["results"] if "error" in row}
        self.assertEqual(failed, {"torch", "openvino"})
        self.assertTrue(all("rounds" not in row for row in document["results"] if row["who"] == "torch"))
        speeds = Summary(document).against_any_layout()
        self.assertEqual(len(speeds), 6)
        self.assertEqual(speeds[0].who, "openvino")  # what was measured before counts
        self.assertEqual(speeds[-1].who, "onnxruntime")
        machine.fail = {("unstride", "load"): 0}
        with self.assertRaises(WorkerError):
            self.run_goals(machine, 30)

    def test_without_peers(self):
        self.options.peers = None
        document = self.run_goals(Machine({}), 100)
        self.assertEqual(set(self.rounds(document, "unstride").values()), {1})
        goals = goal_numbers(Summary(document))
        self.assertTrue(goals_line(goals, None).startswith("goals: f32 wins 0/0, any none, same none, bf16 wins 0/0"))

    def test_resume(self):
        machine = Machine({"openvino": 10}, noise=0.3)
        document = self.run_goals(machine, 20, LAYERS[:2])
        before = [(row, list(row["rounds"])) for row in document["results"]]
        benchmark = self.benchmark(machine)
        benchmark.document.update(document)
        document["results"].append({"layer": LAYERS[2].name, "layout": "ncdhw", "who": "interrupted"})
        GoalsRun(benchmark, machine.clock).run(LAYERS, machine.now + 60)
        for row, rounds in before:
            self.assertIn(row, benchmark.document["results"])
            self.assertEqual(row["rounds"][: len(rounds)], rounds)
        self.assertEqual(len(benchmark.document["layers"]), 3)
        self.assertNotIn("interrupted", {row["who"] for row in benchmark.document["results"]})
        self.assertGreater(sum(len(row["rounds"]) for row, _ in before), sum(len(rounds) for _, rounds in before))

    def test_ceiling(self):
        self.options.isa = "avx2"
        benchmark = self.benchmark(Machine({}))
        for who in "unstride", "unstride_bf16":
            self.assertEqual(benchmark.commands[who][1], {"UNSTRIDE_MAX_ISA": "avx2"})
        for who in "torch", "openvino":
            self.assertLessEqual(CEILINGS["avx2"].items(), benchmark.commands[who][1].items())


class IntervalTest(unittest.TestCase):
    def test_known_ranks(self):
        """The ranks are those of tables of the sign test."""
        for count, rank in {6: 1, 8: 1, 9: 2, 12: 3, 15: 4, 20: 6, 25: 8, 50: 18}.items():
            values = list(range(1, count + 1))
            random.Random(2).shuffle(values)
            self.assertEqual(interval_of_median(values), (rank, count + 1 - rank), count)
        self.assertEqual(interval_of_median([1, 2, 3, 4, 5]), (None, None))

    def test_coverage(self):
        """The interval misses the median of a skewed distribution in less than 5 % of all cases, but not never."""
        chance, missed, cases = random.Random(3), 0, 2000
        for _ in range(cases):
            low, high = interval_of_median([chance.expovariate(math.log(2)) for _ in range(15)])
            missed += not low <= 1 <= high
        self.assertTrue(0.02 < missed / cases < 0.05, missed / cases)


class RatioTest(unittest.TestCase):
    def row(self, *rounds, **more):
        return {"rounds": list(rounds), **more}

    def test_ratio(self):
        """The machine is ten times slower in the last round, which no ratio shows."""
        ratio = ratio_of(self.row(2, None, 6, 30, 7), self.row(1, 1, 2, 20, None))
        self.assertEqual((ratio.value, ratio.low, ratio.high, ratio.rounds), (2, None, None, 3))
        ours = self.row(1, 1, 1, 1, 1, 1)
        ratio = ratio_of(self.row(4, 5, 3, 2, 6, 8), ours)
        self.assertEqual(ratio, (4.5, 2, 8, 6))
        self.assertEqual(ratio.inverse, (1 / 4.5, 1 / 8, 1 / 2, 6))
        self.assertIsNone(ratio_of(self.row(1, None), self.row(None, 1)))
        self.assertIsNone(ratio_of({}, ours))

    def test_contenders(self):
        ours = self.row(*[1] * 6)
        near, far = self.row(*[2.2] * 6), self.row(*[2.4] * 6)
        once = self.row(3.9, *[None] * 5)
        fresh, failed = self.row(*[None] * 6), self.row(*[2] * 6, error="why")
        comparison = Comparison(ours, [near, far, once, fresh, failed])
        self.assertEqual(comparison.fastest()[1], failed)
        self.assertEqual(comparison.contenders(), [near, once, fresh])
        self.assertEqual(comparison.doubt(), math.inf)  # as `fresh` has no round

    def doubt(self, rounds, threshold=1.0, **more):
        return Comparison(self.row(*[1] * len(rounds)), [self.row(*rounds)], threshold, **more).doubt()

    def test_doubt(self):
        self.assertEqual(self.doubt([1.2] * 5), math.inf)  # too few rounds for an interval
        self.assertEqual(self.doubt([20]), 0)  # but enough where it is far away
        self.assertEqual(self.doubt([20], least_rounds=2), math.inf)
        self.assertEqual(self.doubt([1.2] * 6), 0)
        wide = [1, 1, 1.02, 1.02, 1.04, 1.04]
        self.assertGreater(self.doubt(wide), 1)
        self.assertLess(self.doubt([1.3 * value for value in wide]), 1)
        self.assertLess(self.doubt(wide, 1 / 1.3), 1)
        self.assertEqual(Comparison({}, []).doubt(), math.inf)  # ours has no round
        self.assertEqual(Comparison(self.row(1), []).doubt(), 0)


if __name__ == "__main__":
    unittest.main()
