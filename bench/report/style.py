"""Colors, and figures as SVG that takes them from the page: one figure for light and for dark backgrounds."""

import io
import re

import matplotlib
from matplotlib.figure import Figure

# Colors that stand for variables of the style sheet, which report.css sets for light and for dark.
INK, FAINT, GRID, TINT, PAPER = "#010101", "#010102", "#010103", "#010104", "#010105"
VARIABLES = {INK: "ink", FAINT: "faint", GRID: "grid", TINT: "tint", PAPER: "paper"}
SERIES = (
    "unstride",
    "unstride_ndhwc",
    "torch_installed",
    "torch",
    "torch_compiled",
    "torch_prepacked",
    "openvino",
    "onnxruntime",
    "planned",
    "other",
)
COLORS = {name: f"#0102{i:02x}" for i, name in enumerate(SERIES)}
VARIABLES.update({color: f"c-{name}" for name, color in COLORS.items()})
MARKERS = {
    "unstride": "o",
    "torch_installed": "v",
    "torch": "^",
    "torch_compiled": "s",
    "torch_prepacked": "D",
    "openvino": "P",
    "onnxruntime": "X",
}

matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.edgecolor": GRID,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "legend.frameon": False,
    }
)


WIDTH = 11.5  # inches of a figure that is as wide as the page


def color_of(who):
    return COLORS.get(who, COLORS["other"])


class Chart:
    """A figure whose marks can have tooltips."""

    def __init__(self, name, width, height, **subplots):
        self.name, self.tips = name, {}
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.axes = self.figure.subplots(squeeze=False, **subplots)[0]

    def tip(self, artist, text):
        identifier = f"{self.name}-tip{len(self.tips)}"
        self.tips[identifier] = text
        artist.set_gid(identifier)

    def svg(self):
        text = io.StringIO()
        # The salt makes identifiers that are the same every time, and different in each figure of a page.
        with matplotlib.rc_context({"svg.hashsalt": self.name}):
            self.figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        svg = text.getvalue()
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r' (?:width|height)="[^"]*pt"', "", svg, count=2)
        svg = svg.replace("<svg ", f'<svg style="max-width: {100 * self.figure.get_figwidth() / WIDTH:.1f}%" ', 1)
        svg = re.sub(r'id="([\w.]+_\d+)"', rf'id="{self.name}-\1"', svg)
        svg = re.sub("|".join(VARIABLES), lambda color: f"var(--{VARIABLES[color[0]]})", svg)
        for identifier, tip in self.tips.items():
            svg = svg.replace(f'<g id="{identifier}">', f'<g class="mark"><title>{escape(tip)}</title>')
        return svg


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
