"""What autoschedulers are compared with: hand-written variants, and one compiled for the layer."""

import statistics
import tempfile

from unstride_bench.autoschedulers import candidates
from unstride_bench.autoschedulers.experiment_setup import code_figures, file_name
from unstride_bench.autoschedulers.generator import generate, hand_written_command
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.turns import name_to_force
from unstride_bench.worker_process import Worker, WorkerError

SCAN_SECONDS = 0.03  # for each variant, to find the best of its family
PATIENCE = 0.3  # seconds: of a variant that takes longer, one call has to do
# Only kernels that compute a layer directly may know it, as those of unstride_add_layer do.
FAMILIES_FOR_ONE_LAYER = [family.name for family in FAMILIES.values() if family.sums == "direct"]


def time_beside(setup, layer, layout, kernels):
    """Times in turns, in one process: the planner's choice, the best variant of each family, the best one compiled for
    the layer, and these kernels, which are (folder, name) pairs.

    Returns what `planned` of the document says of the hand-written ones, the layer's figures, and the median seconds of
    all by name. Raises WorkerError if Unstride's own output is wrong, and CandidateError if one of the kernels fails.
    """
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
        # The planner would choose the layer's own kernel now, in place of what it chose for all layers.
        choice = name_to_force(loaded["variant"])
        names = [choice, own_name, *sorted(others), *(name for _, name in kernels)]
        medians = candidates.take_turns(worker, layout, names, arguments.rounds, arguments.seconds)
    finally:
        worker.close()
    medians[""] = medians[loaded["variant"]] = medians[choice]
    own = {"variant": variant["name"], "seconds": medians[own_name], "kernel": own_name}
    own.update(folder=str(own_folder.relative_to(arguments.output)), **code_figures(own_folder / f"{own_name}.o"))
    planned = {
        "layer": layer.name,
        "layout": layout,
        "variant": loaded["variant"],
        "seconds": medians[""],
        "difference": difference,
        "families": {family: {"variant": name, "seconds": medians[name]} for family, (_, name) in families.items()},
        "own": own,
    }
    return planned, {name: loaded[name] for name in ("flops", "compulsory_bytes")}, medians


def best_of_families(setup, worker, layout):
    """(seconds, name) of the fastest hand-written variant of each family for the layer that a worker has loaded."""
    found = {}
    turn = {"layout": layout, "seconds": SCAN_SECONDS, "least": 1, "patience": PATIENCE}
    for variant in setup.variants:
        if variant["layout"] == layout and variant["target"] == setup.isa:
            try:
                samples = worker.ask("time", variant=variant["name"], **turn)["samples"]
                found.setdefault(variant["family"], []).append((statistics.median(samples), variant["name"]))
            except WorkerError:
                continue  # not for this layer
    return {family: min(times) for family, times in found.items()}


def compile_for_layer(setup, layer, layout, families):
    """Compiles the fastest variant that may know its layer for this one.

    Returns folder and name of the kernel, and the variant. Raises WorkerError if it does not compile.
    """
    _, best = min(families[family] for family in FAMILIES_FOR_ONE_LAYER if family in families)
    variant = next(v for v in setup.variants if v["name"] == best)
    name = file_name(layer.name, layout, "hand_written")
    folder = setup.arguments.output / file_name(layer.name, layout) / "hand_written"
    command = hand_written_command(setup.build, layer, layout, setup.isa, variant, name, folder)
    # The limit of time is for autoschedulers, so there is none here.
    made = generate(command, folder, name, float("inf"), setup.arguments.memory_limit)
    if made["status"] != "ok":
        raise WorkerError(f"{name}: {made['message']}")
    return folder, name, variant
