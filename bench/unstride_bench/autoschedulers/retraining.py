"""Trains the cost model of Adams2019 further on the samples of all searches, and compares it with itself before."""

import math
import pathlib
import struct
import subprocess

from unstride_bench.autoschedulers.experiment_setup import file_name
from unstride_bench.autoschedulers.schedulers import SCHEDULERS, setting
from unstride_bench.autoschedulers.search import dataset_folder, read_samples

# How a file of weights begins, and how many arrays it has: Halide's src/autoschedulers/adams2019/Weights.cpp.
SIGNATURE, BUFFERS = b"1fwh", 6


def builtin_weights(library):
    """The weights that an autoscheduler has built in. ValueError if there are none in its library."""
    data, start = pathlib.Path(library).read_bytes(), -1
    while (start := data.find(SIGNATURE, start + 1)) >= 0:
        end = start + 16
        if struct.unpack_from("<I", data, start + 12)[0] != BUFFERS:
            continue  # code that knows the signature
        for _ in range(BUFFERS):
            (dimensions,) = struct.unpack_from("<I", data, end)
            extents = struct.unpack_from(f"<{dimensions}I", data, end + 4)
            end += 4 + 4 * dimensions + 4 * math.prod(extents)
        return data[start:end]
    raise ValueError(f"{library} has no weights")


def retrain(comparison, layers):
    """Writes retrained.weights beside the samples, and adds to the document what it changed for the layers that were
    searched. Exits if there are no samples, or nothing is learned from them."""
    setup, arguments, build = comparison.setup, comparison.setup.arguments, comparison.setup.build
    (scheduler,) = (s for s in SCHEDULERS if s.name == "Adams2019")
    folder = dataset_folder(setup, scheduler.name).resolve()
    files = sorted(str(path) for path in folder.glob("*/*/*.sample"))
    if not files:
        raise SystemExit(f"experiments.py: there are no samples in {folder}; search makes some")
    weights, start = folder / "retrained.weights", folder / "builtin.weights"
    start.write_bytes(builtin_weights(pathlib.Path(build.plugins) / scheduler.library))
    print(f"training on {len(files)} samples", flush=True)
    options = {
        "epochs": arguments.epochs,
        "rates": "0.0001",
        "num_cores": arguments.threads,
        "initial_weights": start,
        "weights_out": weights,
        "best_benchmark": folder / "best.txt",
        "best_schedule": folder / "best.schedule.h",
    }
    command = [f"{build.programs}/adams2019_retrain_cost_model", *(f"--{k}={v}" for k, v in options.items())]
    done = subprocess.run(command, input="\n".join(files), text=True, capture_output=True)
    (folder / "training.txt").write_text(done.stdout + done.stderr)
    if done.returncode != 0 or not weights.exists():
        raise SystemExit(f"experiments.py: the training failed; {folder / 'training.txt'} has its words")
    if weights.read_bytes() == start.read_bytes():
        words = "nothing was learned; training needs at least 8 different schedules of a layer"
        raise SystemExit(f"experiments.py: {words}")
    comparison.document["retraining"] = []
    for searched in sorted({path.parents[1] for path in folder.glob("*/*/sample.json")}):
        samples = read_samples(searched)
        layer, layout = layers.get(samples[0]["layer"]), samples[0]["layout"]
        if layer is None:
            print(f"{searched.name}: its layer is not in {arguments.layers_file}", flush=True)
            continue
        both, found = {"before": start, "after": weights}, folder / "retrained" / searched.name
        row = compare_weights(setup, scheduler, layer, layout, found, both)
        timed = [s["ratio"] for s in samples if "ratio" in s]
        row.update(layer=layer.name, layout=layout, samples=len(timed), best_sample=min(timed, default=None))
        comparison.document["retraining"].append(row)
        comparison.save()
        words = [f"{when} {text(row.get(when))}" for when in ("before", "after", "best_sample")]
        print(f"{layer.name:13}{layout}  {', '.join(words)}", flush=True)


def text(ratio):
    """How many times, or a dash for None."""
    return f"{ratio:.2f}x" if ratio else "–"


def compare_weights(setup, scheduler, layer, layout, folder, weights):
    """Times of schedules found with each of some weights, over that of the planner's choice, by the name of the
    weights; where there is no schedule that works, NAME_message says why."""
    kernels, row = {}, {}
    for when, path in weights.items():
        name = file_name(layer.name, layout, when)
        made = setup.make(layer, layout, scheduler, setting(beam_size=1, weights_path=path), name, folder)
        if made["status"] == "ok":
            kernels[when] = (folder, name)
        else:
            row[f"{when}_message"] = f"{made['status']}: {made['message']}"
    medians = setup.measure(layer, layout, "cpu", list(kernels.values()))
    return {**row, **{when: medians[name] / medians[""] for when, (_, name) in kernels.items()}}
