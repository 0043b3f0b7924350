"""The tables of docs/performance.md and docs/autoschedulers.md, from the JSON of the benchmark and the experiments."""

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.report.benchmark_summary import Summary
from unstride_bench.report.goal_numbers import cases
from unstride_bench.report.gradient_numbers import OPERATIONS, passes
from unstride_bench.report.number_texts import interval_text
from unstride_bench.report.schedule_summary import Schedules

NOTHING = "–"


def table(head, rows):
    """A table in Markdown, from the texts of its cells; empty without rows."""
    if not rows:
        return ""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def times(ratio):
    """How many times, or a dash for None."""
    return f"{ratio:.2f}x" if ratio else NOTHING


def goals(summary):
    """What is reached of each goal."""
    rows = [(goal.text, goal.result, goal.detail, "met" if goal.reached else "missed") for goal in summary.goals()]
    return table(("goal", "result", "worst", ""), rows)


def layers(summary):
    """Milliseconds and fraction of the limit in each layout; the fastest peer, and how many times as fast we are."""
    speeds = {(s.layer, s.layout): s for s in summary.against_any_layout()}
    fractions = {(f.layer, f.layout): f for f in summary.fractions()}
    rows = []
    for name in summary.layers:
        row, fastest = [name], ""
        for layout in LAYOUTS:
            if seconds := summary.seconds(name, layout, "unstride"):
                fraction, speed = fractions[name, layout], speeds.get((name, layout))
                row += [f"{1e3 * seconds:.2f}", f"{fraction.value:.0%}", interval_text(speed and speed.measured)]
                if speed:
                    fastest = f"{summary.label(speed.who)} {speed.peer_layout}, {1e3 * speed.theirs:.2f}"
            else:
                row += ["", "", ""]
        rows.append([*row, fastest])
    head = ["layer"]
    for layout in LAYOUTS:
        head += [f"{layout}, ms", "of limit", "against peer"]
    return table([*head, "fastest peer, ms"], rows)


def ratios_of_cases(summary):
    """For each layer and layout: our speed beside the fastest peer of the same layout, and in bf16 in any layout; and
    how many times as long the planner's choice takes as the best other variant."""
    rows = []
    for case in cases(summary):
        row = [case.layer, case.layout]
        for speed in (case.same, case.bf16):
            peer = f"{summary.label(speed.who)} {speed.peer_layout}" if speed else NOTHING
            row += [interval_text(speed.measured) if speed else NOTHING, peer]
        bf16 = f"{1e3 * case.bf16.ours:.2f}" if case.bf16 else NOTHING
        rows.append((*row, bf16, interval_text(case.choice and case.choice.measured) or NOTHING))
    head = ("layer", "layout", "same layout", "fastest peer", "bf16", "fastest peer", "bf16, ms", "planner's choice")
    return table(head, rows)


def gradients(summary):
    """Forward and each gradient side by side: milliseconds, and our speed beside the fastest peer in any and in the
    same layout."""
    rows = []
    for each in passes(summary):
        row = [each.layer, each.layout]
        for operation in each.operations:
            speeds = (operation.any, operation.same) if operation else (None, None)
            row.append(f"{1e3 * operation.seconds:.2f}" if operation else NOTHING)
            row += [interval_text(speed.measured) if speed else NOTHING for speed in speeds]
        rows.append(row)
    heads = [text for name in OPERATIONS for text in (f"{name}, ms", "any layout", "same layout")]
    return table(("layer", "layout", *heads), rows)


def gains(summary):
    """Kernels for a layer beside those for any."""
    rows = []
    for g in summary.gains():
        milliseconds = f"{1e3 * g.seconds:.2f}", f"{1e3 * g.own_seconds:.2f}"
        rows.append((g.layer, g.layout, *milliseconds, times(g.ratio)))
    return table(("layer", "layout", "for any layer, ms", "for this layer, ms", "gain"), rows)


def epilogues(summary):
    """The planner's choice alone, and with what may follow it."""
    head = ("layer", "layout", "alone, ms", "LeakyReLU", "apart", "residual and LeakyReLU", "apart", "SiLU")
    rows = []
    for layer, layout, seconds, *ratios in summary.epilogues():
        rows.append((layer, layout, f"{1e3 * seconds:.2f}", *map(times, ratios)))
    return table(head, rows)


