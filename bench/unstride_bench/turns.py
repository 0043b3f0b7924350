"""A turn of calls for a row of the document, and what becomes of it."""

import math
import statistics

from unstride_bench.worker_process import WorkerError

OURS = ("unstride", "layer_kernels")  # the processes that are Unstride; all others are peers


def process_of(row):
    """The name of the process that has a row's layer. Other types than f32 have one of their own, as the elements of a
    layer that is loaded would be converted for each turn."""
    who = row.get("who", "unstride")  # rows of variants are ours
    return f"unstride_{row['dtype']}" if who == "unstride" and "dtype" in row else who


def name_to_force(variant):
    """The name that a worker is asked to run. Two variants that share a layer are only the planner's own choice."""
    return "" if "+" in variant else variant


def take_turn(worker_of, row, **turn):
    """The seconds of the calls of one turn, with what the request `time` has about it. A peer that fails has the error
    in its row from then on; raises WorkerError if Unstride fails."""
    request = {"layout": row["layout"]}
    if "dtype" in row:
        request["dtype"] = row["dtype"]
    if "operator" in row:
        request["operator"] = row["operator"]
    if "who" not in row:
        request["variant"] = name_to_force(row["variant"])
    try:
        return worker_of(process_of(row)).ask("time", **request, **turn)["samples"]
    except WorkerError as error:
        if process_of(row).startswith("unstride"):
            raise
        row["error"] = str(error)
        return []


def add_round(row, samples):
    """Adds a round to a row, from the seconds of the calls of its turn; none if it had no turn.

    Its time is the median of the rounds, each of which is the median of its calls.
    """
    rounds = row.setdefault("rounds", [])
    rounds.append(statistics.median(samples) if samples else None)
    if samples:
        row["seconds"] = statistics.median(seconds for seconds in rounds if seconds)
        row["fastest"] = min(row.get("fastest", math.inf), *samples)
        row["slowest"] = max(row.get("slowest", 0), *samples)
        row["samples"] = row.get("samples", 0) + len(samples)
