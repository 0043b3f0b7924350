"""Times of all variants that may be fast on a layer, in short turns.

The least of a variant's calls counts: there are few, and what else a machine does only makes them longer.
"""

import time

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.planner.variant_times import Time
from unstride_bench.worker_process import WorkerError

ROUNDS = 2
SECONDS = 0.02  # of a turn, of two calls at least
MARGIN = 1.8  # a variant that is expected to take so many times as long as the fastest is not measured
LONGEST = 60  # seconds of a call that is waited for
PATIENCE = 1.35  # a variant that takes so many times as long as another one has no further calls


def expected(worker, layer, layout, variants):
    """What the planner expects of each variant that can run a layer, by name: the worker's answers."""
    answers = {}
    for name in variants:
        try:
            answers[name] = worker.ask("plan", layer=layer.text, layout=layout, variant=name)["plans"][0]
        except WorkerError:
            continue  # this variant does not take this layer
    return answers


def worth_measuring(answers, planned):
    """The names to measure: those that may be fast, and the planner's choice, which may be two variants."""
    least = min(answer["seconds"] for answer in answers.values())
    return {planned, *(name for name, answer in answers.items() if answer["seconds"] <= MARGIN * least)}


def measure_case(worker, layer, layout, variants):
    """The times of a layer in one layout. `variants` are the names of those of this layout that run here."""
    answers = expected(worker, layer, layout, variants)
    planned = worker.ask("plan", layer=layer.text, layout=layout)["plans"][0]
    answers[planned["variant"]] = planned
    worker.ask("load", layer=layer.text, layout=layout)
    names = sorted(worth_measuring(answers, planned["variant"]), key=lambda name: answers[name]["seconds"])
    samples = {name: [] for name in names}
    least, running = {}, names
    for turn in range(ROUNDS):
        for name in running:
            request = {"layout": layout, "variant": "" if "+" in name else name, "seconds": SECONDS, "least": 2}
            if turn == 0:
                worker.ask("time", **request, patience=0)  # a single call, which packs the weights
            best = min(least.values(), default=LONGEST)
            samples[name] += worker.ask("time", **request, patience=PATIENCE * best)["samples"]
            least[name] = min(samples[name])
        slow = PATIENCE * min(least.values())
        running = [name for name in names if least[name] <= slow or name == planned["variant"]]
    worker.ask("unload")
    return [Time(layer.name, layout, name, answers[name]["rows"], least[name]) for name in samples]


def measure(worker, layers, variants, measured, budget, save):
    """Adds to `measured` what it lacks of the layers, until `budget` seconds are spent; calls `save` after each.

    `variants` are the names of the variants that run here, by layout. Returns whether all is there.
    """
    end, there = time.monotonic() + budget, set(measured.cases())
    for layer in layers:
        for layout in LAYOUTS:
            if (layer.name, layout) in there:
                continue
            if time.monotonic() > end:
                return False
            found = measure_case(worker, layer, layout, variants[layout])
            measured.times += found
            save()
            best = min(found, key=lambda t: t.seconds)
            print(f"{layer.name:13} {layout}  {len(found):2} variants, {best.variant} is the fastest", flush=True)
    return True
