"""The figures of the report."""

import collections
import math

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .style import COLORS, FAINT, GRID, INK, MARKERS, PAPER, TINT, WIDTH, Chart, color_of
from .summary import BOTH

ROW = 0.29  # inches of a layer's row
SIZES = {"P": 8, "X": 7.5, "|": 11}  # of markers that look smaller than the others
TIMES = "\N{MULTIPLICATION SIGN}"


def milliseconds(seconds):
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{1e3 * seconds:.0f} ms"


def factor(value):
    return f"{value:.3g}{TIMES}"


def mark(chart, axes, x, y, who, tip, **options):
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
    (artist,) = axes.plot([x], [y], **style)
    chart.tip(artist, tip)
    return artist


def legend(figure, entries, **options):
    """Entries are (marker, color, text)."""
    handles = [
        Line2D(
            [],
            [],
            marker=marker,
            color=color,
            linestyle="none",
            label=text,
            markersize=SIZES.get(marker, 6.5),
            markeredgecolor=color if marker in "|x" else PAPER,
            markeredgewidth=1.6 if marker in "|x" else 0.6,
        )
        for marker, color, text in entries
    ]
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=options.pop("ncols", len(handles)),
        handletextpad=0.2,
        columnspacing=1.4,
        borderaxespad=0,
        labelcolor=INK,
        **options,
    )


def rows_of_layers(axes, layers):
    """A row for each layer, from the top, with its name and geometry."""
    axes.set_ylim(len(layers) - 0.4, -0.6)
    axes.set_yticks(range(len(layers)), [layer["name"] for layer in layers])
    axes.grid(axis="x")
    for y in range(0, len(layers), 2):
        axes.axhspan(y - 0.5, y + 0.5, color=TINT, linewidth=0, zorder=-2)


def powers_of_two(axes, low, high):
    axes.set_xscale("log", base=2)
    axes.set_xlim(low, high)
    ticks = [2.0**i for i in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}{TIMES}" if x >= 1 else f"1/{1 / x:g}"))


def speed_chart(summary):
    """How many times as long each peer takes as we do, layer by layer."""
    layers = list(summary.layers.values())
    chart = Chart("speed", WIDTH, ROW * len(layers) + 1.3, ncols=2, sharey=True)
    ratios = []
    any_layout = {(s.layer, s.layout): s for s in summary.against_any_layout()}
    for axes, layout in zip(chart.axes, BOTH):
        rows_of_layers(axes, layers)
        for y, layer in enumerate(layers):
            ours = summary.seconds(layer["name"], layout, "unstride")
            found = {
                who: seconds / ours
                for who in summary.peers
                if ours and (seconds := summary.seconds(layer["name"], layout, who))
            }
            ratios += found.values()
            if found:
                axes.plot([min(found.values()), max(found.values())], [y, y], color=FAINT, linewidth=1, alpha=0.6)
            fastest = any_layout.get((layer["name"], layout))
            if fastest and fastest.peer_layout != layout:
                ratios.append(fastest.ratio)
                mark(
                    chart,
                    axes,
                    fastest.ratio,
                    y,
                    fastest.who,
                    f"{layer['name']}: {summary.label(fastest.who)} takes "
                    f"{milliseconds(fastest.theirs)} in {fastest.peer_layout}, {factor(fastest.ratio)} our "
                    f"{milliseconds(ours)} in {layout}",
                    marker="|",
                    markersize=11,
                    markeredgewidth=1.6,
                    markeredgecolor=FAINT,
                )
            for who, ratio in sorted(found.items(), key=lambda item: -item[1]):
                mark(
                    chart,
                    axes,
                    ratio,
                    y,
                    who,
                    f"{layer['name']}, {layout}: {summary.label(who)} takes "
                    f"{milliseconds(ratio * ours)}, {factor(ratio)} our {milliseconds(ours)}",
                )
        axes.set_title(layout, loc="left", fontsize=11, fontweight="bold")
        axes.set_xlabel("time of the peer over time of Unstride")
    low, high = min([0.6, *(0.85 * r for r in ratios)]), max([4, *(1.15 * r for r in ratios)])
    for axes in chart.axes:
        powers_of_two(axes, low, high)
        axes.axvspan(low, 1, color=COLORS["other"], alpha=0.10, linewidth=0, zorder=-1)
        axes.axvline(1, color=COLORS["unstride"], linewidth=2)
    legend(
        chart.figure,
        [
            ("|", COLORS["unstride"], "Unstride; left of it, the peer is faster"),
            ("|", FAINT, "fastest peer, where that is in the other layout"),
            *((MARKERS[who], color_of(who), summary.label(who)) for who in summary.peers),
        ],
        ncols=4,
    )
    return chart.svg()


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


