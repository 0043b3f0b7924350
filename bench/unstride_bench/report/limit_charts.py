"""The charts that compare Unstride with what the machine allows: the roofline, and fractions of the limits."""

import math

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.report.chart_parts import ROW, legend, mark, rows_of_layers, spread
from unstride_bench.report.number_texts import milliseconds
from unstride_bench.report.svg_chart import COLORS, FAINT, GRID, INK, WIDTH, Chart

OURS = {"ncdhw": {}, "ndhwc": {"marker": "D", "color": COLORS["unstride_ndhwc"], "markersize": 5.5}}
FASTEST_PEER = {"marker": "x", "markersize": 6, "markeredgecolor": FAINT, "markeredgewidth": 1.4}


def roofline_chart(summary):
    """Operations per second over operations per byte, below what the machine allows, as SVG."""
    chart = Chart("roofline", WIDTH, 6.2)
    (axes,) = chart.axes
    peak, bandwidth = (summary.machine[name] for name in ("peak_gflops", "bandwidth_gbs"))
    knee = peak / bandwidth  # operations per byte above which the peak is the limit
    intensity = {name: layer["flops"] / layer["compulsory_bytes"] for name, layer in summary.layers.items()}
    names = sorted(intensity, key=intensity.get)
    low, high = min(intensity.values()) / 1.6, max(intensity.values()) * 1.6
    low, high = min(low, knee / 3), max(high, knee * 3)
    lowest = peak
    for name in names:
        x, marks = intensity[name], roofline_marks(summary, name)
        speeds = [gflops for gflops, *_ in marks]
        axes.plot([x, x], [min(speeds), max(speeds)], color=FAINT, linewidth=0.8, alpha=0.6)
        lowest = min(lowest, *speeds)
        for gflops, who, text, style in marks:
            mark(chart, axes, (x, gflops), who, f"{name}: {text}", zorder=3, **style)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(lowest / 1.3, peak * 1.25))
    axes.plot([low, knee, high], [low * bandwidth, peak, peak], color=INK, linewidth=1.6)
    axes.text(high, peak * 1.03, f"{peak:.0f} GFLOP/s ", ha="right", va="bottom")
    bottom = 1.4 * max(lowest / 1.3, low * bandwidth)
    beside = {"xytext": (6, -2), "textcoords": "offset points", "ha": "left", "va": "top"}
    axes.annotate(f"{bandwidth:.1f} GB/s", (bottom / bandwidth, bottom), **beside)
    axes.set_xlabel("operations per byte that has to be moved")
    axes.set_ylabel("GFLOP/s")
    axes.grid(which="major")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(FixedLocator([m * 10.0**e for e in range(-2, 6) for m in (1, 2, 5)]))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    name_layers_above(axes, names, [math.log(intensity[name] / low) / math.log(high / low) for name in names])
    entries = [("o", COLORS["unstride"], "Unstride, ncdhw"), ("D", COLORS["unstride_ndhwc"], "Unstride, ndhwc")]
    legend(chart.figure, entries + [("x", FAINT, "fastest peer, any layout")] * bool(summary.peers))
    return chart.svg()


def roofline_marks(summary, name):
    """(GFLOP/s, library, text, style) of what is drawn for a layer: the fastest peer, and Unstride in each layout."""
    times = [(summary.seconds(name, layout, who), who, layout) for who in summary.peers for layout in LAYOUTS]
    known = [time for time in times if time[0]]
    shown = [(*min(known), FASTEST_PEER)] if known else []
    shown += [(summary.seconds(name, layout, "unstride"), "unstride", layout, style) for layout, style in OURS.items()]
    marks = []
    for seconds, who, layout, style in shown:
        if seconds:
            gflops = summary.gflops(name, seconds)
            text = f"{summary.label(who)}, {layout}, {gflops:.0f} GFLOP/s in {milliseconds(seconds)}"
            marks.append((gflops, who, text, style))
    return marks


def name_layers_above(axes, names, places):
    """Writes the layers' names above the axes, side by side, with lines to their places: 0 is left, 1 is right."""
    tops = spread(places, 0.0165)
    shift = min(0, 0.995 - tops[-1]) if tops else 0
    line = {"color": GRID, "linewidth": 0.8, "clip_on": False, "transform": axes.transAxes}
    text = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 8.5, "transform": axes.transAxes}
    for name, at, top in zip(names, places, tops, strict=True):
        axes.plot([at, at, top + shift], [1, 1.015, 1.05], **line)
        axes.text(top + shift, 1.055, name, **text)


def limit_chart(summary):
    """The fraction of what the machine allows that each layer reaches, against its goal, as SVG."""
    layers = list(summary.layers.values())
    chart = Chart("limit", WIDTH, ROW * len(layers) + 1.2)
    (axes,) = chart.axes
    rows_of_layers(axes, layers)
    places = {layer["name"]: y for y, layer in enumerate(layers)}
    for f in summary.fractions():
        y, first = places[f.layer], f.layout == "ncdhw"
        middle = y + (-0.17 if first else 0.17)
        (bar,) = axes.barh(middle, f.value, 0.3, color=COLORS["unstride" if first else "unstride_ndhwc"], linewidth=0)
        against = "of the peak" if f.compute_bound else "of what peak or bandwidth allows"
        chart.tip(bar, f"{f.layer}, {f.layout}: {f.value:.0%} {against}, the goal is {f.goal:.0%}")
        axes.text(f.value + 0.006, middle, f"{100 * f.value:.0f}", va="center", fontsize=7.5, color=FAINT)
        axes.plot([f.goal, f.goal], [y - 0.42, y + 0.42], color=INK, linewidth=1.6)
    axes.set_xlim(0, max([1, *(f.value + 0.05 for f in summary.fractions())]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.0f} %"))
    of_peak, of_both = "compute-bound layers: of the peak, goal 80 %", "of what peak or bandwidth allows, goal 70 %"
    axes.set_xlabel(f"{of_peak}; the others: {of_both}")
    entries = [("s", COLORS["unstride"], "ncdhw"), ("s", COLORS["unstride_ndhwc"], "ndhwc"), ("|", INK, "goal")]
    legend(chart.figure, entries)
    return chart.svg()
