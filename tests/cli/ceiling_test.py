"""UNSTRIDE_MAX_ISA: what the command line runs, lists and plans below it, and names that it cannot be."""

import json
import re

import numpy as np
from cli_support import CommandLineTest, main

LAYER = ["--out-channels", 33, "--kernel-size", 3, "--stride", 2]
PLAN = ["plan", "--input-size", "1,16,4,5,10", *LAYER]


class CeilingTest(CommandLineTest):
    def listed(self, ceiling):
        return [v for v in json.loads(self.succeed("list", "--json", UNSTRIDE_MAX_ISA=ceiling)) if v["device"] == "cpu"]

    def isas(self):
        """Names and ranks of the CPU's instruction sets, and the highest rank that this processor has."""
        listed = self.listed("")
        return {v["target"]: v["rank"] for v in listed}, max(v["rank"] for v in listed if v["runs_here"])

    def test_list(self):
        ranks, best = self.isas()
        self.assertEqual(ranks["baseline"], 0)
        for isa, rank in ranks.items():
            for v in self.listed(isa):
                self.assertEqual(v["runs_here"], v["rank"] <= min(rank, best), v)
                if v["runs_here"]:
                    self.assertIsNone(v["why_not"])
                elif rank < best:
                    above = f"needs {v['target']}, which is above the ceiling {isa}, of UNSTRIDE_MAX_ISA or set_max_isa"
                    self.assertEqual(v["why_not"], above)
                else:
                    self.assertEqual(v["why_not"], f"needs {v['target']}, which this machine does not have")
        table = self.succeed("list", UNSTRIDE_MAX_ISA="baseline")
        self.assertEqual("is above the ceiling baseline" in table, best > 0)

    def test_plan_and_run(self):
        ranks, best = self.isas()
        self.save_random("x.npy", (1, 16, 4, 5, 10))
        self.save_random("w.npy", (16, 33, 3, 3, 3))
        outputs = []
        for isa, rank in ranks.items():
            text = self.succeed(*PLAN, UNSTRIDE_MAX_ISA=isa)
            variant = re.search(r"^variant +(\S+)$", text, re.M)[1]
            self.assertLessEqual(ranks[variant.split("_")[-1]], rank)
            machine = re.search(r"^machine +(.+)$", text, re.M)[1]
            self.assertEqual("as UNSTRIDE_MAX_ISA allows no more" in machine, rank < best, machine)
            run = ["run", "--input", "x.npy", "--weight", "w.npy", "--stride", 2, "--output", "y.npy"]
            self.assertIn(f"variant  {variant}\n", self.succeed(*run, UNSTRIDE_MAX_ISA=isa))
            outputs.append(np.load(self.folder / "y.npy"))
            np.testing.assert_allclose(outputs[-1], outputs[0], rtol=0, atol=1e-4)
        # Above the ceiling nothing can be forced.
        for v in self.listed(""):
            if v["rank"] == best and best > 0 and v["stride_x"] == 1 and v["dtype"] == "f32":
                self.fail_with(
                    f"variant {v['name']} needs {v['target']}, which is above the ceiling baseline",
                    *PLAN,
                    "--layout",
                    v["layout"],
                    "--variant",
                    v["name"],
                    UNSTRIDE_MAX_ISA="baseline",
                )
                break

    def test_wisdom(self):
        layer = ["--input-size", "1,4,2,3,5", "--out-channels", 6, "--kernel-size", 3, "--threads", 1, "--wisdom", "w"]
        tune, plan = ["tune", *layer, "--layout", "ncdhw"], ["plan", *layer]
        ranks, best = self.isas()
        here = [isa for isa, rank in ranks.items() if rank <= best]
        for isa in here:
            self.succeed(*tune, UNSTRIDE_MAX_ISA=isa)
        lines = (self.folder / "w").read_text().splitlines()[1:]
        self.assertEqual(sorted(re.search(r" isa=(\S+) ", line)[1] for line in lines), sorted(here))
        for isa in here:
            self.assertIn("ms, as wisdom tells", self.succeed(*plan, UNSTRIDE_MAX_ISA=isa))

    def test_names_that_are_none(self):
        self.save_random("x.npy", (1, 2, 3, 4, 5))
        self.save_random("w.npy", (2, 3, 3, 3, 3))
        self.save("y.npy", np.zeros(3))
        for bad in "sse9", "AVX2", "cuda", "avx512f", " avx2":
            for command in (
                PLAN,
                ["list"],
                ["list", "--json"],
                ["bench", "--layers", "seed1"],
                ["run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"],
                ["tune", "--input-size", "1,16,4,5,10", *LAYER, "--wisdom", "w"],
            ):
                with self.subTest(bad, command=command[0]):
                    self.fail_with("UNSTRIDE_MAX_ISA: expected baseline", *command, UNSTRIDE_MAX_ISA=bad)
                    self.fail_with(f"but got '{bad}'", *command, UNSTRIDE_MAX_ISA=bad)


if __name__ == "__main__":
    main()
