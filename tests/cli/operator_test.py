"""`--operator` of `plan`, `bench` and `tune`: gradients are planned, measured and remembered as the forward is."""

import json
import re

from cli_support import LAYERS_HEADER, CommandLineTest, main

GRADIENTS = "input_gradient", "weight_gradient", "bias_gradient"
OPERATORS = "forward", *GRADIENTS


class OperatorTest(CommandLineTest):
    GEOMETRY = ("--input-size", "1,4,2,3,5", "--out-channels", 6, "--kernel-size", 3, "--threads", 1)
    STRIDED = (*GEOMETRY, "--stride", 2, "--padding", 1)

    def save_layers(self):
        (self.folder / "layers.csv").write_text(
            LAYERS_HEADER
            + "small,1,4,5,3x4x5,3x3x3,2x2x2,1x1x1,1x1x1,1x1x1,1,a\n"
            + "one,2,4,4,2x2x30,1x1x3,1x1x1,0x0x0,0x0x0,1x1x2,4,b\n"
        )
        return "--layers-file", "layers.csv", "--threads", 1

    def variants(self, operator, layout):
        return [
            v["name"]
            for v in json.loads(self.succeed("list", "--json"))
            if (v["operator"], v["layout"], v["dtype"], v["device"]) == (operator, layout, "f32", "cpu")
            and v["runs_here"]
        ]

    # ------------------------------------------------------------------------------------------------ tune and plan

    def test_tune_remembers_an_operator(self):
        for operator in GRADIENTS:
            with self.subTest(operator):
                tune = "tune", *self.STRIDED, "--operator", operator, "--layout", "ndhwc", "--wisdom", operator
                text = self.succeed(*tune)
                self.assertIn(f"\noperator    {operator}\n\n", text)
                row = next(line.split() for line in text.splitlines() if line.startswith("1x4x2x3x5 "))
                _, layout, planned, planned_rows, _, winner, rows, _, gain = row
                self.assertEqual(layout, "ndhwc")
                self.assertRegex(gain, r"\A\d+\.\d\dx\Z")
                self.assertIn(winner, self.variants(operator, "ndhwc"))
                lines = (self.folder / operator).read_text().splitlines()
                self.assertEqual(len(lines), 2)
                self.assertIn(f" op={operator} threads=1 ", lines[1])
                self.assertIn(f" variant={winner} rows={rows} ", lines[1])
                for other in OPERATORS:
                    plan = "plan", *self.STRIDED, "--operator", other, "--layout", "ndhwc"
                    text = self.succeed(*plan, "--wisdom", operator)
                    self.assertEqual("ms, as wisdom tells" in text, other == operator)
                    if other == operator:
                        self.assertIn(f"\nvariant     {winner}\n", text)
                        if operator == "input_gradient":
                            self.assertIn(f", {rows} output rows ", text)
                        else:
                            self.assertEqual(rows, "0")
                            self.assertRegex(text, r"\ntasks       \d+ of sums over positions; kernel calls \d+\n")
                        text = self.succeed(*plan, "--wisdom", "none")
                        self.assertIn(f"\nvariant     {planned}\n", text)

    def test_tune_of_a_type_and_of_the_forward(self):
        """Without --operator, or with that of the forward, all is as it always was."""
        for extra in [], ["--operator", "forward"]:
            text = self.succeed("tune", *self.STRIDED, *extra, "--layout", "ncdhw", "--wisdom", "w")
            self.assertNotIn("operator", text)
            self.assertNotIn("op=", (self.folder / "w").read_text())
            self.assertEqual(len((self.folder / "w").read_text().splitlines()), 2)
        weight = *self.STRIDED, "--operator", "weight_gradient", "--layout", "ncdhw"
        self.succeed("tune", *weight, "--dtype", "bf16-f32", "--wisdom", "w")
        self.assertEqual(len((self.folder / "w").read_text().splitlines()), 3)
        for dtype, known in ("bf16-f32", True), ("bf16", True), ("f16", False), ("f32", False):
            text = self.succeed("plan", *weight, "--dtype", dtype, "--wisdom", "w")
            self.assertEqual("ms, as wisdom tells" in text, known)

    def test_an_input_gradient_without_strides_is_a_forward(self):
        layer = *self.GEOMETRY, "--operator", "input_gradient", "--layout", "ncdhw"
        text = self.succeed("tune", *layer, "--wisdom", "w")
        winner = next(line.split()[5] for line in text.splitlines() if line.startswith("1x4x2x3x5 "))
        self.assertNotIn("op=", (self.folder / "w").read_text())
        text = self.succeed("plan", *layer, "--wisdom", "w")
        self.assertIn("ms, as wisdom tells", text)
        if winner == "two":  # two variants are the planner's own choice only
            return
        self.assertIn(f"\nvariant     {winner}\n", text)
        self.assertIn(winner, self.variants("forward", "ncdhw"))

    def test_wisdom_does_not_change_a_gradient(self):
        for name, shape in ("x.npy", (1, 4, 2, 3, 5)), ("w.npy", (4, 6, 3, 3, 3)), ("g.npy", (1, 6, 3, 5, 9)):
            self.save_random(name, shape)
        outputs = {"--grad-input": "gx.npy", "--grad-weight": "gw.npy", "--grad-bias": "gb.npy"}
        backward = "backward", "--input", "x.npy", "--weight", "w.npy", "--grad-output", "g.npy", "--stride", 2
        backward = *backward, "--padding", 1, "--threads", 1, *[part for pair in outputs.items() for part in pair]
        for operator in GRADIENTS:
            self.succeed("tune", *self.STRIDED, "--operator", operator, "--layout", "ncdhw", "--wisdom", "w")
        winners = re.findall(r" variant=(\S+)", (self.folder / "w").read_text())
        self.assertEqual(len(winners), 3)
        self.succeed(*backward)
        before = [(self.folder / name).read_bytes() for name in outputs.values()]
        text = self.succeed(*backward, "--wisdom", "w")
        for winner in winners:
            self.assertTrue(winner in text or winner.startswith("bias_gradient"), winner)
        self.assertEqual([(self.folder / name).read_bytes() for name in outputs.values()], before)

    # ------------------------------------------------------------------------------------------------ bench

    def bench(self, *arguments):
        text = self.succeed("bench", *self.save_layers(), "--json", "out.json", *arguments)
        return text, json.loads((self.folder / "out.json").read_text())["results"]

    def test_bench(self):
        fields = {"layer", "layout", "dtype", "device", "variant", "planned", "seconds", "gflops", "fraction_of_limit"}
        text, results = self.bench("--operator", "forward")
        self.assertNotIn("operator", text)
        self.assertEqual({frozenset(result) for result in results}, {frozenset(fields)})
        for operator in GRADIENTS:
            with self.subTest(operator):
                text, results = self.bench("--operator", operator)
                self.assertIn(f"\noperator    {operator}\n\n", text)
                self.assertEqual(
                    [(r["layer"], r["layout"]) for r in results],
                    [(name, layout) for name in ("small", "one") for layout in ("ncdhw", "ndhwc")],
                )
                for result in results:
                    self.assertEqual(set(result), fields | {"operator"})
                    self.assertEqual((result["operator"], result["dtype"]), (operator, "f32"))
                    self.assertTrue(result["planned"])
                    self.assertGreater(result["seconds"], 0)
                    self.assertGreater(result["fraction_of_limit"], 0)
                    by_forward = operator == "input_gradient" and result["layer"] == "one"
                    self.assertEqual(result["variant"].startswith(operator), not by_forward)
                    # No padding: each input element meets 3 weights.
                    flop = 0 if operator == "bias_gradient" else 2 * 2 * 4 * 120 * 3
                    if result["layer"] == "one":
                        self.assertAlmostEqual(result["gflops"] * result["seconds"], flop * 1e-9, 15)

    def test_bench_of_variants(self):
        for operator in GRADIENTS:
            _, results = self.bench(
                "--operator", operator, "--variants", "all", "--layout", "ndhwc", "--layers", "small"
            )
            measured = {result["variant"] for result in results}
            self.assertEqual(len(measured), len(results))
            others = re.compile("diagonal|depthwise|in_place|_k4s2_")  # which do not compute the layer
            some = [name for name in self.variants(operator, "ndhwc") if not others.search(name)]
            self.assertEqual(measured, set(some))
        forward = self.variants("forward", "ndhwc")[0]
        text, results = self.bench("--operator", "input_gradient", "--variants", forward, "--layout", "ndhwc")
        self.assertEqual([r["layer"] for r in results], ["one"])
        self.assertIn("skipped: variant " + forward + " computes input gradients of layers whose strides are 1", text)

    def test_bench_of_types(self):
        for dtype in "f64", "f16", "bf16-f32":
            for operator in GRADIENTS:
                if (dtype, operator) == ("bf16-f32", "input_gradient"):  # there are no such kernels
                    continue
                _, results = self.bench("--operator", operator, "--dtype", dtype, "--layers", "small")
                self.assertEqual([r["dtype"] for r in results], [dtype] * 2)

    def test_errors(self):
        layers = self.save_layers()
        for command in ["tune", *self.STRIDED, "--wisdom", "w"], ["plan", *self.STRIDED], ["bench", *layers]:
            self.fail_with(
                "--operator: expected forward, input_gradient, weight_gradient or bias_gradient, but got 'gradient'",
                *command, "--operator", "gradient",
            )  # fmt: skip
        weight = self.variants("weight_gradient", "ndhwc")[0]
        forward = self.variants("forward", "ndhwc")[0]
        self.fail_with(
            f"--variants: {forward} computes the forward, not the weight_gradient",
            "bench", *layers, "--operator", "weight_gradient", "--variants", forward,
        )  # fmt: skip
        self.fail_with(
            f"--variants: {weight} computes the weight_gradient, not the forward",
            "bench",
            *layers,
            "--variants",
            weight,
        )
        self.fail_with(
            f"--variants: {weight} is for type f32, not f16",
            "bench", *layers, "--operator", "weight_gradient", "--variants", weight, "--dtype", "f16-f32",
        )  # fmt: skip
        self.fail_with(
            "--operator: gradients are measured on the CPU alone",
            "bench", *layers, "--operator", "bias_gradient", "--device", "opencl",
        )  # fmt: skip


if __name__ == "__main__":
    main()
