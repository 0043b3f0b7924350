"""The comparison: for each layer and layout every autoscheduler's schedules, beside the hand-written ones, as JSON."""

import concurrent.futures
import json
import sys

from unstride_bench.autoschedulers.candidates import CandidateError, add_times
from unstride_bench.autoschedulers.experiment_setup import file_name, jobs
from unstride_bench.autoschedulers.generator import generator_hash
from unstride_bench.autoschedulers.hand_written import time_beside
from unstride_bench.json_files import save_json
from unstride_bench.worker_process import Worker


class Comparison:
    """Compares layer by layer, and keeps what it found in `document`; bench/README.md describes its keys."""

    def __init__(self, setup, fresh=False):
        self.setup, self.output = setup, setup.arguments.output
        self.path = self.output / "experiments.json"
        self.document = self.begin(fresh)

    def begin(self, fresh):
        """The document with what was found before, unless `fresh`; exits if that was found with other settings."""
        settings = {"threads": self.setup.arguments.threads, "isa": self.setup.isa}
        settings["generator"] = generator_hash(self.setup.build)
        if self.path.exists() and not fresh:
            found = json.loads(self.path.read_text())
            if found["settings"] != settings:
                before = f"{self.path} was made with other settings ({found['settings']})"
                sys.exit(f"experiments.py: {before}; compare --fresh begins anew")
            return found
        worker = Worker(self.setup.worker_command)
        machine = worker.ask("machine")
        worker.close()
        parts = {part: [] for part in ("layers", "planned", "schedules", "retraining")}
        return {"schema": 1, "settings": settings, "machine": machine, **parts}

    def save(self):
        """Writes the document as it is now."""
        save_json(self.document, self.path)

    def compare(self, layer, layout, schedulers, thorough=False):
        """Adds to the document what it lacks of a layer and layout; `thorough` has settings that seldom end well."""
        there = {(r["scheduler"], r["setting"]) for r in self.records(layer, layout)}
        missing = [
            (scheduler, each)
            for scheduler in schedulers
            for each in scheduler.settings
            if (scheduler.name, each.label) not in there and (thorough or not each.thorough)
        ]
        with jobs(self.setup.arguments.jobs) as pool:
            futures = [pool.submit(self.try_setting, layer, layout, scheduler, each) for scheduler, each in missing]
            for future in concurrent.futures.as_completed(futures):
                self.document["schedules"].append(future.result())
                self.save()
        if not self.planned(layer, layout) or self.untimed(layer, layout, "cpu"):
            self.in_spite_of_failures(self.time, layer, layout)
        if self.setup.timed_gpu and self.untimed(layer, layout, "gpu"):
            self.in_spite_of_failures(self.time_on_gpu, layer, layout)
        self.print_result(layer, layout)

    def try_setting(self, layer, layout, scheduler, each):
        """The record of one schedule, which is made and checked, but not timed."""
        name = file_name(layer.name, layout, scheduler.name, each.label)
        folder = self.output / file_name(layer.name, layout) / file_name(scheduler.name, each.label)
        what = {"layer": layer.name, "layout": layout, "device": scheduler.device, "scheduler": scheduler.name}
        files = {"kernel": name, "folder": str(folder.relative_to(self.output))}
        made = self.setup.make(layer, layout, scheduler, each, name, folder)
        return {**what, "setting": each.label, **files, **made}

    def records(self, layer, layout):
        """The records of all schedules for a layer and layout."""
        return [r for r in self.document["schedules"] if (r["layer"], r["layout"]) == (layer.name, layout)]

    def good(self, layer, layout, device):
        """The records of those that work on a device."""
        return [r for r in self.records(layer, layout) if r["status"] == "ok" and r["device"] == device]

    def untimed(self, layer, layout, device):
        """Whether some that work on a device have no time yet."""
        return any("seconds" not in r for r in self.good(layer, layout, device))

    def planned(self, layer, layout):
        """What the document says of the hand-written variants, or None if they were not timed yet."""
        return next((r for r in self.document["planned"] if (r["layer"], r["layout"]) == (layer.name, layout)), None)

    def in_spite_of_failures(self, time, layer, layout):
        """Takes times; a schedule that fails only then is a failure, and all others are timed again."""
        while True:
            try:
                time(layer, layout)
                self.save()
                return
            except CandidateError as error:
                failed = [r for r in self.records(layer, layout) if r["kernel"] == error.name]
                if not failed:
                    raise
                failed[0].update(status="fails", message=str(error))

    def time(self, layer, layout):
        """Times what works on the CPU, and the hand-written variants beside it."""
        good = self.good(layer, layout, "cpu")
        kernels = [(self.output / r["folder"], r["kernel"]) for r in good]
        planned, figures, medians = time_beside(self.setup, layer, layout, kernels)
        add_times(good, medians)
        before = self.planned(layer, layout)
        if before:
            self.document["planned"].remove(before)
            planned.update({"gpu": before["gpu"]} if "gpu" in before else {})
        self.document["planned"].append(planned)
        if all(each["name"] != layer.name for each in self.document["layers"]):
            facts = {name: getattr(layer, name) for name in ("name", "summary", "source", "text")}
            self.document["layers"].append({**facts, **figures})

    def time_on_gpu(self, layer, layout):
        """Times what works on a GPU, and the planner's choice beside it."""
        good, device = self.good(layer, layout, "gpu"), self.setup.timed_gpu
        kernels = [(self.setup.folder_on_gpu(self.output / r["folder"]), r["kernel"]) for r in good]
        medians = self.setup.measure(layer, layout, device, kernels)
        add_times(good, medians)
        self.planned(layer, layout)["gpu"] = {"device": device, "seconds": medians[""]}

    def print_result(self, layer, layout):
        """A line about a layer: the planner's time, and how many times as long each autoscheduler's best takes."""
        planned, best, failed = self.planned(layer, layout), {}, set()
        for r in self.records(layer, layout):
            if "ratio" in r:
                best[r["scheduler"]] = min(r["ratio"], best.get(r["scheduler"], r["ratio"]))
            elif r["status"] == "ok":
                best.setdefault(r["scheduler"], 0)
            else:
                failed.add(r["scheduler"])
        words = [f"{name} {ratio:.2f}x" if ratio else f"{name} runs" for name, ratio in best.items()]
        words += [f"{name} failed" for name in sorted(failed - set(best))]
        ours = f"{1e3 * planned['seconds']:9.3f} ms {planned['variant']}"
        print(f"{layer.name:13}{layout}  {ours}:  {', '.join(words)}", flush=True)
