"""Autotuning: many random schedules of one autoscheduler for a layer, each compiled, checked, timed and kept, as a dataset."""

import json
import subprocess
import zlib

from tqdm import tqdm

from .candidates import CandidateError, add_times
from .schedulers import SCHEDULERS, setting
from .setup import file_name, jobs


def dataset_folder(setup, scheduler):
    return setup.arguments.output / "search" / scheduler


def sample_setting(number, dropout):
    """Sample 0 is what the cost model likes best; in the others chance drops choices, with the sample's number as its seed."""
    random = {"random_dropout": dropout, "random_dropout_seed": number} if number else {}
    return setting(beam_size=1, **random)


def search(setup, layer):
    """Completes the dataset of a layer, layout and autoscheduler; prints the best that it found."""
    arguments = setup.arguments
    (scheduler,) = (s for s in SCHEDULERS if s.name == arguments.scheduler)
    folder = dataset_folder(setup, scheduler.name) / file_name(layer.name, arguments.layout)
    missing = [i for i in range(arguments.samples) if not (folder / f"{i:05}" / "sample.json").exists()]
    with (
        tqdm(
            total=arguments.samples,
            initial=arguments.samples - len(missing),
            desc=f"{layer.name} {arguments.layout}",
            unit="sample",
        ) as bar,
        jobs(arguments.jobs) as pool,
    ):
        for start in range(
            0, len(missing), 4 * arguments.jobs
        ):  # schedules are made several at a time, and timed alone
            numbers = missing[start : start + 4 * arguments.jobs]
            made = pool.map(lambda i: make_sample(setup, layer, scheduler, folder / f"{i:05}", i), numbers)
            for number, record in zip(numbers, list(made)):
                device = "cpu" if scheduler.device == "cpu" else setup.timed_gpu
                if record["status"] == "ok" and device:
                    time_sample(setup, layer, device, folder / f"{number:05}", record)
                (folder / f"{number:05}" / "sample.json").write_text(json.dumps(record, indent=1) + "\n")
                bar.update()
    samples = read_samples(folder)
    timed = [s for s in samples if "ratio" in s]
    best = min(timed, key=lambda s: s["ratio"], default=None)
    print(
        f"{len(samples)} samples, {len(timed)} with a time"
        + (f"; number {best['number']} is best, {best['ratio']:.2f}x the time of the planner's choice" if best else "")
    )


def make_sample(setup, layer, scheduler, folder, number):
    layout, each = setup.arguments.layout, sample_setting(number, setup.arguments.dropout)
    name = file_name(layer.name, layout, scheduler.name, str(number))
    record = {
        "layer": layer.name,
        "layout": layout,
        "scheduler": scheduler.name,
        "number": number,
        "setting": each.label,
        "kernel": name,
        **setup.make(layer, layout, scheduler, each, name, folder),
    }
    (folder / f"{name}.stmt.html").unlink(missing_ok=True)  # a megabyte each
    return record


def time_sample(setup, layer, device, folder, record):
    """Adds the time, and makes the file that retrain_cost_model takes."""
    layout, name = setup.arguments.layout, record["kernel"]
    try:
        medians = setup.measure(
            layer, layout, device, [(folder if device == "cpu" else setup.folder_on_gpu(folder), name)]
        )
    except CandidateError as error:
        record.update(status="fails", message=str(error))
        return
    add_times([record], medians)
    pipeline = zlib.crc32(f"{layer.text}{layout}".encode()) & 0x7FFFFFFF
    subprocess.run(
        [
            f"{setup.build.programs}/featurization_to_sample",
            str(folder / f"{name}.featurization"),
            repr(medians[name]),
            str(pipeline),
            str(record["number"]),
            str(folder / f"{name}.sample"),
        ],
        check=True,
    )


def read_samples(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/sample.json"))]
