"""The comparison: for each layer and layout every autoscheduler's schedules, beside the hand-written ones, in one JSON document."""

import concurrent.futures
import hashlib
import json
import pathlib
import sys

from workers import Worker, save_json

from .candidates import CandidateError, add_times
from .hand_written import time_beside
from .setup import file_name, jobs


class Comparison:
    def __init__(self, setup, fresh=False):
        self.setup, self.output = setup, setup.arguments.output
        self.path = self.output / "experiments.json"
        self.document = self.begin(fresh)

    def begin(self, fresh):
        """What was found before, unless it was found otherwise."""
        made_by = hashlib.sha256(pathlib.Path(self.setup.build.generator).read_bytes()).hexdigest()[:16]
        settings = {"threads": self.setup.arguments.threads, "isa": self.setup.isa, "generator": made_by}
        if self.path.exists() and not fresh:
            found = json.loads(self.path.read_text())
            if found["settings"] != settings:
                sys.exit(
                    f"experiments.py: {self.path} was made with other settings ({found['settings']}); compare --fresh begins anew"
                )
            return found
        worker = Worker(self.setup.worker_command)
        machine = worker.ask("machine")
        worker.close()
        return {
            "schema": 1,
            "settings": settings,
            "machine": machine,
            "layers": [],
            "planned": [],
            "schedules": [],
            "retraining": [],
        }

    def save(self):
        save_json(self.document, self.path)

    def compare(self, layer, layout, schedulers, thorough=False):
        """Adds to the document what it lacks of a layer and layout."""
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
        name = file_name(layer.name, layout, scheduler.name, each.label)
        folder = self.output / file_name(layer.name, layout) / file_name(scheduler.name, each.label)
        return {
            "layer": layer.name,
            "layout": layout,
            "device": scheduler.device,
            "scheduler": scheduler.name,
            "setting": each.label,
            "kernel": name,
            "folder": str(folder.relative_to(self.output)),
            **self.setup.make(layer, layout, scheduler, each, name, folder),
        }

    def records(self, layer, layout):
        return [r for r in self.document["schedules"] if (r["layer"], r["layout"]) == (layer.name, layout)]

    def good(self, layer, layout, device):
        return [r for r in self.records(layer, layout) if r["status"] == "ok" and r["device"] == device]

    def untimed(self, layer, layout, device):
        return any("seconds" not in r for r in self.good(layer, layout, device))

    def planned(self, layer, layout):
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
        good = self.good(layer, layout, "cpu")
        planned, figures, medians = time_beside(
            self.setup, layer, layout, [(self.output / r["folder"], r["kernel"]) for r in good]
        )
        add_times(good, medians)
        before = self.planned(layer, layout)
        if before:
            self.document["planned"].remove(before)
            planned.update({"gpu": before["gpu"]} if "gpu" in before else {})
        self.document["planned"].append(planned)
        if all(each["name"] != layer.name for each in self.document["layers"]):
            self.document["layers"].append(
                {"name": layer.name, "summary": layer.summary, "source": layer.source, "text": layer.text, **figures}
            )

    def time_on_gpu(self, layer, layout):
        good, device = self.good(layer, layout, "gpu"), self.setup.timed_gpu
        medians = self.setup.measure(
            layer, layout, device, [(self.setup.folder_on_gpu(self.output / r["folder"]), r["kernel"]) for r in good]
        )
        add_times(good, medians)
        self.planned(layer, layout)["gpu"] = {"device": device, "seconds": medians[""]}

    def print_result(self, layer, layout):
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
        print(
            f"{layer.name:13}{layout}  {1e3 * planned['seconds']:9.3f} ms {planned['variant']}:  {', '.join(words)}",
            flush=True,
        )
