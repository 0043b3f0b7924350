"""Times of all variants on a layer: each shortly, then in turns those that may be the fastest."""

import statistics

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.turns import add_round, take_turn
from unstride_bench.worker_process import WorkerError

SCAN_SECONDS = 0.03  # for each variant, but not more than a turn has
FINAL_MARGIN = 1.15  # what takes at most so many times as long as the fastest is measured again, at length


def scan_variants(worker_of, layer, candidates, planned, rounds, seconds):
    """The rows of `variants` in the document for a layer that Unstride's process has loaded.

    `candidates` are (layout, name) pairs; those that do not take the layer have no row. `planned` has the planner's
    choice by layout. The finalists have as many turns of so many seconds as there are rounds.
    """
    pairs = [(layout, name) for layout, name in planned.items() if "+" in name]
    rows = scan_shortly(worker_of, layer, [*candidates, *pairs], min(SCAN_SECONDS, seconds))
    finalists = choose_finalists(rows, planned)
    for _ in range(rounds):
        for row in finalists:
            add_round(row, take_turn(worker_of, row, seconds=seconds, least=3))
    for row in rows:
        row["planned"] = row["variant"] == planned.get(row["layout"])
        row["final"] = "rounds" in row
    return rows


def scan_shortly(worker_of, layer, candidates, seconds):
    """A row with a first estimate of the time for each candidate that takes the layer."""
    rows = []
    for layout, name in candidates:
        row = {"layer": layer.name, "layout": layout, "variant": name}
        try:
            samples = take_turn(worker_of, row, seconds=seconds, least=1)
        except WorkerError:
            continue  # this variant does not take this layer
        rows.append({**row, "seconds": statistics.median(samples)})
    return rows


def choose_finalists(rows, planned):
    """The rows of the fastest variants of each layout, and of the planner's choice."""
    best = {layout: min((r["seconds"] for r in rows if r["layout"] == layout), default=0) for layout in LAYOUTS}
    return [
        row
        for row in rows
        if row["seconds"] < FINAL_MARGIN * best[row["layout"]] or row["variant"] == planned.get(row["layout"])
    ]
