"""The charts that compare Unstride with its peers, layer by layer: time, and memory."""

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.report.chart_parts import ROW, legend, mark, powers_of_two, rows_of_layers
from unstride_bench.report.number_texts import factor, milliseconds
from unstride_bench.report.svg_chart import COLORS, FAINT, MARKERS, WIDTH, Chart, color_of

LEAST_MIB = 1 / 64  # what takes less memory is drawn as if it took so much


def speed_chart(summary):
    """How many times as long each peer takes as we do, layer by layer, as SVG."""
    layers = list(summary.layers.values())
    chart = Chart("speed", WIDTH, ROW * len(layers) + 1.3, ncols=2, sharey=True)
    ratios = []
    for axes, layout in zip(chart.axes, LAYOUTS, strict=True):
        rows_of_layers(axes, layers)
        for y, layer in enumerate(layers):
            ratios += draw_speeds(chart, axes, y, summary, layer["name"], layout)
        axes.set_title(layout, loc="left", fontsize=11, fontweight="bold")
        axes.set_xlabel("time of the peer over time of Unstride")
    low, high = min([0.6, *(0.85 * r for r in ratios)]), max([4, *(1.15 * r for r in ratios)])
    for axes in chart.axes:
        powers_of_two(axes, low, high)
        axes.axvspan(low, 1, color=COLORS["other"], alpha=0.10, linewidth=0, zorder=-1)
        axes.axvline(1, color=COLORS["unstride"], linewidth=2)
    ours = ("|", COLORS["unstride"], "Unstride; left of it, the peer is faster")
    fastest = ("|", FAINT, "fastest peer, where that is in the other layout")
    legend(chart.figure, [ours, fastest, *peer_entries(summary)], ncols=4)
    return chart.svg()


def draw_speeds(chart, axes, y, summary, name, layout):
    """Draws a layer's row of the speed chart; the ratios in it."""
    ours = summary.seconds(name, layout, "unstride")
    found = summary.ratios(name, layout)
    ratios = list(found.values())
    if found:
        axes.plot([min(ratios), max(ratios)], [y, y], color=FAINT, linewidth=1, alpha=0.6)
    any_layout = {(s.layer, s.layout): s for s in summary.against_any_layout()}
    fastest = any_layout.get((name, layout))
    if fastest and fastest.peer_layout != layout:
        ratios.append(fastest.ratio)
        tip = (
            f"{name}: {summary.label(fastest.who)} takes {milliseconds(fastest.theirs)} in {fastest.peer_layout}, "
            f"{factor(fastest.ratio)} our {milliseconds(ours)} in {layout}"
        )
        style = {"marker": "|", "markersize": 11, "markeredgewidth": 1.6, "markeredgecolor": FAINT}
        mark(chart, axes, (fastest.ratio, y), fastest.who, tip, **style)
    for who, ratio in sorted(found.items(), key=lambda item: -item[1]):
        theirs = summary.seconds(name, layout, who)
        times = f"{milliseconds(theirs)}, {factor(ratio)} our {milliseconds(ours)}"
        mark(chart, axes, (ratio, y), who, f"{name}, {layout}: {summary.label(who)} takes {times}")
    return ratios


def memory_chart(summary):
    """Memory beyond input, weights and output during a forward, layer by layer, as SVG."""
    layers = list(summary.layers.values())
    chart = Chart("memory", WIDTH, ROW * len(layers) + 1.3)
    (axes,) = chart.axes
    rows_of_layers(axes, layers)
    highest = 1.0
    for y, layer in enumerate(layers):
        sizes = extra_sizes(summary, layer["name"])
        if sizes:
            values = [max(size / 2**20, LEAST_MIB) for size, _ in sizes.values()]
            axes.plot([min(values), max(values)], [y, y], color=FAINT, linewidth=1, alpha=0.6)
            highest = max(highest, *values)
        for who, (size, layout) in sizes.items():
            tip = f"{layer['name']}: {summary.label(who)} takes {size / 2**20:.3g} MiB more, {layout}"
            style = {"markersize": 8, "zorder": 4} if who == "unstride" else {}
            mark(chart, axes, (max(size / 2**20, LEAST_MIB), y), who, tip, **style)
    axes.set_xscale("log", base=4)
    axes.set_xlim(LEAST_MIB / 1.5, highest * 1.5)
    axes.xaxis.set_major_locator(FixedLocator([4.0**i for i in range(-3, 8) if 4.0**i <= highest * 1.5]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g} MiB" if x >= 1 else f"{1024 * x:g} KiB"))
    axes.set_xlabel("memory during a forward beyond input, weights and output; the layout that takes less")
    ours = (MARKERS["unstride"], COLORS["unstride"], "Unstride")
    legend(chart.figure, [ours, *peer_entries(summary)], ncols=4)
    return chart.svg()


def extra_sizes(summary, name):
    """For each library that says it: bytes beyond input, weights and output, and the layout that takes the least."""
    sizes = {}
    for who in (*summary.peers, "unstride"):
        results = {layout: summary.results.get((name, layout, who), {}) for layout in LAYOUTS}
        known = [(r["extra_bytes"], layout) for layout, r in results.items() if r.get("extra_bytes") is not None]
        if known:
            sizes[who] = min(known)
    return sizes


def peer_entries(summary):
    """The peers' entries in a legend."""
    return [(MARKERS[who], color_of(who), summary.label(who)) for who in summary.peers]
