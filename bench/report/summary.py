"""What follows from the numbers: speeds against peers, fractions of the machine's limits, and the goals."""

import collections
import math

from isas import lanes_of

BOTH = ("ncdhw", "ndhwc")

Speed = collections.namedtuple("Speed", "layer layout ratio who peer_layout ours theirs")  # ratio > 1: we are faster
PeerSpeed = collections.namedtuple("PeerSpeed", "who layout mean least most losses count")
Fraction = collections.namedtuple("Fraction", "layer layout value goal compute_bound")
Gain = collections.namedtuple(
    "Gain", "layer layout ratio generic own seconds own_seconds"
)  # ratio > 1: its own kernels are faster
Epilogue = collections.namedtuple(
    "Epilogue", "layer layout seconds leaky_relu leaky_relu_apart residual residual_apart silu"
)  # ratios to the layer alone
Typed = collections.namedtuple(
    "Typed", "layer layout seconds ratios speeds fastest cannot"
)  # seconds of f32, and by type: ratios to these; as in Speed, against the fastest peer, and which it is; errors of peers
TypeSummary = collections.namedtuple(
    "TypeSummary", "type ratio speed least difference peer_difference asked"
)  # means; `asked`: whether a peer was, which may fail
Choice = collections.namedtuple("Choice", "layer layout ratio planned best")
GpuSpeed = collections.namedtuple(
    "GpuSpeed", "layer layout ours cudnn tf32 ratio"
)  # results; ratio > 1: faster than cuDNN, or None
Goal = collections.namedtuple("Goal", "text result reached detail")


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def gpu_speeds(document):
    """From the JSON of bench/gpu: Unstride's planned variant beside cuDNN with TF32 off and on, where it has an algorithm."""
    results = {(r["layer"], r["layout"], r["who"]): r for r in document["results"] if "seconds" in r}
    speeds = []
    for (layer, layout, who), ours in results.items():
        if who == "unstride":
            cudnn = results.get((layer, layout, "cudnn"))
            ratio = cudnn["seconds"] / ours["seconds"] if cudnn else None
            speeds.append(GpuSpeed(layer, layout, ours, cudnn, results.get((layer, layout, "cudnn_tf32")), ratio))
    return speeds


