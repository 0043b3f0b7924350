"""Autotuning: many random schedules of one autoscheduler for a layer, each compiled, checked, timed and kept."""

import json
import subprocess
import zlib

from tqdm import tqdm

from unstride_bench.autoschedulers.candidates import CandidateError, add_times
from unstride_bench.autoschedulers.experiment_setup import file_name, jobs
from unstride_bench.autoschedulers.schedulers import SCHEDULERS, setting


def dataset_folder(setup, scheduler):
    """Where all samples of an autoscheduler are, in a folder for each layer and layout."""
    return setup.arguments.output / "search" / scheduler


def sample_setting(number, dropout):
    """The setting of a sample. Number 0 is what the cost model likes best; in the others chance drops choices, with the
    number as its seed, and `dropout` as the chance in percent to take the best of all choices."""
    random = {"random_dropout": dropout, "random_dropout_seed": number} if number else {}
    return setting(beam_size=1, **random)


def search(setup, layer):
    """Completes the dataset of a layer, layout and autoscheduler; prints the best that it found."""
    arguments = setup.arguments
    (scheduler,) = (s for s in SCHEDULERS if s.name == arguments.scheduler)
    folder = dataset_folder(setup, scheduler.name) / file_name(layer.name, arguments.layout)
    missing = [i for i in range(arguments.samples) if not (folder / f"{i:05}" / "sample.json").exists()]
    device = "cpu" if scheduler.device == "cpu" else setup.timed_gpu
    words, there = f"{layer.name} {arguments.layout}", arguments.samples - len(missing)
    bar = tqdm(total=arguments.samples, initial=there, desc=words, unit="sample")
    with bar, jobs(arguments.jobs) as pool:
        at_once = 4 * arguments.jobs  # schedules are made several at a time, and then timed alone
        for start in range(0, len(missing), at_once):
            numbers = missing[start : start + at_once]
            made = list(pool.map(lambda i: make_sample(setup, layer, scheduler, folder / f"{i:05}", i), numbers))
            for number, record in zip(numbers, made, strict=True):
                if record["status"] == "ok" and device:
                    time_sample(setup, layer, device, folder / f"{number:05}", record)
                (folder / f"{number:05}" / "sample.json").write_text(json.dumps(record, indent=1) + "\n")
                bar.update()
    samples = read_samples(folder)
    timed = [s for s in samples if "ratio" in s]
    best = min(timed, key=lambda s: s["ratio"], default=None)
    line = f"{len(samples)} samples, {len(timed)} with a time"
    if best:
        line += f"; number {best['number']} is best, {best['ratio']:.2f}x the time of the planner's choice"
    print(line)


def make_sample(setup, layer, scheduler, folder, number):
    """The record of a sample, which is made and checked, but not timed."""
    layout, each = setup.arguments.layout, sample_setting(number, setup.arguments.dropout)
    name = file_name(layer.name, layout, scheduler.name, str(number))
    what = {"layer": layer.name, "layout": layout, "scheduler": scheduler.name, "number": number}
    made = setup.make(layer, layout, scheduler, each, name, folder)
    (folder / f"{name}.stmt.html").unlink(missing_ok=True)  # a megabyte each
    return {**what, "setting": each.label, "kernel": name, **made}


def time_sample(setup, layer, device, folder, record):
    """Adds the time, and makes the file that retrain_cost_model takes."""
    layout, name = setup.arguments.layout, record["kernel"]
    place = folder if device == "cpu" else setup.folder_on_gpu(folder)
    try:
        medians = setup.measure(layer, layout, device, [(place, name)])
    except CandidateError as error:
        record.update(status="fails", message=str(error))
        return
    add_times([record], medians)
    pipeline = zlib.crc32(f"{layer.text}{layout}".encode()) & 0x7FFFFFFF
    program = f"{setup.build.programs}/featurization_to_sample"
    features, sample = str(folder / f"{name}.featurization"), str(folder / f"{name}.sample")
    seconds = repr(medians[name])
    subprocess.run([program, features, seconds, str(pipeline), str(record["number"]), sample], check=True)


def read_samples(folder):
    """The records of the samples of a layer and layout."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/sample.json"))]
