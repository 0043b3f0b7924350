"""What follows from the numbers of bench/experiments.py: how far autoschedulers are from hand-written schedules."""

import collections
import re
import statistics

from autoschedulers.schedulers import issue_of

from .summary import geometric_mean

HAND_WRITTEN = {
    "channels": "channels",
    "columns": "columns",
    "depthwise": "depthwise",
    "winograd": "winograd",
    "taps": "taps",
    "own": "hand-written, for the layer",
}

# Of a scheduler, over layers and layouts: how many it tried, how many have a schedule that works, and of the best of these their time over that of
# the planner's choice (mean, least, most), and over that of a hand-written kernel that knows the layer, too.
Row = collections.namedtuple(
    "Row", "scheduler device tried works mean least most own_mean seconds peak_bytes code_bytes moves registers spills"
)
Failure = collections.namedtuple("Failure", "scheduler setting status message count issue")


def median(values):
    values = list(values)
    return statistics.median(values) if values else None


class Schedules:
    def __init__(self, document):
        self.document = document
        self.machine = document["machine"]
        self.planned = {(r["layer"], r["layout"]): r for r in document["planned"]}
        self.layers = {layer["name"]: layer for layer in document["layers"]}
        self.records = collections.defaultdict(list)
        for r in document["schedules"]:
            self.records[r["layer"], r["layout"], r["scheduler"]].append(r)
        self.devices = {r["scheduler"]: r["device"] for r in sorted(document["schedules"], key=lambda r: r["device"])}
        timed = {r["scheduler"] for r in document["schedules"] if "ratio" in r}
        self.timed_schedulers = [name for name, device in self.devices.items() if device == "cpu" or name in timed]
        self.families = list(HAND_WRITTEN.values())

    def tries(self, layer, layout, scheduler):
        return self.records.get((layer, layout, scheduler), [])

    def best(self, layer, layout, scheduler):
        """The fastest schedule that works, or None."""
        return min(
            (r for r in self.tries(layer, layout, scheduler) if "ratio" in r), key=lambda r: r["ratio"], default=None
        )

    def hand_written(self, planned):
        """(row of the chart, variant, seconds) of what was written by hand."""
        rows = [(HAND_WRITTEN[family], r["variant"], r["seconds"]) for family, r in planned["families"].items()]
        return rows + [(HAND_WRITTEN["own"], f"{planned['own']['variant']} for the layer", planned["own"]["seconds"])]

    def limit(self, layer, seconds):
        """The fraction of what the machine allows."""
        peak, bandwidth, layer = self.machine["peak_gflops"], self.machine["bandwidth_gbs"], self.layers[layer]
        return max(layer["flops"] / peak, layer["compulsory_bytes"] / bandwidth) * 1e-9 / seconds

    def rows(self):
        rows = []
        for scheduler, device in self.devices.items():
            tried = [key for key in self.records if key[2] == scheduler]
            good = {key: [r for r in self.records[key] if r["status"] == "ok"] for key in tried}
            best = [b for b in (self.best(*key) for key in tried) if b]
            shown = best if device == "cpu" else [r for some in good.values() for r in some]
            ratios = [b["ratio"] for b in best]
            own = [
                b["seconds"] / self.planned[b["layer"], b["layout"]]["own"]["seconds"] for b in best if device == "cpu"
            ]
            registers = [r["registers"] for r in shown if "registers" in r]
            moves = median((r["loads"] + r["stores"]) / r["fmas"] for r in best if r.get("fmas"))
            rows.append(
                Row(
                    scheduler,
                    device,
                    len(tried),
                    sum(bool(some) for some in good.values()),
                    geometric_mean(ratios),
                    min(ratios, default=None),
                    max(ratios, default=None),
                    geometric_mean(own),
                    median(r["schedule_seconds"] for r in shown),
                    median(r["peak_bytes"] for r in shown),
                    median(r["code_bytes"] for r in shown if "code_bytes" in r),
                    moves,
                    median(registers),
                    sum(r.get("spilled_bytes", 0) > 0 for r in shown) if registers else None,
                )
            )
        return rows

    def own_moves(self):
        """The same of the hand-written kernels that know their layer."""
        return median(
            (p["own"]["loads"] + p["own"]["stores"]) / p["own"]["fmas"]
            for p in self.planned.values()
            if p["own"].get("fmas")
        )

    def settings(self):
        """(scheduler, setting, works, tried, geometric mean of the ratio) of each way to ask a scheduler for the CPU."""
        found = collections.defaultdict(list)
        for r in self.document["schedules"]:
            if r["device"] == "cpu":
                found[r["scheduler"], r["setting"]].append(r)
        return [
            (
                scheduler,
                setting,
                sum("ratio" in r for r in some),
                len(some),
                geometric_mean(r["ratio"] for r in some if "ratio" in r),
            )
            for (scheduler, setting), some in sorted(
                found.items(), key=lambda item: list(self.devices).index(item[0][0])
            )
        ]

    def failures(self):
        """What went wrong, alike failures together."""
        kinds = collections.defaultdict(list)
        for r in self.document["schedules"]:
            if r["status"] != "ok":
                alike = re.sub(r"\b(\w*\d\w*|Vars: .*)", "…", r["message"])[:60]
                kinds[r["scheduler"], r["setting"], r["status"], alike].append(r)
        return [
            Failure(scheduler, setting, status, some[0]["message"], len(some), issue_of(some[0]))
            for (scheduler, setting, status, _), some in kinds.items()
        ]

    def pairs(self):
        """(planned, schedules that work, fastest first) of each layer and layout."""
        return [
            (
                planned,
                sorted(
                    (b for scheduler in self.timed_schedulers if (b := self.best(*key, scheduler))),
                    key=lambda r: r["ratio"],
                ),
            )
            for key, planned in self.planned.items()
        ]

    def files(self, record):
        """Links to a schedule's source, if a machine made it, and to its loop nest, relative to the folder of experiments."""
        stem = f"{record['folder']}/{record['kernel']}"
        return f"{stem}.schedule.h", f"{stem}.stmt.html"