class Summary:
    def __init__(self, document):
        self.document = document
        self.machine = document["machine"]
        self.layers = {layer["name"]: layer for layer in document["layers"]}
        self.results = {(r["layer"], r["layout"], r["who"]): r for r in document["results"]}
        self.peers = document["peers"]
        self.ours = [r for r in document["results"] if r["who"] == "unstride" and "seconds" in r]

    def label(self, who):
        return "Unstride" if who == "unstride" else self.peers[who]["label"]

    def seconds(self, layer, layout, who):
        return self.results.get((layer, layout, who), {}).get("seconds")

    def speeds(self, layouts_of, peers=None):
        """Our speed against the fastest of `peers` (all by default) in the layouts that `layouts_of(layout)` names."""
        speeds = []
        for row in self.ours:
            theirs = [
                (seconds, who, layout)
                for who in peers or self.peers
                for layout in layouts_of(row["layout"])
                if (seconds := self.seconds(row["layer"], layout, who))
            ]
            if theirs:
                seconds, who, layout = min(theirs)
                speeds.append(
                    Speed(row["layer"], row["layout"], seconds / row["seconds"], who, layout, row["seconds"], seconds)
                )
        return speeds

    def against_any_layout(self):
        return self.speeds(lambda layout: BOTH)

    def against_same_layout(self):
        return self.speeds(lambda layout: (layout,))

    def against_installed(self):
        installed = [who for who in self.peers if who == "torch_installed"]
        if not installed:
            return []
        return [s for s in self.speeds(lambda layout: ("ncdhw",), installed) if s.layout == "ncdhw"]

    def by_peer(self):
        """Our speed against each peer in each of its layouts, over the layers."""
        rows = []
        for who in self.peers:
            for layout in BOTH:
                speeds = [s for s in self.speeds(lambda own: (own,), [who]) if s.layout == layout]
                if speeds:
                    rows.append(
                        PeerSpeed(
                            who,
                            layout,
                            geometric_mean(s.ratio for s in speeds),
                            min(speeds, key=lambda s: s.ratio),
                            max(speeds, key=lambda s: s.ratio),
                            sum(s.ratio < 1 for s in speeds),
                            len(speeds),
                        )
                    )
        return rows

    def losses(self):
        return sorted((s for s in self.against_any_layout() if s.ratio < 1), key=lambda s: s.ratio)

    def gflops(self, layer, seconds):
        return self.layers[layer]["flops"] / seconds * 1e-9

    def limit_seconds(self, layer):
        """The time that peak and bandwidth allow."""
        flops, moved = (self.layers[layer][name] for name in ("flops", "compulsory_bytes"))
        return max(flops / self.machine["peak_gflops"], moved / self.machine["bandwidth_gbs"]) * 1e-9

    def compute_bound(self, layer):
        """Whether a layer has enough channels to keep the multiply-adds busy, and too few bytes to keep memory so."""
        facts = self.layers[layer]
        channels = facts["in_channels"] >= 64 and facts["out_channels"] >= 32 and facts["groups"] < facts["in_channels"]
        return channels and (
            facts["flops"] / self.machine["peak_gflops"] >= facts["compulsory_bytes"] / self.machine["bandwidth_gbs"]
        )

    def fractions(self):
        """For compute-bound layers, the fraction of the peak; for the others, of what peak or bandwidth allows."""
        fractions = []
        for row in self.ours:
            bound = self.compute_bound(row["layer"])
            value = (
                self.gflops(row["layer"], row["seconds"]) / self.machine["peak_gflops"]
                if bound
                else self.limit_seconds(row["layer"]) / row["seconds"]
            )
            fractions.append(Fraction(row["layer"], row["layout"], value, 0.8 if bound else 0.7, bound))
        return fractions

    def choices(self):
        """The planner's choice against the best variant: how many times as long it takes."""
        choices = []
        for name in self.layers:
            for layout in BOTH:
                rows = [
                    v for v in self.document["variants"] if (v["layer"], v["layout"]) == (name, layout) and v["final"]
                ]
                planned = [v for v in rows if v["planned"]]
                if planned:
                    best = min(rows, key=lambda v: v["seconds"])
                    choices.append(
                        Choice(
                            name,
                            layout,
                            planned[0]["seconds"] / best["seconds"],
                            planned[0]["variant"],
                            best["variant"],
                        )
                    )
        return choices

    def epilogues(self):
        rows = []
        for row in self.document.get("epilogues", []):
            seconds = dict(row["seconds"])
            alone = seconds.pop("none")
            rows.append(
                Epilogue(row["layer"], row["layout"], alone, **{name: value / alone for name, value in seconds.items()})
            )
        return rows

    def types(self):
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
        """Of each type but f32, over layers and layouts."""
        rows, found = self.types(), self.document.get("types", [])
        summaries = []
        for name in rows[0].ratios if rows else ():
            speeds = [row.speeds[name] for row in rows if name in row.speeds]
            theirs = [results[name] for row in found for results in row["peers"].values() if name in results]
            summaries.append(
                TypeSummary(
                    name,
                    geometric_mean(row.ratios[name] for row in rows),
                    geometric_mean(speeds),
                    min(speeds, default=None),
                    max(row["difference"][name] for row in found),
                    max((result["difference"] for result in theirs if "difference" in result), default=None),
                    bool(theirs),
                )
            )
        return summaries

    def gains(self):
        """What kernels that unstride_add_layer compiled for a layer gain over the planner's choice for any layer."""
        return [
            Gain(
                row["layer"],
                row["layout"],
                seconds / row["seconds"],
                generic["variant"],
                row["variant"],
                seconds,
                row["seconds"],
            )
            for row in self.document.get("layer_kernels", [])
            if "seconds" in row
            and (generic := self.results[row["layer"], row["layout"], "unstride"])
            and (seconds := generic.get("seconds"))
        ]

    def goals(self):
        return [
            goal
            for goal in (
                self.goal_every_layer(),
                self.goal_same_layout(),
                self.goal_installed(),
                self.goal_fraction(True),
                self.goal_fraction(False),
                self.goal_planner(),
            )
            if goal
        ]

    def goal_every_layer(self):
        speeds = self.against_any_layout()
        if not speeds:
            return None
        missed = self.losses()
        worst = min(speeds, key=lambda s: s.ratio)
        return Goal(
            "Every layer, in each layout, at least as fast as the fastest peer in any layout",
            f"{len(speeds) - len(missed)} of {len(speeds)}",
            not missed,
            f"least {worst.ratio:.2f}\N{MULTIPLICATION SIGN}: {worst.layer} {worst.layout}",
        )

    def goal_mean(self, text, speeds, goal):
        if not speeds:
            return None
        mean, worst = geometric_mean(s.ratio for s in speeds), min(speeds, key=lambda s: s.ratio)
        return Goal(
            text,
            f"{mean:.2f}\N{MULTIPLICATION SIGN}",
            mean >= goal,
            f"least {worst.ratio:.2f}\N{MULTIPLICATION SIGN}: {worst.layer} {worst.layout}",
        )

    def goal_same_layout(self):
        return self.goal_mean(
            "1.8 times as fast as the fastest peer of the same layout, geometric mean", self.against_same_layout(), 1.8
        )

    def goal_installed(self):
        return self.goal_mean(
            "4 times as fast as PyTorch as installed, in its default layout, geometric mean",
            self.against_installed(),
            4,
        )

    def goal_fraction(self, bound):
        fractions = [f for f in self.fractions() if f.compute_bound == bound]
        if not fractions:
            return None
        reached = [f for f in fractions if f.value >= f.goal]
        worst = min(fractions, key=lambda f: f.value)
        text = (
            "Compute-bound layers (64 input and 32 output channels or more): 80 % of the peak"
            if bound
            else "The other layers: 70 % of what peak or bandwidth allows"
        )
        return Goal(
            text,
            f"{len(reached)} of {len(fractions)}",
            len(reached) == len(fractions),
            f"least {worst.value:.0%}: {worst.layer} {worst.layout}",
        )

    def goal_planner(self):
        choices = self.choices()
        if not choices:
            return None
        good, worst = [c for c in choices if c.ratio <= 1.05], max(choices, key=lambda c: c.ratio)
        return Goal(
            "The planner's choice within 5 % of the best variant",
            f"{len(good)} of {len(choices)}",
            len(good) == len(choices),
            f"most {worst.ratio - 1:.0%}: {worst.layer} {worst.layout}",
        )

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
