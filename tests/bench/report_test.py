"""The benchmark's report, made from numbers that are made up."""

import html.parser
import pathlib
import re
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
from synthetic_benchmark import synthetic_document, synthetic_experiments  # noqa: E402

from unstride_bench.report.benchmark_summary import Summary, gpu_speeds  # noqa: E402
from unstride_bench.report.chart_parts import spread  # noqa: E402
from unstride_bench.report.goal_numbers import cases  # noqa: E402
from unstride_bench.report.gradient_numbers import passes  # noqa: E402
from unstride_bench.report.html_pages import write_experiments, write_report  # noqa: E402
from unstride_bench.report.markdown_tables import write_experiments_markdown, write_markdown  # noqa: E402
from unstride_bench.report.reasons_for_missed_goals import reasons  # noqa: E402
from unstride_bench.report.schedule_summary import Schedules  # noqa: E402
from unstride_bench.report.svg_chart import Chart  # noqa: E402

VOID = {"meta", "br", "link", "img"}


def small_document(peers=True):
    """The document of a few layers, whose report is made in a fraction of the time of one of all layers."""
    return synthetic_document(peers, most_layers=5)


class Page(html.parser.HTMLParser):
    """Checks that elements nest, and collects what they say."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.loads, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href"):
                self.loads.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.words.append(data)


class ReportTest(unittest.TestCase):
    def test_markdown(self):
        document = synthetic_document()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "tables.md"
            write_markdown(document, path)
            lines = path.read_text().splitlines()
        for layer in document["layers"]:
            rows = [line for line in lines if line.startswith(f"| {layer['name']} |")]
            epilogues, types = (
                sum(row["layer"] == layer["name"] for row in document[part]) for part in ("epilogues", "types")
            )
            self.assertEqual(
                [row.count("|") for row in rows],
                [9, 9, 9, 15, 15] + [6] * (len(rows) - 5 - epilogues - types) + [9] * epilogues + [12] * types,
            )
        self.assertEqual(sum(line.endswith((" met |", " missed |")) for line in lines), len(Summary(document).goals()))
        self.assertEqual(sum(line.count("|") == 6 for line in lines) - 2, len(document["layer_kernels"]))

    def write(self, document):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.html"
            write_report(document, path)
            return path.read_text()

    def check(self, document, links=()):
        """The words of the page, without its figures, which take most of the time."""
        with unittest.mock.patch.object(Chart, "svg", lambda chart: ""):
            return self.check_text(self.write(document), document, links)

    def check_with_figures(self, document):
        text = self.write(document)
        self.assertIn("<svg", text)
        return self.check_text(text, document)

    def check_text(self, text, document, links=()):
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        # All that the page needs is in it; beside these links.
        self.assertTrue(
            all(
                target.startswith(("#", *links)) and (target[0] != "#" or target[1:] in page.ids)
                for target in page.loads
            ),
            page.loads,
        )
        for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
            xml.etree.ElementTree.fromstring(svg)
        used, defined = (set(re.findall(p, text)) for p in (r"var\((--[\w-]+)\)", r"(--[\w-]+):"))
        self.assertLessEqual(used, defined)
        for layer in document["layers"]:
            self.assertIn(layer["name"], page.words)
        return "".join(page.words)

    def test_with_peers(self):
        document = synthetic_document()
        words = self.check_with_figures(document)
        for peer in document["peers"].values():
            self.assertIn(peer["label"], words)
        self.assertIn("RuntimeError: <could not> & would not", words)
        self.assertIn("Without a prediction: llvm-mca is not installed.", words)
        self.assertIn("ncdhw_columns_32x1_s1_cuda", words)
        for text in "A made-up GPU: 1.50× as fast", "0.15 ms", "0.05 ms", "3.0 MiB", "of unstride":
            self.assertIn(text, words)

    def test_ratios(self):
        """Each ratio has its interval; the made-up rounds differ from their median by 3 % at most."""
        document = small_document()
        words = self.check(document)
        found = cases(Summary(document))
        self.assertEqual(len(found), 2 * len(document["layers"]))
        for case in found:
            for each in case.any, case.same, case.bf16:
                self.assertTrue(0.9 * each.ratio < each.measured.low <= each.ratio <= each.measured.high, each)
                self.assertIn(f"{each.ratio:.2f}x ({each.measured.low:.2f} to {each.measured.high:.2f})", words)
        self.assertIn("Memory", words)
        for row in document["results"]:
            row["extra_bytes"] = None  # as of a run that does not measure it
        del document["bf16"]
        words = self.check(document)
        self.assertNotIn("Memory", words)
        self.assertEqual({case.bf16 for case in cases(Summary(document))}, {None})

    def test_gradients(self):
        """Forward and the gradients are side by side, where they were measured."""
        document = small_document()
        words = self.check(document)
        found = passes(Summary(document))
        self.assertEqual(len(found), 2 * len(document["layers"]))
        for row in found:
            for each in row.operations:
                if each.any:
                    self.assertIn(f"{each.any.ratio:.2f}x ({each.any.measured.low:.2f} to ", words)
        self.assertIn("Forward and backward", words)
        document["gradients"][1]["error"] = "<none> left"
        self.assertIn("input_gradient, failed: <none> left", self.check(document))
        del document["gradients"]  # as in files of before
        self.assertNotIn("Forward and backward", self.check(document))

    def test_gpu_results_without_cudnn(self):
        document = small_document()
        gpu = document["gpus"][0]
        gpu["results"] = [
            gpu["results"][0],
            {"layer": "seed1", "layout": "ncdhw", "who": "cudnn", "error": "no algorithm"},
        ]
        (speed,) = gpu_speeds(gpu)
        self.assertEqual((speed.layer, speed.cudnn, speed.ratio), ("seed1", None, None))
        self.check(document)

    def test_reasons_of_missed_goals(self):
        words = self.check(small_document())
        for what, why in reasons():
            self.assertIn(f"{what}: {why}", words)

    def test_without_peers(self):
        words = self.check_with_figures(small_document(peers=False))
        self.assertNotIn("PyTorch", words)
        self.assertIn("80 % of the peak", words)

    def test_kernels_for_layers(self):
        document = small_document()
        kernels = synthetic_document()["layer_kernels"]
        names = {layer["name"] for layer in document["layers"]}
        document["layer_kernels"] = [{**kernels[0], "layer": name} for name in sorted(names)]
        words = self.check(document)
        for row in document["layer_kernels"]:
            self.assertIn(row["variant"], words)
        document["layer_kernels"][0] = {**document["layer_kernels"][0], "error": "<none> left"}
        del document["layer_kernels"][0]["seconds"]
        self.assertIn("failed: <none> left", self.check(document))
        del document["layer_kernels"]  # as in files of before
        self.assertNotIn("unstride_add_layer", self.check(document))

    def test_epilogues(self):
        document = small_document()
        words = self.check(document)
        self.assertIn("with LeakyReLU in it", words)
        for row in Summary(document).epilogues():
            self.assertIn(f"{row.leaky_relu_apart:.2f}", words)
        del document["epilogues"]  # as in files of before
        self.assertNotIn("LeakyReLU", self.check(document))

    def test_types(self):
        document = small_document()
        words = self.check(document)
        summary = Summary(document)
        for row in summary.types():
            self.assertIn(f"{row.ratios['bf16-f32']:.2f}×", words)
        self.assertEqual(
            [(t.type, t.asked) for t in summary.type_summaries()],
            [("f64", True), ("f16", True), ("bf16", True), ("f16-f32", False), ("bf16-f32", False)],
        )
        self.assertIn("NotImplementedError: &lt;none&gt;", self.write(document))
        self.assertIn("Element types", self.check(small_document(peers=False)))
        del document["types"]  # as in files of before
        self.assertNotIn("Element types", self.check(document))

    def test_experiments(self):
        experiments = synthetic_experiments()
        links = ("https://github.com/halide/Halide/issues/8577",)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "experiments.html"
            write_experiments(experiments, path)
            words = self.check_text(path.read_text(), experiments, ("./seed1_", "./seed2_", "./hand/", *links))
            write_experiments_markdown(experiments, path)
            rows = [line for line in path.read_text().splitlines() if line.startswith("| seed1 |")]
            self.assertEqual([row.split(" | ")[-2:] for row in rows], [["2.00x", "– |"]] * 2)
        for text in (
            "Works",
            "2.00×",
            "4 of 4",
            "0 of 4",
            "took more than 8 <GiB>",
            "#8577",
            "Sometimes (GPU)",
            "1.50×",
            "4.25×",
        ):
            self.assertIn(text, words)
        words = self.check({**small_document(), "experiments": experiments}, ("experiments/", *links))
        self.assertIn("Schedules by machines", words)
        self.assertNotIn("Schedules by machines", self.check({**small_document(), "experiments": None}))

    def test_one_layer_without_variants_or_kernels(self):
        document = small_document()
        name = document["layers"][0]["name"]
        document.update(
            code=[],
            variants=[],
            layer_kernels=[],
            epilogues=[],
            types=[],
            layers=document["layers"][:1],
            results=[r for r in document["results"] if r["layer"] == name],
        )
        self.check_with_figures(document)


class ReasonsTest(unittest.TestCase):
    def test_reasons(self):
        missed = "- **k = s** (a): one\n  two.\n- **Depthwise**: three.\n"
        text = f"# A\n\nWhy goals are missed:\n\n{missed}\n## B\n\n- **c**: d\n"
        self.assertEqual(reasons(text), [("k = s", "(a): one two."), ("Depthwise", "three.")])
        self.assertEqual(reasons("nothing"), [])

    def test_document(self):
        found = reasons()
        self.assertGreater(len(found), 2)
        self.assertTrue(all(why.endswith(".") for _, why in found), found)


class SchedulesTest(unittest.TestCase):
    def test_rows(self):
        schedules = Schedules(synthetic_experiments())
        works, fails, gpu = schedules.rows()
        self.assertEqual(
            (works.scheduler, works.tried, works.works, works.code_bytes, works.seconds), ("Works", 4, 4, 4096, 2)
        )
        for value, expected in (
            (works.moves, 3),
            (schedules.own_moves(), 0.5),
            (works.mean, 2),
            (works.least, 2),
            (works.most, 2),
            (works.own_mean, 2.5),
        ):
            self.assertAlmostEqual(value, expected)
        self.assertEqual((fails.scheduler, fails.works, fails.mean, fails.seconds), ("Adams2019", 0, None, None))
        self.assertEqual(
            (gpu.scheduler, gpu.device, gpu.works, gpu.registers, gpu.spills, gpu.mean),
            ("Sometimes (GPU)", "gpu", 4, 40, 4, None),
        )
        (failure,) = schedules.failures()
        self.assertEqual((failure.scheduler, failure.count, failure.issue), ("Adams2019", 4, 8577))
        self.assertEqual(
            [(name, setting, works) for name, setting, works, _, _ in schedules.settings()],
            [("Works", "default", 4), ("Works", "a=1", 4), ("Adams2019", "default", 0)],
        )
        planned, found = schedules.pairs()[0]
        self.assertEqual([(r["scheduler"], r["setting"]) for r in found], [("Works", "a=1")])


class ChartTest(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(spread([0, 1, 5], 2), [-0.5, 1.5, 5])
        self.assertEqual(spread([0, 1, 2], 2), [-1, 1, 3])


if __name__ == "__main__":
    unittest.main()
