"""What follows from the numbers: speeds against peers, fractions of the machine's limits, and the goals."""

import collections
import math
import typing

from unstride_bench.instruction_sets import lanes_of
from unstride_bench.layer_table import LAYOUTS
from unstride_bench.ratios import REGRET, Comparison, Ratio, ratio_of
from unstride_bench.report.number_texts import TIMES
from unstride_bench.short_turns import EPILOGUES

# For a peer in a layout, over layers: our speed against it as the mean, the least and the most.
PeerSpeed = collections.namedtuple("PeerSpeed", "who layout mean least most losses count")
# What a layer reaches of the peak, if it is bound by compute, or else of what peak or bandwidth allows.
Fraction = collections.namedtuple("Fraction", "layer layout value goal compute_bound")
# How many times as fast kernels for a layer are as those for any, with the variants and the seconds of both.
Gain = collections.namedtuple("Gain", "layer layout ratio generic own seconds own_seconds")
# Seconds of the layer alone, and ratios to these of the layer with what may follow it.
Epilogue = collections.namedtuple("Epilogue", ["layer", "layout", "seconds", *(e for e in EPILOGUES if e != "none")])
# Results of ours and of cuDNN, and how many times as fast we are, or None where cuDNN has nothing.
GpuSpeed = collections.namedtuple("GpuSpeed", "layer layout ours cudnn tf32 ratio")
Goal = collections.namedtuple("Goal", "text result reached detail")


class Speed(typing.NamedTuple):
    """How many times as fast we are on a layer in a layout as the fastest peer, in its layout."""

    layer: str
    layout: str
    measured: Ratio
    who: str
    peer_layout: str
    ours: float  # seconds
    theirs: float

    @property
    def ratio(self):
        """The ratio without its interval."""
        return self.measured.value


class Choice(typing.NamedTuple):
    """How many times as long the planner's choice takes as the best of the other variants, if there are any."""

    layer: str
    layout: str
    measured: Ratio  # or None
    planned: str
    best: str  # the planner's choice where there is no other variant

    @property
    def ratio(self):
        """The ratio without its interval."""
        return self.measured.value if self.measured else 1.0

    @property
    def good(self):
        """Whether the planner's choice is near enough to the best."""
        return self.ratio <= REGRET


class Typed(typing.NamedTuple):
    """The planner's choice for a layer in a layout with elements of each type."""

    layer: str
    layout: str
    seconds: float  # in f32
    ratios: dict  # by type: the time, over that in f32
    speeds: dict  # by type: how many times as fast we are as the fastest peer
    fastest: dict  # by type: which peer that is
    cannot: dict  # by type: why no peer has a time


class TypeSummary(typing.NamedTuple):
    """A type of elements, over layers and layouts."""

    type: str
    ratio: float  # geometric mean of the time, over that in f32
    speed: float  # geometric mean of our speed against the fastest peer, or None
    least: float  # the least such speed, or None
    difference: float  # the largest of our outputs from those of f64
    peer_difference: float  # the largest of peers' outputs from those of f64, or None
    asked: bool  # whether a peer was measured with this type, which may fail


def geometric_mean(values):
    """The mean of ratios; None if there are none."""
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def gpu_speeds(document):
    """Speeds from the JSON of unstride_gpu_bench: the planned variant beside cuDNN with TF32 off and on, where that has
    an algorithm."""
    results = {(r["layer"], r["layout"], r["who"]): r for r in document["results"] if "seconds" in r}
    speeds = []
    for (layer, layout, who), ours in results.items():
        if who == "unstride":
            cudnn = results.get((layer, layout, "cudnn"))
            ratio = cudnn["seconds"] / ours["seconds"] if cudnn else None
            speeds.append(GpuSpeed(layer, layout, ours, cudnn, results.get((layer, layout, "cudnn_tf32")), ratio))
    return speeds


