"""Runs in visits with workers and a clock that are made up, for tests: nothing is timed."""

import argparse
import pathlib
import random
import sys
import tempfile
import types
import unittest
from unittest import mock

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).parents[2] / "bench")]
from unstride_bench import layer_table  # noqa: E402
from unstride_bench.benchmark import Benchmark  # noqa: E402
from unstride_bench.layer_table import LAYOUTS  # noqa: E402
from unstride_bench.visits import size  # noqa: E402
from unstride_bench.worker_process import WorkerError  # noqa: E402

LAYERS = sorted(layer_table.read()[:3], key=size)  # as they are visited
PEERS = "torch,openvino,onnxruntime"
SMALL_FIGURES = {"flops": 1000, "compulsory_bytes": 100}


class Machine:
    """All workers of a run, and their clock. `speeds` has the milliseconds of a call by the name of the process, its
    type if that is not f32, or the variant; or by (that, layer). All calls vary by `noise`."""

    def __init__(self, speeds, noise=0.02, variants=()):
        self.speeds = {"unstride": 10, "bf16": 10, **speeds}
        self.variants, self.noise, self.random = variants, noise, random.Random(1)
        self.now, self.turns, self.loads, self.fail, self.first_call_seconds = 0.0, [], [], {}, {}

    def clock(self):
        return self.now

    def milliseconds(self, key, layer):
        return self.speeds.get((key, layer), self.speeds.get(key, 20))

    def worker(self, name):
        worker = types.SimpleNamespace(alive=True, layer=None, loaded=set(), close=lambda: None)

        def ask(do, **request):
            return getattr(self, f"do_{do}")(name, worker, request)

        worker.ask = ask
        return worker

    def check(self, name, do):
        if self.fail.get((name, do)) == 0:
            raise WorkerError(f"{name} has failed")
        if (name, do) in self.fail:
            self.fail[name, do] -= 1

    def do_load(self, name, worker, request):
        self.check(name, "load")
        (layer,) = layer_table.parse(request["layer"])
        worker.layer = layer.name
        worker.loaded.add((request["layout"], request.get("dtype")))
        self.loads.append((name, layer.name, request["layout"]))
        self.now += 1
        if "save" in request:
            np.save(pathlib.Path(request["save"]) / "output.npy", np.ones(3, np.float32))
        ours = {"variant": f"{request['layout']}_planned_avx2", **SMALL_FIGURES}
        theirs = {"difference": 1e-6, "first_call_seconds": self.first_call_seconds.get(name, 0.1)}
        return ours if name.startswith("unstride") else theirs

    def do_time(self, name, worker, request):
        self.check(name, "time")
        if (request["layout"], request.get("dtype")) not in worker.loaded:
            raise WorkerError(f"{request['layout']} is not loaded")
        variant = request.get("variant", "").partition("_")[2].removesuffix("_avx2")
        key = variant or (name if name.startswith("unstride") else f"{name}{request.get('dtype', '')}")
        usual = self.milliseconds("bf16" if key == "unstride_bf16" else key, worker.layer) * 1e-3
        samples = [usual * self.random.lognormvariate(0, self.noise) for _ in range(request["least"])]
        self.now += sum(samples)
        self.turns.append((worker.layer, key, request))
        return {"samples": samples}

    def do_expect(self, name, worker, request):
        return {"seconds": {v: 2e-3 if "hopeless" in v else 1e-3 for v in request["variants"]}}

    def do_check(self, name, worker, request):
        return {"difference": 1e-3}

    def do_unload(self, name, worker, request):
        worker.loaded.clear()
        return {}


class MadeUpRun(unittest.TestCase):
    """A test with the options of a run, and a benchmark whose workers are made up."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.options = argparse.Namespace(
            build=pathlib.Path("build"),
            peers="python",
            peer_names=PEERS,
            threads=2,
            isa=None,
            only="goals",
            rounds=3,
            seconds=0.3,
            variants="fast",
            layer_kernels=None,
            json=pathlib.Path(folder.name) / "out.json",
        )

    def benchmark(self, machine):
        listed = [
            {"name": f"{layout}_{name}_avx2", "layout": layout, "device": "cpu", "dtype": "f32", "runs_here": True,
             "fma": True}
            for layout in LAYOUTS
            for name in ("planned", *machine.variants)
        ]  # fmt: skip
        with mock.patch("unstride_bench.benchmark.list_variants", return_value=listed):
            benchmark = Benchmark(self.options)
        benchmark.workers = {name: machine.worker(name) for name in benchmark.commands}
        benchmark.document["peers"] = {peer.name: {"label": peer.label} for peer in benchmark.peers}
        benchmark.document["machine"] = {"peak_gflops": 1, "bandwidth_gbs": 1}
        return benchmark
