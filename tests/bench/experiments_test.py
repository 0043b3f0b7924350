"""bench/experiments.py, on a layer that takes no time, with every autoscheduler for the CPU
and one that fails in all ways.

experiments_test.py BUILD PLUGIN        the plugin of failing_autoscheduler.cpp
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/cli")]
from cli_support import LAYERS_HEADER  # noqa: E402

from unstride_bench.autoschedulers import candidates, generator, retraining, schedulers  # noqa: E402
from unstride_bench.layer_table import parse  # noqa: E402

BUILD, PLUGIN = pathlib.Path(), pathlib.Path()
TABLE = (
    LAYERS_HEADER
    + "small,2,3,8,2x3x9,3x2x3,2x1x2,1x0x1,1x0x1,1x1x1,1,here\n"
    + "lanes,1,8,8,2x3x4,3x3x3,2x2x2,1x1x1,0x0x0,1x1x1,8,there\n"
)
FAILURES = {
    "error": "no schedule",
    "crash": "crash",
    "stall": "time limit",
    "memory": "memory limit",
    "bounds": "fails",
}


class ParametersTest(unittest.TestCase):
    def test_plugins(self):
        mine = schedulers.parse_plugin(f"Mine@gpu={__file__},depth=3,fast=")
        self.assertEqual(
            (mine.name, mine.device, mine.settings[0].parameters), ("Mine", "gpu", (("depth", "3"), ("fast", "")))
        )
        self.assertEqual(schedulers.parse_plugin(f"Mine={__file__}").settings[0].label, "default")
        for text in ("Mine", f"Mine@tpu={__file__}", "Mine=/no/such/file", f"Mine={__file__},depth"):
            with self.subTest(text), self.assertRaises(ValueError):
                schedulers.parse_plugin(text)

    def test_labels_and_issues(self):
        self.assertEqual(schedulers.setting("dynamic", beam_size=1).label, "beam_size=1, dynamic")
        failure = {
            "scheduler": "Adams2019",
            "status": "no schedule",
            "message": "Error: Ran out of legal states with beam size 32",
        }
        self.assertEqual(schedulers.issue_of(failure), 8308)
        self.assertIsNone(schedulers.issue_of({**failure, "message": "something new"}))
        labels = [(s.name, each.label) for s in schedulers.SCHEDULERS for each in s.settings]
        self.assertEqual(len(labels), len(set(labels)))

    def test_what_generators_say(self):
        """No schedule is a result, too, as of Adams2019 for 8 channels in vectors of 16."""
        failing = ["sh", "-c", "echo 'Unhandled exception: Error: 0 -1' >&2; exit 1"]
        status, message, _, _ = generator.run_limited(failing, 60, 4)
        self.assertEqual((status, message), ("no schedule", "Error: 0 -1"))

    def test_layers(self):
        small, lanes = parse(TABLE)
        self.assertEqual(generator.kernel_of(small), {"family": "columns", "stride_x": 2, "block": 8, "columns": 1})
        self.assertEqual(generator.kernel_of(lanes)["family"], "depthwise")
        self.assertEqual((generator.known(lanes)["known_groups"], generator.known(lanes)["known_inputs"]), (1, 1))
        self.assertEqual((generator.known(small)["known_output_x"], generator.known(small)["known_kernel_z"]), (18, 3))
        self.assertNotIn("known_output_x", generator.known(small, sizes=False))

    def test_builtin_weights(self):
        build = generator.read_build(BUILD)
        weights = retraining.builtin_weights(f"{build.plugins}/libautoschedule_adams2019.so")
        self.assertTrue(weights.startswith(retraining.SIGNATURE))
        self.assertGreater(len(weights), 10000)
        with self.assertRaises(ValueError):
            retraining.builtin_weights(__file__)


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.layer = parse(TABLE)[0]
        self.worker = [str(BUILD / "bin/unstride_bench_worker"), "1"]

    def compile(self, body):
        subprocess.run(
            ["c++", "-xc++", "-c", "-fPIC", "-", "-o", str(self.folder / "made.o")], input=body, text=True, check=True
        )

    def test_kernels_that_are_wrong(self):
        for body, status in (
            ("return 0;", "wrong"),
            ("return -11;", "fails"),
            ("*(volatile int *)0 = 0; return 0;", "fails"),
        ):
            with self.subTest(body):
                self.compile(f'extern "C" int unstride_made() {{ {body} }}')
                self.assertEqual(
                    candidates.verify(self.worker, self.layer, "ncdhw", "baseline", self.folder, "made")[0], status
                )

    def test_reference(self):
        worker = candidates.Worker(self.worker)
        self.addCleanup(worker.close)
        worker.ask("load", layer=self.layer.text, layout="ndhwc", save=str(self.folder))
        self.assertLess(candidates.sampled_difference(self.layer, self.folder), 1e-5)
        output = np.load(self.folder / "output.npy")
        np.save(self.folder / "output.npy", output[:, ::-1])
        self.assertGreater(candidates.sampled_difference(self.layer, self.folder), 1e-2)


class ExperimentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.output = pathlib.Path(cls.temporary.name) / "experiments"
        cls.table = pathlib.Path(cls.temporary.name) / "layers.csv"
        cls.table.write_text(TABLE)
        # Adams2019 finds schedules for as few channels as here with vectors of 8 alone.
        done = subprocess.run([BUILD / "bin/unstride", "list", "--json"], capture_output=True, check=True)
        listed = json.loads(done.stdout)
        cls.isa = "avx2" if any(v["target"] == "avx2" and v["runs_here"] for v in listed) else "baseline"

    def run_it(self, *words, status=0):
        done = subprocess.run(
            [
                sys.executable,
                str(ROOT / "bench/experiments.py"),
                words[0],
                "--build",
                str(BUILD),
                "--output",
                str(self.output),
                "--layers-file",
                str(self.table),
                "--rounds",
                "2",
                "--seconds",
                "0.01",
                "--isa",
                self.isa,
                *words[1:],
            ],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def document(self):
        return json.loads((self.output / "experiments.json").read_text())

    def test_compare_search_retrain(self):
        def failing(how):
            return "--plugin", f"Failing={PLUGIN},how={how}"

        # One that stalls has a limit of its own, as others may take long on a busy machine. Li2018 is not for GPUs.
        small = ("compare", "--layers", "small", "--layouts", "ndhwc")
        self.run_it(*small, "--devices", "gpu", "--schedulers", "Li2018", "--time-limit", "3", *failing("stall"))
        others = [word for how in (*FAILURES, "nothing") if how != "stall" for word in failing(how)]
        words = (*small, "--devices", "cpu", "--memory-limit", "2", *others)
        said = self.run_it(*words)
        self.assertIn("small", said)
        found = self.document()
        by_how = {r["setting"]: r for r in found["schedules"] if r["scheduler"] == "Failing"}
        for how, status in FAILURES.items():
            self.assertEqual(by_how[f"how={how}"]["status"], status, by_how[f"how={how}"])
            self.assertTrue(by_how[f"how={how}"]["message"])
        self.assertIn("no_such_dimension", by_how["how=error"]["message"])
        working = {r["scheduler"] for r in found["schedules"] if r["status"] == "ok"}
        finds = {"Adams2019"} if self.isa == "avx2" else set()
        self.assertEqual(working, {"Mullapudi2016", "Li2018", "Failing"} | finds)
        self.assertIn("Adams2019", {r["scheduler"] for r in found["schedules"]})  # what it does not find is a result
        for r in found["schedules"]:
            if r["status"] == "ok":
                self.assertGreater(r["ratio"], 0)
                self.assertTrue((self.output / r["folder"] / f"{r['kernel']}.stmt.html").exists())
        (planned,) = found["planned"]
        self.assertLess(planned["difference"], 1e-5)
        self.assertGreater(planned["own"]["seconds"], 0)
        page = (self.output / "experiments.html").read_text()
        for word in ("Mullapudi2016", "Failing", "no_such_dimension", "small_ndhwc"):
            self.assertIn(word, page)

        # Schedules for GPUs too, where something runs OpenCL; what was found before stays.
        self.run_it(
            "compare", "--layers", "small", "--layouts", "ndhwc", "--schedulers", "Li2018 (GPU)", "--time-opencl"
        )
        gpu = [r for r in self.document()["schedules"] if r["device"] == "gpu"]
        self.assertEqual({r["status"] for r in gpu}, {"ok"}, gpu)
        if any("checked_on" in r for r in gpu):
            self.assertTrue(all(r["ratio"] > 0 for r in gpu), gpu)
        found = self.document()

        # Nothing is done twice: what was interrupted goes on.
        found["schedules"].remove(next(r for r in found["schedules"] if r["scheduler"] == "Mullapudi2016"))
        (self.output / "experiments.json").write_text(json.dumps(found))
        self.run_it(*words)
        again = self.document()
        self.assertEqual(len(again["schedules"]), len(found["schedules"]) + 1)
        kept = {r["kernel"]: r["schedule_seconds"] for r in again["schedules"] if r["status"] == "ok"}
        for r in found["schedules"]:
            if r["status"] == "ok":
                self.assertEqual(kept[r["kernel"]], r["schedule_seconds"])

        if not finds:  # without AVX2, there is nothing to learn from
            return
        self.run_it("search", "--layer", "small", "--layout", "ndhwc", "--samples", "3")
        self.assertIn("at least 8 different schedules", self.run_it("retrain", "--epochs", "1", status=1))
        self.assertIn("10 samples", self.run_it("search", "--layer", "small", "--layout", "ndhwc", "--samples", "10"))
        folder = self.output / "search/Adams2019/small_ndhwc"
        self.assertEqual(len(list(folder.glob("*/*.sample"))), 10)
        for _ in range(2):
            self.run_it("retrain", "--epochs", "1")
        (row,) = self.document()["retraining"]
        self.assertEqual((row["layer"], row["samples"]), ("small", 10))
        self.assertGreater(row["after"], 0)

    def test_interrupt(self):
        words = [
            sys.executable,
            str(ROOT / "bench/experiments.py"),
            "compare",
            "--build",
            str(BUILD),
            "--output",
            str(self.output / "interrupted"),
            "--jobs",
            "1",
            "--layers-file",
            str(self.table),
            "--layers",
            "lanes",
            "--layouts",
            "ncdhw",
            "--schedulers",
            "Li2018",
            "--time-limit",
            "36000",
            "--plugin",
            f"Failing={PLUGIN},how=stall",
        ]
        # A shell that runs the tests in the background has them ignore the signal.
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        )
        while not (self.output / "interrupted/experiments.json").exists() and process.poll() is None:
            time.sleep(0.1)  # until Li2018 is done
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()  # or the limit, which is hours
        self.assertIn("the same command goes on", said)
        (record,) = json.loads((self.output / "interrupted/experiments.json").read_text())["schedules"]
        self.assertEqual((record["scheduler"], record["status"]), ("Li2018", "ok"))

    def test_errors(self):
        self.assertIn("there is no layer 'large'", self.run_it("compare", "--layers", "large", status=1))
        self.assertIn("there is no autoscheduler 'Nobody'", self.run_it("compare", "--schedulers", "Nobody", status=1))
        self.assertIn("--plugin", self.run_it("compare", "--plugin", "Mine=/no/such/file", status=1))
        self.assertIn("there are no samples", self.run_it("retrain", "--output", str(self.output / "empty"), status=1))


if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(2)).resolve()
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