def roofline_chart(summary):
    """Operations per second over operations per byte, below what the machine allows."""
    chart = Chart("roofline", WIDTH, 6.2)
    (axes,) = chart.axes
    peak, bandwidth = (summary.machine[name] for name in ("peak_gflops", "bandwidth_gbs"))
    layers = sorted(summary.layers.values(), key=lambda layer: layer["flops"] / layer["compulsory_bytes"])
    intensity = {layer["name"]: layer["flops"] / layer["compulsory_bytes"] for layer in layers}
    low, high = min(intensity.values()) / 1.6, max(intensity.values()) * 1.6
    low, high = min(low, peak / bandwidth / 3), max(high, peak / bandwidth * 3)
    lowest = peak
    for layer in layers:
        x, name = intensity[layer["name"]], layer["name"]
        all_peers = [
            (seconds, who, layout)
            for who in summary.peers
            for layout in BOTH
            if (seconds := summary.seconds(name, layout, who))
        ]
        marks = []
        if all_peers:
            seconds, who, layout = min(all_peers)
            options = {"marker": "x", "markersize": 6, "markeredgecolor": FAINT, "markeredgewidth": 1.4}
            marks.append((summary.gflops(name, seconds), who, options, f"{summary.label(who)}, {layout}", seconds))
        ours = {"ncdhw": {}, "ndhwc": {"marker": "D", "color": COLORS["unstride_ndhwc"], "markersize": 5.5}}
        for layout, options in ours.items():
            if seconds := summary.seconds(name, layout, "unstride"):
                marks.append((summary.gflops(name, seconds), "unstride", options, f"Unstride, {layout}", seconds))
        axes.plot([x, x], [min(m[0] for m in marks), max(m[0] for m in marks)], color=FAINT, linewidth=0.8, alpha=0.6)
        lowest = min(lowest, *(m[0] for m in marks))
        for gflops, who, options, text, seconds in marks:
            mark(
                chart,
                axes,
                x,
                gflops,
                who,
                f"{name}: {text}, {gflops:.0f} GFLOP/s in {milliseconds(seconds)}",
                zorder=3,
                **options,
            )
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(lowest / 1.3, peak * 1.25))
    knee = peak / bandwidth
    axes.plot([low, knee, high], [low * bandwidth, peak, peak], color=INK, linewidth=1.6)
    axes.text(high, peak * 1.03, f"{peak:.0f} GFLOP/s ", ha="right", va="bottom")
    bottom = max(lowest / 1.3, low * bandwidth)
    axes.annotate(
        f"{bandwidth:.1f} GB/s",
        (1.4 * bottom / bandwidth, 1.4 * bottom),
        xytext=(6, -2),
        textcoords="offset points",
        ha="left",
        va="top",
    )
    axes.set_xlabel("operations per byte that has to be moved")
    axes.set_ylabel("GFLOP/s")
    axes.grid(which="major")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(FixedLocator([m * 10.0**e for e in range(-2, 6) for m in (1, 2, 5)]))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    # The layers' names above, side by side.
    scale = lambda x: math.log(x / low) / math.log(high / low)  # noqa: E731
    tops = spread([scale(intensity[layer["name"]]) for layer in layers], 0.0165)
    shift = min(0, 0.995 - tops[-1]) if tops else 0
    for layer, top in zip(layers, tops):
        at = scale(intensity[layer["name"]])
        axes.plot(
            [at, at, top + shift], [1, 1.015, 1.05], transform=axes.transAxes, color=GRID, linewidth=0.8, clip_on=False
        )
        axes.text(
            top + shift,
            1.055,
            layer["name"],
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=8.5,
            transform=axes.transAxes,
        )
    legend(
        chart.figure,
        [
            ("o", COLORS["unstride"], "Unstride, ncdhw"),
            ("D", COLORS["unstride_ndhwc"], "Unstride, ndhwc"),
            *([("x", FAINT, "fastest peer, any layout")] if summary.peers else []),
        ],
    )
    return chart.svg()


def limit_chart(summary):
    """The fraction of what the machine allows that each layer reaches, against its goal."""
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
    axes.set_xlabel(
        "compute-bound layers: of the peak, goal 80 %; the others: of what peak or bandwidth allows, goal 70 %"
    )
    legend(
        chart.figure, [("s", COLORS["unstride"], "ncdhw"), ("s", COLORS["unstride_ndhwc"], "ndhwc"), ("|", INK, "goal")]
    )
    return chart.svg()


Cell = collections.namedtuple("Cell", "row column value text tip marked", defaults=(False,))  # value: 0 to 1, or None


def heat_map(name, rows, columns, cells):
    """A grid of numbers with colors; a marked cell has a frame."""
    grid = np.full((len(rows), len(columns)), np.nan)
    for cell in cells:
        if cell.value is not None:
            grid[rows.index(cell.row), columns.index(cell.column)] = cell.value
    chart = Chart(name, min(WIDTH, 2.1 + 0.41 * len(columns)), 0.235 * len(rows) + 1.35)
    (axes,) = chart.axes
    axes.pcolormesh(np.ma.masked_invalid(grid), cmap="viridis", vmin=0, vmax=1, edgecolors=PAPER, linewidth=0.8)
    for cell in cells:
        x, y = columns.index(cell.column), rows.index(cell.row)
        color = INK if cell.value is None else "#ffffff" if cell.value < 0.62 else "#111111"
        text = axes.text(
            x + 0.5,
            y + 0.5,
            cell.text,
            ha="center",
            va="center",
            fontsize=7.5,
            color=color,
            fontweight="bold" if cell.value is not None and cell.value >= 1 else "normal",
        )
        chart.tip(text, cell.tip)
        if cell.marked:
            axes.plot(
                [x + 0.06, x + 0.94, x + 0.94, x + 0.06, x + 0.06],
                [y + 0.08, y + 0.08, y + 0.92, y + 0.92, y + 0.08],
                color=COLORS["planned"],
                linewidth=1.8,
            )
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=8.5)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=90, fontsize=8.5)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    return chart.svg()


