"""What several charts of the report have in common: marks with tips, legends, and rows of layers."""

import math

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from unstride_bench.report.number_texts import TIMES
from unstride_bench.report.svg_chart import INK, MARKERS, PAPER, TINT, color_of

ROW = 0.29  # inches of a layer's row
SIZES = {"P": 8, "X": 7.5, "|": 11}  # of markers that look smaller than the others


def mark(chart, axes, place, who, tip, **options):
    """Draws the mark of a library at a place, (x, y), with a text that shows under the mouse.

    `options` are matplotlib's, in addition to and in place of what is usual for the library.
    """
    marker = MARKERS.get(who, "o")
    style = {
        "marker": marker,
        "color": color_of(who),
        "markersize": SIZES.get(marker, 6.5),
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.6,
        "linestyle": "none",
        **options,
    }
    (artist,) = axes.plot([place[0]], [place[1]], **style)
    chart.tip(artist, tip)


def legend(figure, entries, ncols=None):
    """Puts a legend above the axes, in so many columns, or in one row; its entries are (marker, color, text)."""
    handles = []
    for marker, color, text in entries:
        is_line = marker in "|x"
        style = {"marker": marker, "color": color, "linestyle": "none", "markersize": SIZES.get(marker, 6.5)}
        edge = {"markeredgecolor": color if is_line else PAPER, "markeredgewidth": 1.6 if is_line else 0.6}
        handles.append(Line2D([], [], label=text, **style, **edge))
    spaces = {"handletextpad": 0.2, "columnspacing": 1.4, "borderaxespad": 0}
    place = {"loc": "outside upper left", "ncols": ncols or len(handles)}
    figure.legend(handles=handles, labelcolor=INK, **place, **spaces)


def rows_of_layers(axes, layers):
    """Gives each layer a row, from the top, with its name."""
    axes.set_ylim(len(layers) - 0.4, -0.6)
    axes.set_yticks(range(len(layers)), [layer["name"] for layer in layers])
    axes.grid(axis="x")
    for y in range(0, len(layers), 2):
        axes.axhspan(y - 0.5, y + 0.5, color=TINT, linewidth=0, zorder=-2)


def powers_of_two(axes, low, high):
    """Makes the x axis one of ratios, with ticks such as 1/2, 1 and 2 times."""
    axes.set_xscale("log", base=2)
    axes.set_xlim(low, high)
    ticks = [2.0**i for i in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}{TIMES}" if x >= 1 else f"1/{1 / x:g}"))


def spread(positions, distance):
    """Moves sorted positions apart, as little as need be, until neighbours have this distance."""
    placed = []  # [sum of wishes, count]: groups of neighbours that touch
    for wish in positions:
        placed.append([wish, 1])
        while len(placed) > 1:
            (a, n), (b, m) = placed[-2:]
            if a / n + distance * (n + m) / 2 <= b / m:
                break
            placed[-2:] = [[a + b, n + m]]
    return [total / n + distance * (i - (n - 1) / 2) for total, n in placed for i in range(n)]