class Summary:
    """What follows from the JSON of bench/bench.py."""

    def __init__(self, document):
        self.document = document
        self.machine = document["machine"]
        self.layers = {layer["name"]: layer for layer in document["layers"]}
        self.results = {(r["layer"], r["layout"], r["who"]): r for r in document["results"]}
        self.peers = document["peers"]
        self.ours = [r for r in document["results"] if r["who"] == "unstride" and "seconds" in r]

    def label(self, who):
        """The name of Unstride or a peer, as the report has it."""
        return "Unstride" if who == "unstride" else self.peers[who]["label"]

    def seconds(self, layer, layout, who):
        """The time of a layer in a library, or None if there is none."""
        return self.results.get((layer, layout, who), {}).get("seconds")

    def ratios(self, layer, layout):
        """By peer, how many times as long as ours its time is in the same layout."""
        ours = self.results.get((layer, layout, "unstride"), {})
        found = {who: ratio_of(self.results.get((layer, layout, who), {}), ours) for who in self.peers}
        return {who: ratio.value for who, ratio in found.items() if ratio}

    def speeds(self, layouts_of, peers=None, part="results", operator=None):
        """Our speed against the fastest of `peers` (all by default) in the layouts that `layouts_of(layout)` names, in
        forward or in a gradient."""
        rows = [row for row in self.document.get(part, []) if row.get("operator") == operator]
        speeds = []
        for ours in rows:
            if ours["who"] == "unstride" and "seconds" in ours:
                among, layouts = peers or self.peers, layouts_of(ours["layout"])
                theirs = [
                    r for r in rows if r["layer"] == ours["layer"] and r["who"] in among and r["layout"] in layouts
                ]
                if fastest := Comparison(ours, theirs).fastest():
                    ratio, row = fastest
                    place = ours["layer"], ours["layout"]
                    speeds.append(Speed(*place, ratio, row["who"], row["layout"], ours["seconds"], row["seconds"]))
        return speeds

    def against_any_layout(self):
        """Our speed against the fastest peer in whatever layout."""
        return self.speeds(lambda layout: LAYOUTS)

    def against_same_layout(self):
        """Our speed against the fastest peer in the same layout."""
        return self.speeds(lambda layout: (layout,))

    def against_bf16(self):
        """Our speed in bf16 against the fastest peer that has bf16, in whatever layout."""
        return self.speeds(lambda layout: LAYOUTS, part="bf16")

    def gradient_speeds(self, operator, same_layout):
        """Our speed in a gradient against the fastest peer in the same layout, or else in whatever layout."""
        return self.speeds(lambda own: (own,) if same_layout else LAYOUTS, part="gradients", operator=operator)

    def against_installed(self):
        """Our speed in ncdhw against PyTorch as it is installed."""
        installed = [who for who in self.peers if who == "torch_installed"]
        if not installed:
            return []
        return [s for s in self.speeds(lambda layout: ("ncdhw",), installed) if s.layout == "ncdhw"]

    def by_peer(self):
        """Our speed against each peer in each of its layouts, over the layers."""
        rows = []
        for who in self.peers:
            for layout in LAYOUTS:
                speeds = [s for s in self.speeds(lambda own: (own,), [who]) if s.layout == layout]
                if speeds:
                    mean, losses = geometric_mean(s.ratio for s in speeds), sum(s.ratio < 1 for s in speeds)
                    least, most = (end(speeds, key=lambda s: s.ratio) for end in (min, max))
                    rows.append(PeerSpeed(who, layout, mean, least, most, losses, len(speeds)))
        return rows

    def losses(self):
        """Where a peer is faster in some layout, the worst first."""
        return sorted((s for s in self.against_any_layout() if s.ratio < 1), key=lambda s: s.ratio)

    def gflops(self, layer, seconds):
        """Billions of operations per second."""
        return self.layers[layer]["flops"] / seconds * 1e-9

    def limit_seconds(self, layer):
        """The time that peak and bandwidth allow."""
        flops, moved = (self.layers[layer][name] for name in ("flops", "compulsory_bytes"))
        return max(flops / self.machine["peak_gflops"], moved / self.machine["bandwidth_gbs"]) * 1e-9

    def compute_bound(self, layer):
        """Whether a layer has enough channels to keep the multiply-adds busy, and too few bytes to keep memory so."""
        facts = self.layers[layer]
        channels = facts["in_channels"] >= 64 and facts["out_channels"] >= 32 and facts["groups"] < facts["in_channels"]
        computing = facts["flops"] / self.machine["peak_gflops"]
        return channels and computing >= facts["compulsory_bytes"] / self.machine["bandwidth_gbs"]

    def fractions(self):
        """For compute-bound layers, the fraction of the peak; for the others, of what peak or bandwidth allows."""
        fractions = []
        for row in self.ours:
            bound = self.compute_bound(row["layer"])
            if bound:
                value = self.gflops(row["layer"], row["seconds"]) / self.machine["peak_gflops"]
            else:
                value = self.limit_seconds(row["layer"]) / row["seconds"]
            fractions.append(Fraction(row["layer"], row["layout"], value, 0.8 if bound else 0.7, bound))
        return fractions

    def choices(self):
        """The planner's choice against the best other variant, for each layer and layout that was measured for it."""
        choices = []
        for planned in self.document["variants"]:
            if planned["planned"] and planned["final"]:
                place = planned["layer"], planned["layout"]
                others = [v for v in self.document["variants"] if (v["layer"], v["layout"]) == place and v["final"]]
                others.remove(planned)
                fastest = Comparison(planned, others).fastest()
                ratio, best = (fastest[0].inverse, fastest[1]) if fastest else (None, planned)
                choices.append(Choice(*place, ratio, planned["variant"], best["variant"]))
        return choices

    def epilogues(self):
        """The planner's choice with what may follow a layer."""
        rows = []
        for row in self.document.get("epilogues", []):
            seconds = dict(row["seconds"])
            alone = seconds.pop("none")
            ratios = {name: value / alone for name, value in seconds.items()}
            rows.append(Epilogue(row["layer"], row["layout"], alone, **ratios))
        return rows

    def types(self):
        """The planner's choice with elements of other types than f32."""
        rows = []
        for row in self.document.get("types", []):
            seconds, speeds, fastest, cannot = row["seconds"], {}, {}, {}
            for name in seconds:
                theirs = {who: results[name] for who, results in row["peers"].items() if name in results}
                timed = {who: result["seconds"] for who, result in theirs.items() if "seconds" in result}
                if timed:
                    fastest[name] = min(timed, key=timed.get)
                    speeds[name] = timed[fastest[name]] / seconds[name]
                elif theirs:
                    cannot[name] = "; ".join(result["cannot"] for result in theirs.values())
            ratios = {name: value / seconds["f32"] for name, value in seconds.items() if name != "f32"}
            rows.append(Typed(row["layer"], row["layout"], seconds["f32"], ratios, speeds, fastest, cannot))
        return rows

    def type_summaries(self):
        """A summary of each type but f32."""
        rows, found = self.types(), self.document.get("types", [])
        summaries = []
        for name in rows[0].ratios if rows else ():
            speeds = [row.speeds[name] for row in rows if name in row.speeds]
            theirs = [results[name] for row in found for results in row["peers"].values() if name in results]
            differences = [result["difference"] for result in theirs if "difference" in result]
            summary = TypeSummary(
                type=name,
                ratio=geometric_mean(row.ratios[name] for row in rows),
                speed=geometric_mean(speeds),
                least=min(speeds, default=None),
                difference=max(row["difference"][name] for row in found),
                peer_difference=max(differences, default=None),
                asked=bool(theirs),
            )
            summaries.append(summary)
        return summaries

    def gains(self):
        """What kernels that unstride_add_layer compiled for a layer gain over the planner's choice for any layer."""
        gains = []
        for row in self.document.get("layer_kernels", []):
            layer, layout = row["layer"], row["layout"]
            generic = self.results.get((layer, layout, "unstride"), {})
            if "seconds" in row and (ratio := ratio_of(generic, row)):
                names, seconds = (generic["variant"], row["variant"]), (generic["seconds"], row["seconds"])
                gains.append(Gain(layer, layout, ratio.value, *names, *seconds))
        return gains

    def goals(self):
        """The goals of the project that this measurement can tell of, each with what is reached of it."""
        bf16 = self.goal_every_layer("Every layer in bf16: the same", self.against_bf16())
        text = "Every layer, in each layout, at least as fast as the fastest peer in any layout"
        against_peers = [self.goal_every_layer(text, self.against_any_layout()), self.goal_same_layout()]
        against_peers += [self.goal_installed(), bf16]
        fractions = [self.goal_fraction(compute_bound=True), self.goal_fraction(compute_bound=False)]
        return [goal for goal in (*against_peers, *fractions, self.goal_planner()) if goal]

    def goal_every_layer(self, text, speeds):
        """A goal to be as fast as the fastest peer on every layer; None without peers."""
        if not speeds:
            return None
        missed, worst = sum(s.ratio < 1 for s in speeds), min(speeds, key=lambda s: s.ratio)
        detail = f"least {worst.ratio:.2f}{TIMES}: {worst.layer} {worst.layout}"
        return Goal(text, f"{len(speeds) - missed} of {len(speeds)}", not missed, detail)

    def goal_mean(self, text, speeds, goal):
        """A goal for the geometric mean of speeds; None if there are none."""
        if not speeds:
            return None
        mean, worst = geometric_mean(s.ratio for s in speeds), min(speeds, key=lambda s: s.ratio)
        detail = f"least {worst.ratio:.2f}{TIMES}: {worst.layer} {worst.layout}"
        return Goal(text, f"{mean:.2f}{TIMES}", mean >= goal, detail)

    def goal_same_layout(self):
        """The goal against the fastest peer of the same layout; None without peers."""
        text = "1.8 times as fast as the fastest peer of the same layout, geometric mean"
        return self.goal_mean(text, self.against_same_layout(), 1.8)

    def goal_installed(self):
        """The goal against PyTorch as it is installed; None without it."""
        text = "4 times as fast as PyTorch as installed, in its default layout, geometric mean"
        return self.goal_mean(text, self.against_installed(), 4)

    def goal_fraction(self, compute_bound):
        """The goal for layers that are bound by compute, or for the others; None if there are none of these."""
        fractions = [f for f in self.fractions() if f.compute_bound == compute_bound]
        if not fractions:
            return None
        reached = [f for f in fractions if f.value >= f.goal]
        worst = min(fractions, key=lambda f: f.value)
        text = "The other layers: 70 % of what peak or bandwidth allows"
        if compute_bound:
            text = "Compute-bound layers (64 input and 32 output channels or more): 80 % of the peak"
        result, detail = f"{len(reached)} of {len(fractions)}", f"least {worst.value:.0%}: {worst.layer} {worst.layout}"
        return Goal(text, result, len(reached) == len(fractions), detail)

    def goal_planner(self):
        """The goal for the planner's choice; None if no variants were measured."""
        choices = self.choices()
        if not choices:
            return None
        good, worst = [c for c in choices if c.good], max(choices, key=lambda c: c.ratio)
        text = "The planner's choice within 5 % of the best variant"
        result, detail = f"{len(good)} of {len(choices)}", f"most {worst.ratio - 1:.0%}: {worst.layer} {worst.layout}"
        return Goal(text, result, len(good) == len(choices), detail)

    def measured_cycles(self, code):
        """Cycles per run of a kernel's hot loop that its best layer implies, and that layer; or None.

        All time counts as if it were spent in the hot loop, so this is an upper bound.
        """
        lanes = lanes_of(code["variant"])
        cycles = []
        for v in self.document["variants"]:
            if v["variant"] == code["variant"] and code["fmas"]:
                loops = self.layers[v["layer"]]["flops"] / 2 / lanes / code["fmas"]
                total = v["seconds"] * self.machine["clock_ghz"] * 1e9 * self.machine["threads"]
                cycles.append((total / loops, v["layer"]))
        return min(cycles, default=None)