def variant_chart(summary, layout):
    """Each variant's speed on each layer, as a fraction of the best one's."""
    rows = [v for v in summary.document["variants"] if v["layout"] == layout]
    names = sorted({v["variant"] for v in rows}, key=lambda n: (n.split("_")[-1], n.split("_")[1], n.split("_")[3], n))
    layers = list(summary.layers)
    best = {name: min((v["seconds"] for v in rows if v["layer"] == name), default=None) for name in layers}
    cells = []
    for v in rows:
        value = best[v["layer"]] / v["seconds"]
        cells.append(
            Cell(
                v["variant"].split("_", 1)[1],
                v["layer"],
                value,
                f"{100 * value:.0f}",
                f"{v['variant']} on {v['layer']}: {milliseconds(v['seconds'])}, {value:.0%} of the best speed"
                + (", the planner's choice" if v["planned"] else ""),
                v["planned"],
            )
        )
    return heat_map(f"variants-{layout}", [name.split("_", 1)[1] for name in names], layers, cells)


def schedule_chart(schedules, layout):
    """The speed of hand-written and of generated schedules on each layer, as a fraction of the planner's choice."""
    cells = []
    for layer in schedules.layers:
        planned = schedules.planned.get((layer, layout))
        if not planned:
            continue
        for row, what, seconds in schedules.hand_written(planned):
            value = planned["seconds"] / seconds
            cells.append(
                Cell(
                    row,
                    layer,
                    value,
                    f"{100 * value:.0f}",
                    f"{layer}, {layout}: {what}, {milliseconds(seconds)}, {value:.0%} of the planner's choice",
                    what == planned["variant"],
                )
            )
        for scheduler in schedules.timed_schedulers:
            best, tries = schedules.best(layer, layout, scheduler), schedules.tries(layer, layout, scheduler)
            if best:
                value = 1 / best["ratio"]
                cells.append(
                    Cell(
                        scheduler,
                        layer,
                        value,
                        f"{100 * value:.0f}",
                        f"{layer}, {layout}: {scheduler}, {best['setting']}, {milliseconds(best['seconds'])}, "
                        f"{factor(best['ratio'])} the time of the planner's choice",
                    )
                )
            elif tries:
                cells.append(
                    Cell(
                        scheduler,
                        layer,
                        None,
                        TIMES,
                        f"{layer}, {layout}: {scheduler}: "
                        + "; ".join(f"{r['status']}: {r['message']}" for r in tries),
                    )
                )
    rows = [row for row in [*schedules.families, *schedules.timed_schedulers] if any(cell.row == row for cell in cells)]
    return heat_map(f"schedules-{layout}", rows, list(schedules.layers), cells)


def memory_chart(summary):
    """Memory beyond input, weights and output during a forward."""
    layers = list(summary.layers.values())
    chart = Chart("memory", WIDTH, ROW * len(layers) + 1.3)
    (axes,) = chart.axes
    rows_of_layers(axes, layers)
    least = 1 / 64
    highest = 1.0
    for y, layer in enumerate(layers):
        sizes = {}
        for who in (*summary.peers, "unstride"):
            known = [
                (r["extra_bytes"], layout)
                for layout in BOTH
                if (r := summary.results.get((layer["name"], layout, who))) and r.get("extra_bytes") is not None
            ]
            if known:
                sizes[who] = min(known)
        if sizes:
            values = [max(size / 2**20, least) for size, _ in sizes.values()]
            axes.plot([min(values), max(values)], [y, y], color=FAINT, linewidth=1, alpha=0.6)
            highest = max(highest, *values)
        for who, (size, layout) in sizes.items():
            mark(
                chart,
                axes,
                max(size / 2**20, least),
                y,
                who,
                f"{layer['name']}: {summary.label(who)} takes {size / 2**20:.3g} MiB more, {layout}",
                **({"markersize": 8, "zorder": 4} if who == "unstride" else {}),
            )
    axes.set_xscale("log", base=4)
    axes.set_xlim(least / 1.5, highest * 1.5)
    axes.xaxis.set_major_locator(FixedLocator([4.0**i for i in range(-3, 8) if 4.0**i <= highest * 1.5]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g} MiB" if x >= 1 else f"{1024 * x:g} KiB"))
    axes.set_xlabel("memory during a forward beyond input, weights and output; the layout that takes less")
    legend(
        chart.figure,
        [
            (MARKERS["unstride"], COLORS["unstride"], "Unstride"),
            *((MARKERS[who], color_of(who), summary.label(who)) for who in summary.peers),
        ],
        ncols=4,
    )
    return chart.svg()
