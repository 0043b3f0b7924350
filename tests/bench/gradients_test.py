"""The run `--only gradients`, with workers and a clock that are made up: nothing here is timed."""

import math
import pathlib
import sys
import unittest

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).parents[2] / "bench"), str(pathlib.Path(__file__).parent)]
import made_up_run  # noqa: E402
from made_up_run import LAYERS, Machine  # noqa: E402

from unstride_bench.gradients_run import GRADIENTS, GradientsRun  # noqa: E402
from unstride_bench.layer_table import LAYOUTS  # noqa: E402
from unstride_bench.report.benchmark_summary import Summary  # noqa: E402
from unstride_bench.report.gradient_numbers import (  # noqa: E402
    gradient_numbers,
    gradient_table,
    gradients_line,
    passes,
)
from unstride_bench.worker_process import WorkerError  # noqa: E402


class GradientMachine(Machine):
    """The same with gradients: `speeds` has milliseconds by `unstride` or `torch` and operator, joined by a colon, too,
    or by (that, layer). `computed` has what Unstride was asked for."""

    def __init__(self, speeds, noise=0.02):
        super().__init__(speeds, noise)
        self.computed, self.wrong = [], None

    def do_gradient(self, name, worker, request):
        if (request["layout"], None) not in worker.loaded:
            raise WorkerError(f"{request['layout']} is not loaded")
        self.computed.append((worker.layer, request["layout"], request["operator"]))
        ones = np.ones(4, np.float32) * (2 if request["layout"] == self.wrong else 1)
        np.save(pathlib.Path(request["save"]) / f"{request['operator']}.npy", ones)
        worker.loaded.add((request["layout"], request["operator"]))
        return {"variant": "made_up"}

    def do_load(self, name, worker, request):
        if "operator" not in request:
            return super().do_load(name, worker, request)
        if not (pathlib.Path(request["data"]) / f"{request['operator']}.npy").exists():
            raise WorkerError("nothing to compare with")
        request["dtype"] = request["operator"]  # which tells calls apart as the type does
        return super().do_load(name, worker, request)

    def do_time(self, name, worker, request):
        operator = request.pop("operator", None)
        if operator is None:
            return super().do_time(name, worker, request)
        if (request["layout"], operator) not in worker.loaded:
            raise WorkerError(f"{operator} is not loaded in {request['layout']}")
        usual = self.milliseconds(f"{name}:{operator}", worker.layer) * 1e-3
        samples = [usual * self.random.lognormvariate(0, self.noise) for _ in range(request["least"])]
        self.now += sum(samples)
        self.turns.append((worker.layer, f"{name}:{operator}", request))
        return {"samples": samples}


class GradientsRunTest(made_up_run.MadeUpRun):
    def setUp(self):
        super().setUp()
        self.options.only, self.options.peer_names = "gradients", None

    def run_gradients(self, machine, seconds, layers=LAYERS):
        benchmark = self.benchmark(machine)
        GradientsRun(benchmark, machine.clock).run(layers, seconds)
        return benchmark.document

    def test_numbers(self):
        """Ours take 10 ms, PyTorch 20; its weight gradient is faster in the second layer."""
        second = LAYERS[1].name
        speeds = {f"unstride:{operator}": 10 for operator in GRADIENTS} | {"torch:bias_gradient": 40}
        machine = GradientMachine({**speeds, ("torch:weight_gradient", second): 8})
        document = self.run_gradients(machine, 1000)
        self.assertEqual({row["who"] for row in document["gradients"]}, {"unstride", "torch"})
        self.assertEqual(len(document["gradients"]), len(LAYERS) * len(GRADIENTS) * 2 * len(LAYOUTS))
        self.assertEqual([row for row in document["gradients"] if "error" in row], [])
        numbers = gradient_numbers(Summary(document))
        self.assertEqual([(found["wins"], found["of"]) for found in numbers.values()], [(3, 3), (2, 3), (3, 3)])
        expected = {"input_gradient": 2, "weight_gradient": (2 * 2 * 0.8) ** (1 / 3), "bias_gradient": 4}
        for operator, mean in expected.items():
            for kind in "any", "same":
                self.assertAlmostEqual(numbers[operator][kind], mean, delta=0.03 * mean)
        found = passes(Summary(document))
        self.assertEqual(len(found), 2 * len(LAYERS))
        for each in found:
            self.assertAlmostEqual(each.forward.any.ratio, 2, delta=0.06)
            # 1000 operations at 1 GFLOP/s take a microsecond.
            self.assertAlmostEqual(each.input.fraction, 1e-6 / each.input.seconds, delta=1e-9)
            self.assertIsNone(each.bias.fraction)
        table = gradient_table(Summary(document)).splitlines()
        self.assertEqual(len(table), 1 + len(found))
        (row,) = [line.split() for line in table if line.split()[:2] == [second, "ndhwc"]]
        self.assertEqual(len(row), 2 + 3 * 4)
        self.assertAlmostEqual(float(row[9]), 0.8, delta=0.03)

    def test_line(self):
        numbers = {
            "input_gradient": {"wins": 23, "of": 23, "any": 1.5, "same": 3.004},
            "weight_gradient": {"wins": 20, "of": 23, "any": 1.25, "same": 2},
            "bias_gradient": {"wins": 0, "of": 0, "any": None, "same": None},
        }
        line = (
            "gradients: input wins 23/23, any 1.50, same 3.00; weight wins 20/23, any 1.25, same 2.00; "
            "bias wins 0/0, any none, same none"
        )
        self.assertEqual(gradients_line(numbers, None), line)
        self.assertEqual(gradients_line(numbers, "avx2"), line + "; isa at most avx2")

    def test_later_visits(self):
        """What is in doubt is loaded again, with what it is compared with."""
        machine = GradientMachine({"unstride:weight_gradient": 20, "unstride:input_gradient": 1}, noise=0.3)
        document = self.run_gradients(machine, 200)
        self.assertEqual([row for row in document["gradients"] if "error" in row], [])
        self.assertGreater(len(machine.computed), 2 * len(LAYERS) * len(GRADIENTS))
        turns = [key for _, key, _ in machine.turns]
        self.assertGreater(turns.count("torch:weight_gradient"), 2 * turns.count("torch:input_gradient"))
        for layer in LAYERS:  # rounds belong together one by one
            rows = [row for part in ("results", "gradients") for row in document[part] if row["layer"] == layer.name]
            self.assertEqual(len({len(row["rounds"]) for row in rows}), 1)

    def test_layouts_are_compared(self):
        machine = GradientMachine({})
        machine.wrong = "ndhwc"
        document = self.run_gradients(machine, 0, LAYERS[:1])
        ours = {(row["layout"], row["difference"]) for row in document["gradients"] if row["who"] == "unstride"}
        self.assertEqual(ours, {("ncdhw", 0), ("ndhwc", 1)})

    def test_without_peers(self):
        self.options.peers = None
        document = self.run_gradients(GradientMachine({}), 100)
        numbers = gradient_numbers(Summary(document))
        self.assertTrue(gradients_line(numbers, None).startswith("gradients: input wins 0/0, any none, same none; "))
        self.assertFalse(math.isnan(passes(Summary(document))[0].weight.seconds))
        self.assertEqual(len(gradient_table(Summary(document)).splitlines()), 1 + 2 * len(LAYERS))


if __name__ == "__main__":
    unittest.main()
