"""What autoschedulers are compared with: hand-written variants, and one compiled for the layer."""

import statistics
import tempfile

from workers import Worker, WorkerError

from . import candidates
from .generator import generate, hand_written_command
from .setup import code_figures, file_name

SCAN_SECONDS = 0.03  # for each variant, to find the best of its family
PATIENCE = 0.3  # with one that takes longer, of which one call has to do
DIRECT = ("columns", "channels", "depthwise")  # families whose kernels may know their layer


def time_beside(setup, layer, layout, kernels):
    """In turns, in one process: the planner's choice, the best variant of each family, the best one compiled for the layer, and these kernels,
    (folder, name) pairs. Returns what `planned` of the document says of the hand-written ones, the layer's figures, and the kernels' median seconds."""
    worker, arguments = Worker(setup.worker_command), setup.arguments
    try:
        with tempfile.TemporaryDirectory(prefix="unstride-experiments-") as folder:
            loaded = worker.ask("load", layer=layer.text, layout=layout, save=folder)
            difference = candidates.sampled_difference(layer, folder)
        if not difference < candidates.TOLERANCE:
            raise WorkerError(f"{layer.name}: Unstride's own output differs by {difference:.1e} from the reference")
        for kernel in kernels:
            candidates.add(worker, layer, layout, setup.isa, *kernel)
        families = best_of_families(setup, worker, layout)
        own_folder, own_name, variant = compile_for_layer(setup, layer, layout, families)
        candidates.add(worker, layer, layout, setup.isa, own_folder, own_name, hand_written=variant)
        others = {name for _, name in families.values()} - {loaded["variant"]}
        medians = candidates.take_turns(
            worker,
            layout,
            ["", own_name, *sorted(others), *(name for _, name in kernels)],
            arguments.rounds,
            arguments.seconds,
        )
    finally:
        worker.close()
    medians.setdefault(loaded["variant"], medians[""])
    planned = {
        "layer": layer.name,
        "layout": layout,
        "variant": loaded["variant"],
        "seconds": medians[""],
        "difference": difference,
        "families": {family: {"variant": name, "seconds": medians[name]} for family, (_, name) in families.items()},
        "own": {
            "variant": variant["name"],
            "seconds": medians[own_name],
            "kernel": own_name,
            "folder": str(own_folder.relative_to(arguments.output)),
            **code_figures(own_folder / f"{own_name}.o"),
        },
    }
    return planned, {name: loaded[name] for name in ("flops", "compulsory_bytes")}, medians


def best_of_families(setup, worker, layout):
    """(seconds, name) of the fastest hand-written variant of each family for the layer that a worker has loaded."""
    found = {}
    for variant in setup.variants:
        if variant["layout"] == layout and variant["target"] == setup.isa:
            try:
                samples = worker.ask(
                    "time", layout=layout, variant=variant["name"], seconds=SCAN_SECONDS, least=1, patience=PATIENCE
                )["samples"]
                found.setdefault(variant["family"], []).append((statistics.median(samples), variant["name"]))
            except WorkerError:
                continue  # not for this layer
    return {family: min(times) for family, times in found.items()}


def compile_for_layer(setup, layer, layout, families):
    """Compiles the fastest variant that computes the layer directly for this layer: folder and name of the kernel, and the variant."""
    _, best = min(families[family] for family in DIRECT if family in families)
    variant = next(v for v in setup.variants if v["name"] == best)
    name, folder = (
        file_name(layer.name, layout, "hand_written"),
        setup.arguments.output / file_name(layer.name, layout) / "hand_written",
    )
    command = hand_written_command(setup.build, layer, layout, setup.isa, variant, name, folder)
    # The limit of time is for autoschedulers.
    made = generate(command, folder, name, float("inf"), setup.arguments.memory_limit)
    if made["status"] != "ok":
        raise WorkerError(f"{name}: {made['message']}")
    return folder, name, variant
