"""The tables of docs/performance.md and docs/autoschedulers.md, from the JSON of bench/bench.py and bench/experiments.py."""

from .schedules import Schedules
from .summary import BOTH, Summary


def table(head, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def goals(summary):
    return table(
        ("goal", "result", "worst", ""),
        [(goal.text, goal.result, goal.detail, "met" if goal.reached else "missed") for goal in summary.goals()],
    )


def layers(summary):
    """Milliseconds and fraction of the limit in each layout; the fastest peer, and how many times as fast we are."""
    speeds = {(s.layer, s.layout): s for s in summary.against_any_layout()}
    fractions = {(f.layer, f.layout): f for f in summary.fractions()}
    rows = []
    for name in summary.layers:
        row, fastest = [name], ""
        for layout in BOTH:
            if seconds := summary.seconds(name, layout, "unstride"):
                fraction, speed = fractions[name, layout], speeds.get((name, layout))
                row += [f"{1e3 * seconds:.2f}", f"{fraction.value:.0%}", f"{speed.ratio:.2f}x" if speed else ""]
                if speed:
                    fastest = f"{summary.label(speed.who)} {speed.peer_layout}, {1e3 * speed.theirs:.2f}"
            else:
                row += ["", "", ""]
        rows.append([*row, fastest])
    head = ["layer"]
    for layout in BOTH:
        head += [f"{layout}, ms", "of limit", "against peer"]
    return table([*head, "fastest peer, ms"], rows)


def gains(summary):
    return table(
        ("layer", "layout", "for any layer, ms", "for this layer, ms", "gain"),
        [
            (g.layer, g.layout, f"{1e3 * g.seconds:.2f}", f"{1e3 * g.own_seconds:.2f}", f"{g.ratio:.2f}x")
            for g in summary.gains()
        ],
    )


def epilogues(summary):
    return table(
        ("layer", "layout", "alone, ms", "LeakyReLU", "apart", "residual and LeakyReLU", "apart", "SiLU"),
        [
            (e.layer, e.layout, f"{1e3 * e.seconds:.2f}", *(f"{ratio:.2f}x" for ratio in e[3:]))
            for e in summary.epilogues()
        ],
    )


def type_summaries(summary):
    difference = lambda value: f"{value:.0e}" if value else "–"  # noqa: E731
    return table(
        (
            "type",
            "time, of that in f32",
            "difference from f64",
            "against the fastest peer",
            "least",
            "largest difference of a peer",
        ),
        [
            (
                t.type,
                times(t.ratio),
                difference(t.difference),
                times(t.speed),
                times(t.least),
                difference(t.peer_difference),
            )
            for t in summary.type_summaries()
        ],
    )


def types(summary):
    names = [t.type for t in summary.type_summaries()]
    asked = [t.type for t in summary.type_summaries() if t.asked]
    return table(
        ("layer", "layout", "f32, ms", *names, *(f"against peer, {name}" for name in asked)),
        [
            (
                row.layer,
                row.layout,
                f"{1e3 * row.seconds:.2f}",
                *(times(row.ratios[name]) for name in names),
                *(times(row.speeds.get(name)) for name in asked),
            )
            for row in summary.types()
        ],
    )


def write_markdown(document, path):
    summary, machine = Summary(document), document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    path.write_text(
        f"{machine['cpu']}, {machine['threads']} threads, {machine['peak_gflops']:.0f} GFLOP/s, "
        f"{machine['bandwidth_gbs']:.0f} GB/s; {versions}\n\n{goals(summary)}\n\n{layers(summary)}\n\n{gains(summary)}\n\n{epilogues(summary)}\n\n"
        f"{type_summaries(summary)}\n\n{types(summary)}\n"
    )


def times(ratio):
    return f"{ratio:.2f}x" if ratio else "–"


def schedulers(schedules):
    head = (
        "autoscheduler",
        "for",
        "works",
        "mean",
        "least",
        "most",
        "mean, for the layer",
        "seconds",
        "MiB",
        "KiB of code",
        "loads and stores",
        "registers",
        "spill",
    )
    number = lambda value, digits=0: "–" if value is None else f"{value:.{digits}f}"  # noqa: E731
    return table(
        head,
        [
            (
                r.scheduler,
                r.device,
                f"{r.works} of {r.tried}",
                times(r.mean),
                times(r.least),
                times(r.most),
                times(r.own_mean),
                number(r.seconds, 1),
                number(r.peak_bytes and r.peak_bytes / 2**20),
                number(r.code_bytes and r.code_bytes / 1024),
                number(r.moves, 2),
                number(r.registers),
                number(r.spills),
            )
            for r in schedules.rows()
        ],
    )


def settings(schedules):
    return table(
        ("autoscheduler", "parameters, form", "works", "mean"),
        [
            (name, setting, f"{works} of {tried}", times(mean))
            for name, setting, works, tried, mean in schedules.settings()
        ],
    )


def ratios(schedules):
    """Of each layer and layout: the planner's choice, and how many times as long each autoscheduler's best takes."""
    rows = []
    for (layer, layout), planned in schedules.planned.items():
        best = [schedules.best(layer, layout, name) for name in schedules.timed_schedulers]
        rows.append(
            (
                layer,
                layout,
                f"{1e3 * planned['seconds']:.2f}",
                f"{schedules.limit(layer, planned['seconds']):.0%}",
                times(planned["own"]["seconds"] / planned["seconds"]),
                *(times(b and b["ratio"]) for b in best),
            )
        )
    return table(
        ("layer", "layout", "planned, ms", "of limit", "hand-written for the layer", *schedules.timed_schedulers), rows
    )


def write_experiments_markdown(document, path):
    schedules, machine = Schedules(document), document["machine"]
    path.write_text(
        f"{machine['cpu']}, {machine['threads']} threads, {document['settings']['isa']}, {machine['peak_gflops']:.0f} GFLOP/s, "
        f"{machine['bandwidth_gbs']:.0f} GB/s\n\n{schedulers(schedules)}\n\n{settings(schedules)}\n\n{ratios(schedules)}\n"
    )
