"""What follows from the numbers of bench/experiments.py: how far autoschedulers are from hand-written schedules."""

import collections
import re
import statistics
import typing

from unstride_bench.autoschedulers.schedulers import issue_of
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.report.benchmark_summary import geometric_mean

FOR_THE_LAYER = "hand-written, for the layer"


class SchedulerRow(typing.NamedTuple):
    """What an autoscheduler reached, over layers and layouts. What it has no figure of is None."""

    scheduler: str
    device: str  # cpu or gpu
    tried: int  # layers and layouts
    works: int  # those of them for which it has a schedule that works
    mean: float  # time of its best schedules over that of the planner's choice: geometric mean, ...
    least: float
    most: float
    own_mean: float  # ... and over that of a hand-written kernel that knows the layer
    seconds: float  # to find a schedule; this and what follows are medians
    peak_bytes: float  # memory that it takes meanwhile
    code_bytes: float
    moves: float  # loads and stores for each multiply-add, in the hot loop
    registers: float  # of a GPU's thread
    spills: int  # how many schedules have registers that go through a GPU's memory


# Failures of one kind: an example's message, how many there are, and the number of the issue of Halide, or None.
Failure = collections.namedtuple("Failure", "scheduler setting status message count issue")


def median(values):
    """The median; None if there are no values."""
    values = list(values)
    return statistics.median(values) if values else None


class Schedules:
    """What follows from the JSON of bench/experiments.py."""

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
        self.families = [*FAMILIES, FOR_THE_LAYER]

    def tries(self, layer, layout, scheduler):
        """The records of all schedules of an autoscheduler for a layer and layout."""
        return self.records.get((layer, layout, scheduler), [])

    def best(self, layer, layout, scheduler):
        """The fastest schedule that works, or None."""
        timed = [r for r in self.tries(layer, layout, scheduler) if "ratio" in r]
        return min(timed, key=lambda r: r["ratio"], default=None)

    def hand_written(self, planned):
        """(row of the chart, variant, seconds) of what was written by hand."""
        rows = [(family, r["variant"], r["seconds"]) for family, r in planned["families"].items()]
        return rows + [(FOR_THE_LAYER, f"{planned['own']['variant']} for the layer", planned["own"]["seconds"])]

    def limit(self, layer, seconds):
        """The fraction of what the machine allows that a layer reaches in so many seconds."""
        peak, bandwidth, layer = self.machine["peak_gflops"], self.machine["bandwidth_gbs"], self.layers[layer]
        return max(layer["flops"] / peak, layer["compulsory_bytes"] / bandwidth) * 1e-9 / seconds

    def rows(self):
        """A row for each autoscheduler."""
        rows = []
        for scheduler, device in self.devices.items():
            tried = [key for key in self.records if key[2] == scheduler]
            good = {key: [r for r in self.records[key] if r["status"] == "ok"] for key in tried}
            best = [b for b in (self.best(*key) for key in tried) if b]
            shown = best if device == "cpu" else [r for some in good.values() for r in some]
            ratios = [b["ratio"] for b in best]
            own = [self.own_ratio(b) for b in best if device == "cpu"]
            registers = [r["registers"] for r in shown if "registers" in r]
            row = SchedulerRow(
                scheduler=scheduler,
                device=device,
                tried=len(tried),
                works=sum(bool(some) for some in good.values()),
                mean=geometric_mean(ratios),
                least=min(ratios, default=None),
                most=max(ratios, default=None),
                own_mean=geometric_mean(own),
                seconds=median(r["schedule_seconds"] for r in shown),
                peak_bytes=median(r["peak_bytes"] for r in shown),
                code_bytes=median(r["code_bytes"] for r in shown if "code_bytes" in r),
                moves=median(moves_of(r) for r in best if r.get("fmas")),
                registers=median(registers),
                spills=sum(r.get("spilled_bytes", 0) > 0 for r in shown) if registers else None,
            )
            rows.append(row)
        return rows

    def own_ratio(self, record):
        """The time of a schedule over that of the hand-written kernel that knows the layer."""
        return record["seconds"] / self.planned[record["layer"], record["layout"]]["own"]["seconds"]

    def own_moves(self):
        """Loads and stores for each multiply-add of the hand-written kernels that know their layer, a median."""
        kernels = [planned["own"] for planned in self.planned.values()]
        return median(moves_of(kernel) for kernel in kernels if kernel.get("fmas"))

    def settings(self):
        """(scheduler, setting, works, tried, geometric mean of the ratio) of each way to ask one for the CPU."""
        found = collections.defaultdict(list)
        for r in self.document["schedules"]:
            if r["device"] == "cpu":
                found[r["scheduler"], r["setting"]].append(r)
        rows, order = [], list(self.devices)
        for (scheduler, setting), some in sorted(found.items(), key=lambda item: order.index(item[0][0])):
            ratios = [r["ratio"] for r in some if "ratio" in r]
            rows.append((scheduler, setting, len(ratios), len(some), geometric_mean(ratios)))
        return rows

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
        pairs = []
        for key, planned in self.planned.items():
            best = [self.best(*key, scheduler) for scheduler in self.timed_schedulers]
            pairs.append((planned, sorted((b for b in best if b), key=lambda r: r["ratio"])))
        return pairs

    def files(self, record):
        """Links to a schedule's source, if a machine made it, and to its loops, from that folder."""
        stem = f"{record['folder']}/{record['kernel']}"
        return f"{stem}.schedule.h", f"{stem}.stmt.html"


def moves_of(kernel):
    """Loads and stores for each multiply-add in a kernel's hot loop."""
    return (kernel["loads"] + kernel["stores"]) / kernel["fmas"]
