"""The charts that are grids of numbers with colors: variants, and schedules, on each layer."""

import dataclasses

import numpy as np

from unstride_bench.report.number_texts import TIMES, factor, milliseconds
from unstride_bench.report.svg_chart import COLORS, INK, PAPER, WIDTH, Chart


@dataclasses.dataclass(frozen=True)
class Cell:
    """A number in the grid."""

    row: str
    column: str
    value: float  # from 0 to 1, which gives the color; None where there is none
    text: str
    tip: str  # shows under the mouse
    marked: bool = False  # with a frame


def heat_map(name, rows, columns, cells):
    """A grid of cells as SVG; `rows` and `columns` are their names, in order."""
    grid = np.full((len(rows), len(columns)), np.nan)
    for cell in cells:
        if cell.value is not None:
            grid[rows.index(cell.row), columns.index(cell.column)] = cell.value
    chart = Chart(name, min(WIDTH, 2.1 + 0.41 * len(columns)), 0.235 * len(rows) + 1.35)
    (axes,) = chart.axes
    axes.pcolormesh(np.ma.masked_invalid(grid), cmap="viridis", vmin=0, vmax=1, edgecolors=PAPER, linewidth=0.8)
    for cell in cells:
        x, y = columns.index(cell.column), rows.index(cell.row)
        chart.tip(axes.text(x + 0.5, y + 0.5, cell.text, ha="center", va="center", **text_style(cell.value)), cell.tip)
        if cell.marked:
            left, right, top, bottom = x + 0.06, x + 0.94, y + 0.08, y + 0.92
            frame = [left, right, right, left, left], [top, top, bottom, bottom, top]
            axes.plot(*frame, color=COLORS["planned"], linewidth=1.8)
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=8.5)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=90, fontsize=8.5)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    return chart.svg()


def text_style(value):
    """How a cell's text is written, so that it can be read on the cell's color."""
    if value is None:
        return {"fontsize": 7.5, "color": INK, "fontweight": "normal"}
    color = "#ffffff" if value < 0.62 else "#111111"
    return {"fontsize": 7.5, "color": color, "fontweight": "bold" if value >= 1 else "normal"}


def variant_order(name):
    """Sorts names such as ncdhw_columns_12x32_s1_avx2 by instruction set, family and stride, in this order."""
    words = name.split("_")
    return words[-1], words[1], words[3], name


def variant_chart(summary, layout):
    """Each variant's speed on each layer, as a fraction of the best one's, as SVG."""
    rows = [v for v in summary.document["variants"] if v["layout"] == layout]
    names = sorted({v["variant"] for v in rows}, key=variant_order)
    layers = list(summary.layers)
    best = {name: min((v["seconds"] for v in rows if v["layer"] == name), default=None) for name in layers}
    cells = []
    for v in rows:
        value = best[v["layer"]] / v["seconds"]
        tip = f"{v['variant']} on {v['layer']}: {milliseconds(v['seconds'])}, {value:.0%} of the best speed"
        tip += ", the planner's choice" if v["planned"] else ""
        short = v["variant"].split("_", 1)[1]
        cells.append(Cell(short, v["layer"], value, f"{100 * value:.0f}", tip, v["planned"]))
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
            tip = f"{layer}, {layout}: {what}, {milliseconds(seconds)}, {value:.0%} of the planner's choice"
            cells.append(Cell(row, layer, value, f"{100 * value:.0f}", tip, what == planned["variant"]))
        for scheduler in schedules.timed_schedulers:
            cells += scheduler_cell(schedules, layer, layout, scheduler)
    shown = {cell.row for cell in cells}
    rows = [row for row in [*schedules.families, *schedules.timed_schedulers] if row in shown]
    return heat_map(f"schedules-{layout}", rows, list(schedules.layers), cells)


def scheduler_cell(schedules, layer, layout, scheduler):
    """The cell of an autoscheduler for a layer, in a list, which is empty if it was not tried."""
    best, tries = schedules.best(layer, layout, scheduler), schedules.tries(layer, layout, scheduler)
    start = f"{layer}, {layout}: {scheduler}"
    if best:
        times = f"{milliseconds(best['seconds'])}, {factor(best['ratio'])} the time of the planner's choice"
        value = 1 / best["ratio"]
        return [Cell(scheduler, layer, value, f"{100 * value:.0f}", f"{start}, {best['setting']}, {times}")]
    if tries:
        failures = "; ".join(f"{r['status']}: {r['message']}" for r in tries)
        return [Cell(scheduler, layer, None, TIMES, f"{start}: {failures}")]
    return []
