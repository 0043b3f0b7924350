"""What the benchmark's report computes from the numbers, on two layers that are made up."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
from unstride_bench.report.benchmark_summary import Summary  # noqa: E402


class SummaryTest(unittest.TestCase):
    def setUp(self):
        """Two layers: `dense` at 50 % and 80 % of a peak of 100 GFLOP/s, `thin` at 70 % and 20 % of 10 GB/s."""
        layers = [
            {
                "name": "dense",
                "in_channels": 64,
                "out_channels": 32,
                "groups": 1,
                "flops": 1e9,
                "compulsory_bytes": 1e6,
            },
            {
                "name": "thin",
                "in_channels": 64,
                "out_channels": 64,
                "groups": 64,
                "flops": 1e6,
                "compulsory_bytes": 1e7,
            },
        ]
        seconds = {
            ("dense", "ncdhw", "unstride"): 0.020,
            ("dense", "ndhwc", "unstride"): 0.0125,
            ("thin", "ncdhw", "unstride"): 1e-3 / 0.7,
            ("thin", "ndhwc", "unstride"): 5e-3,
            ("dense", "ncdhw", "torch_installed"): 0.080,
            ("dense", "ndhwc", "openvino"): 0.015,
            ("thin", "ncdhw", "torch_installed"): 16e-3 / 0.7,
            ("thin", "ndhwc", "openvino"): 10e-3,
        }
        variants = [
            ("dense", "ncdhw", "a", 0.020, True),
            ("dense", "ncdhw", "b", 0.016, False),
            ("thin", "ndhwc", "c", 1.04, True),
            ("thin", "ndhwc", "d", 1.0, False),
        ]
        self.summary = Summary(
            {
                "layers": layers,
                "machine": {"peak_gflops": 100, "bandwidth_gbs": 10, "clock_ghz": 2, "threads": 1},
                "peers": {who: {"label": who} for who in ("torch_installed", "openvino")},
                "results": [
                    {
                        "layer": layer,
                        "layout": layout,
                        "who": who,
                        "seconds": value,
                        "rounds": [value],
                        "variant": "any",
                    }
                    for (layer, layout, who), value in seconds.items()
                ],
                "layer_kernels": [
                    {"layer": "dense", "layout": "ndhwc", "seconds": 0.010, "rounds": [0.010], "variant": "own"},
                    {"layer": "thin", "layout": "ndhwc", "error": "no memory"},
                ],
                "variants": [
                    {
                        "layer": layer,
                        "layout": layout,
                        "variant": f"{layout}_{name}_avx2",
                        "seconds": value,
                        "rounds": [value],
                        "planned": planned,
                        "final": True,
                    }
                    for layer, layout, name, value, planned in variants
                ],
                "types": [
                    {
                        "layer": "dense",
                        "layout": layout,
                        "seconds": {"f32": 2, "f64": 4, "bf16": bf16},
                        "difference": {"f32": 1e-7, "f64": 0, "bf16": bf16 / 1e3},
                        "peers": {
                            "torch": {"f64": {"cannot": "why"}, "bf16": {"seconds": 6, "difference": 1e-2}},
                            "openvino": {"bf16": {"seconds": 8 if bf16 == 1 else 5, "difference": 2e-3}},
                        },
                    }
                    for layout, bf16 in (("ncdhw", 1), ("ndhwc", 4))
                ],
            }
        )

    def test_speeds(self):
        any_layout = {(s.layer, s.layout): (round(s.ratio, 9), s.who) for s in self.summary.against_any_layout()}
        self.assertEqual(
            any_layout,
            {
                ("dense", "ncdhw"): (0.75, "openvino"),
                ("dense", "ndhwc"): (1.2, "openvino"),
                ("thin", "ncdhw"): (7, "openvino"),
                ("thin", "ndhwc"): (2, "openvino"),
            },
        )
        same = {(s.layer, s.layout): round(s.ratio, 9) for s in self.summary.against_same_layout()}
        self.assertEqual(
            same, {("dense", "ncdhw"): 4, ("dense", "ndhwc"): 1.2, ("thin", "ncdhw"): 16, ("thin", "ndhwc"): 2}
        )
        self.assertEqual([(s.layer, s.layout) for s in self.summary.losses()], [("dense", "ncdhw")])

    def test_goals(self):
        goals = [(goal.result, goal.reached) for goal in self.summary.goals()]
        self.assertEqual(
            goals,
            [
                ("3 of 4", False),
                ("3.52×", True),
                ("8.00×", True),
                ("1 of 2", False),
                ("1 of 2", False),
                ("1 of 2", False),
            ],
        )

    def test_gains(self):
        self.assertEqual(self.summary.gains(), [("dense", "ndhwc", 1.25, "any", "own", 0.0125, 0.010)])

    def test_types(self):
        self.assertEqual(
            self.summary.types()[0],
            ("dense", "ncdhw", 2, {"f64": 2, "bf16": 0.5}, {"bf16": 6}, {"bf16": "torch"}, {"f64": "why"}),
        )
        self.assertEqual(self.summary.types()[1].fastest, {"bf16": "openvino"})
        self.assertEqual(
            [
                tuple(round(value, 9) if isinstance(value, float) else value for value in t)
                for t in self.summary.type_summaries()
            ],
            [("f64", 2, None, None, 0, None, True), ("bf16", 1, round(7.5**0.5, 9), 1.25, 4e-3, 1e-2, True)],
        )

    def test_fractions(self):
        fractions = {(f.layer, f.layout): (round(f.value, 9), f.goal) for f in self.summary.fractions()}
        self.assertEqual(
            fractions,
            {
                ("dense", "ncdhw"): (0.5, 0.8),
                ("dense", "ndhwc"): (0.8, 0.8),
                ("thin", "ncdhw"): (0.7, 0.7),
                ("thin", "ndhwc"): (0.2, 0.7),
            },
        )

    def test_measured_cycles(self):
        # 0.5e9 multiply-adds, 8 lanes and 10 to a loop: 6.25e6 loops in 0.016 s of 2e9 cycles.
        cycles, layer = self.summary.measured_cycles({"variant": "ncdhw_b_avx2", "fmas": 10})
        self.assertEqual((round(cycles, 9), layer), (5.12, "dense"))
        self.assertIsNone(self.summary.measured_cycles({"variant": "ncdhw_e_avx2", "fmas": 10}))


if __name__ == "__main__":
    unittest.main()
