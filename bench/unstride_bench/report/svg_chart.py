"""Colors, and figures as SVG that takes them from the page: one figure for light and for dark backgrounds."""

import functools
import io
import re

# Colors that stand for variables of the style sheet, which report.css sets for light and for dark.
INK, FAINT, GRID, TINT, PAPER = "#010101", "#010102", "#010103", "#010104", "#010105"
VARIABLES = {INK: "ink", FAINT: "faint", GRID: "grid", TINT: "tint", PAPER: "paper"}
# fmt: off
MARKERS = {"unstride": "o",
           "torch_installed": "v", "torch": "^", "torch_compiled": "s", "torch_prepacked": "D",
           "openvino": "P", "onnxruntime": "X"}
SERIES = ("unstride", "unstride_ndhwc",
          "torch_installed", "torch", "torch_compiled", "torch_prepacked", "openvino", "onnxruntime",
          "planned", "other")
COLORS = {name: f"#0102{i:02x}" for i, name in enumerate(SERIES)}
VARIABLES.update({color: f"c-{name}" for name, color in COLORS.items()})

STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.5,
    "text.color": INK, "axes.labelcolor": INK, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.color": FAINT, "ytick.color": FAINT,
    "axes.edgecolor": GRID, "grid.color": GRID, "grid.linewidth": 0.7,
    "axes.facecolor": "none", "figure.facecolor": "none",
    "axes.grid": False, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.major.size": 0, "ytick.major.size": 0, "xtick.minor.size": 0, "ytick.minor.size": 0,
    "legend.frameon": False,
}
# fmt: on

WIDTH = 11.5  # inches of a figure that is as wide as the page


def color_of(who):
    """The color of a library; those that are not in SERIES share one."""
    return COLORS.get(who, COLORS["other"])


@functools.cache
def styled_matplotlib():
    """Matplotlib in the page's style. It is imported late, as that takes longer than commands that draw nothing."""
    import matplotlib.figure

    matplotlib.rcParams.update(STYLE)
    return matplotlib


class Chart:
    """A figure whose marks can have tooltips."""

    def __init__(self, name, width, height, **subplots):
        """Sizes are in inches; `subplots` are matplotlib's, for one row of axes. The name is unique on a page."""
        self.name, self.tips = name, {}
        self.figure = styled_matplotlib().figure.Figure(figsize=(width, height), layout="constrained")
        self.axes = self.figure.subplots(squeeze=False, **subplots)[0]

    def tip(self, artist, text):
        """Gives an artist of matplotlib a text that shows under the mouse."""
        identifier = f"{self.name}-tip{len(self.tips)}"
        self.tips[identifier] = text
        artist.set_gid(identifier)

    def svg(self):
        """The figure as an element of a page, as wide as the page at most."""
        text = io.StringIO()
        # The salt makes identifiers that are the same every time, and different in each figure of a page.
        with styled_matplotlib().rc_context({"svg.hashsalt": self.name}):
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
    """The text as it is written in HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