def type_summaries(summary):
    """Each type of elements, over all layers."""

    def difference(value):
        return f"{value:.0e}" if value else NOTHING

    ours = ("type", "time, of that in f32", "difference from f64")
    theirs = ("against the fastest peer", "least", "largest difference of a peer")
    rows = []
    for t in summary.type_summaries():
        cells = times(t.ratio), difference(t.difference), times(t.speed), times(t.least), difference(t.peer_difference)
        rows.append((t.type, *cells))
    return table((*ours, *theirs), rows)


def types(summary):
    """Each type of elements, for each layer."""
    names = [t.type for t in summary.type_summaries()]
    asked = [t.type for t in summary.type_summaries() if t.asked]
    rows = []
    for row in summary.types():
        ratios, speeds = [times(row.ratios[name]) for name in names], [times(row.speeds.get(name)) for name in asked]
        rows.append((row.layer, row.layout, f"{1e3 * row.seconds:.2f}", *ratios, *speeds))
    return table(("layer", "layout", "f32, ms", *names, *(f"against peer, {name}" for name in asked)), rows)


def write_markdown(document, path):
    """Writes the tables of the JSON of bench/bench.py."""
    summary, machine = Summary(document), document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    limits = f"{machine['peak_gflops']:.0f} GFLOP/s, {machine['bandwidth_gbs']:.0f} GB/s"
    isa = document["settings"]["isa"]
    ceiling = f", {isa} at most" if isa else ""
    head = f"{machine['cpu']}, {machine['threads']} threads{ceiling}, {limits}; {versions}"
    tables = [
        make(summary) for make in (goals, layers, ratios_of_cases, gradients, gains, epilogues, type_summaries, types)
    ]
    path.write_text("\n\n".join([head, *filter(None, tables)]) + "\n")


def schedulers(schedules):
    """Each autoscheduler, over all layers."""
    ratios = ("works", "mean", "least", "most", "mean, for the layer")
    figures = ("seconds", "MiB", "KiB of code", "loads and stores", "registers", "spill")

    def number(value, digits=0):
        return NOTHING if value is None else f"{value:.{digits}f}"

    rows = []
    for r in schedules.rows():
        works = f"{r.works} of {r.tried}", times(r.mean), times(r.least), times(r.most), times(r.own_mean)
        mebibytes, kibibytes = r.peak_bytes and r.peak_bytes / 2**20, r.code_bytes and r.code_bytes / 1024
        cost = number(r.seconds, 1), number(mebibytes), number(kibibytes)
        code = number(r.moves, 2), number(r.registers), number(r.spills)
        rows.append((r.scheduler, r.device, *works, *cost, *code))
    return table(("autoscheduler", "for", *ratios, *figures), rows)


def settings(schedules):
    """Each way to ask an autoscheduler."""
    rows = []
    for name, setting, works, tried, mean in schedules.settings():
        rows.append((name, setting, f"{works} of {tried}", times(mean)))
    return table(("autoscheduler", "parameters, form", "works", "mean"), rows)


def ratios(schedules):
    """The planner's choice for each layer and layout, and how many times as long each autoscheduler's best takes."""
    rows = []
    for (layer, layout), planned in schedules.planned.items():
        seconds, own = planned["seconds"], planned["own"]["seconds"]
        best = [schedules.best(layer, layout, name) for name in schedules.timed_schedulers]
        ours = f"{1e3 * seconds:.2f}", f"{schedules.limit(layer, seconds):.0%}", times(own / seconds)
        rows.append((layer, layout, *ours, *(times(b and b["ratio"]) for b in best)))
    head = ("layer", "layout", "planned, ms", "of limit", "hand-written for the layer", *schedules.timed_schedulers)
    return table(head, rows)


def write_experiments_markdown(document, path):
    """Writes the tables of the JSON of bench/experiments.py."""
    schedules, machine = Schedules(document), document["machine"]
    limits = f"{machine['peak_gflops']:.0f} GFLOP/s, {machine['bandwidth_gbs']:.0f} GB/s"
    head = f"{machine['cpu']}, {machine['threads']} threads, {document['settings']['isa']}, {limits}"
    tables = [make(schedules) for make in (schedulers, settings, ratios)]
    path.write_text("\n\n".join([head, *tables]) + "\n")
