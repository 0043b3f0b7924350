"""From a schedule to a variant that runs: compiled, linked, checked, and timed in turns with Unstride's own."""

import itertools
import pathlib
import random
import statistics
import subprocess

import numpy as np

from unstride_bench.autoschedulers.generator import kernel_of
from unstride_bench.worker_process import Worker, WorkerError

TOLERANCE = 1e-4  # how far an output may be off, over the largest one
PATIENCE = 4  # a variant has no more turns once its calls took so many times the length of a turn


class CandidateError(WorkerError):
    """A candidate that ran when it was checked, and failed when it was timed."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


def link(folder, name):
    """Makes a library of a compiled kernel; its path."""
    library = pathlib.Path(folder) / f"{name}.so"
    subprocess.run(["c++", "-shared", "-o", str(library), f"{folder}/{name}.o"], check=True)
    return library.resolve()


def add(worker, layer, layout, target, folder, name, hand_written=None):
    """Makes a compiled kernel one of a worker's variants; one from a hand-written variant is of its family and tile."""
    kernel = kernel_of(layer)
    if hand_written:
        kernel = {key: hand_written[key] for key in kernel}
    place = {"layer": layer.text, "layout": layout, "isa": target}
    library = str(link(folder, name))
    worker.ask("add", library=library, name=name, **place, autoscheduled=not hand_written, **kernel)


def check(worker, layout, name):
    """What is wrong with a variant's output, or None. Raises WorkerError if it does not run."""
    difference = worker.ask("check", layout=layout, variant=name)["difference"]
    if difference is None:
        return "some of the output is not a number, or was not written"
    return f"the output differs by {difference:.1e} of its largest value" if difference > TOLERANCE else None


def measure(command, layer, layout, target, kernels, rounds, seconds, device="cpu"):
    """Median seconds of the planner's choice, "", and of compiled kernels, a list of (folder, name), by name.

    They take turns in one process. Raises CandidateError for one that fails, WorkerError if the layer cannot be loaded.
    """
    worker = Worker(command)
    try:
        worker.ask("load", layer=layer.text, layout=layout, device=device)
        for folder, name in kernels:
            add(worker, layer, layout, target, folder, name)
        return take_turns(worker, layout, ["", *(name for _, name in kernels)], rounds, seconds)
    finally:
        worker.close()


def verify(command, layer, layout, target, folder, name, device="cpu", timeout=120):
    """Checks a compiled kernel in a process of its own: a status (ok, wrong, fails or too slow) and a message."""
    worker = Worker(command, timeout=timeout)
    try:
        worker.ask("load", layer=layer.text, layout=layout, device=device)
        add(worker, layer, layout, target, folder, name)
        wrong = check(worker, layout, name)
        return ("wrong", wrong) if wrong else ("ok", "")
    except WorkerError as error:
        return ("too slow" if "no answer" in str(error) else "fails"), str(error)[:300]
    finally:
        worker.close()


def sampled_difference(layer, folder, samples=64):
    """The largest difference of saved outputs from the definition of a transposed convolution, at some places, over the
    largest of these outputs. The definition is computed in double precision."""
    x, w, b, y = (
        np.load(pathlib.Path(folder) / f"{name}.npy", mmap_mode="r") for name in ("input", "weight", "bias", "output")
    )
    inputs, outputs = x.shape[1] // layer.groups, y.shape[1] // layer.groups
    picked = random.Random(1)
    difference = largest = 0.0
    for _ in range(samples):
        n, o, *place = (picked.randrange(size) for size in y.shape)
        channels = slice(o // outputs * inputs, (o // outputs + 1) * inputs)
        total = float(b[o])
        for taps in itertools.product(*map(range, layer.kernel_size)):
            geometry = zip(place, layer.padding, taps, layer.dilation, layer.stride, strict=True)
            at = [divmod(p + pad - k * d, s) for p, pad, k, d, s in geometry]
            if all(rest == 0 and 0 <= i < size for (i, rest), size in zip(at, x.shape[2:], strict=True)):
                values = x[(n, channels, *(i for i, _ in at))].astype(np.float64)
                total += float(values @ w[(channels, o % outputs, *taps)].astype(np.float64))
        difference = max(difference, abs(total - float(y[(n, o, *place)])))
        largest = max(largest, abs(total))
    return difference / largest


def take_turns(worker, layout, names, rounds, seconds):
    """Median seconds of each variant, in turns; "" is the planner's choice. Those that take long have fewer turns.

    Raises CandidateError for one that fails.
    """
    samples, patience = {name: [] for name in names}, PATIENCE * seconds
    turn = {"layout": layout, "seconds": seconds, "least": 1, "patience": patience}
    for _ in range(rounds):
        for name in names:
            if sum(samples[name]) > patience:
                continue
            try:
                samples[name] += worker.ask("time", variant=name, **turn)["samples"]
            except WorkerError as error:
                raise CandidateError(name, str(error)) from None
    return {name: statistics.median(times) for name, times in samples.items()}


def add_times(records, medians):
    """Adds what take_turns found to the records of kernels: seconds, and the ratio to those of the planner's choice."""
    for r in records:
        r["seconds"] = medians[r["kernel"]]
        r["ratio"] = medians[r["kernel"]] / medians[""]
