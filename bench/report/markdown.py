"""The tables of docs/performance.md, from the JSON of bench/bench.py."""

from .summary import BOTH, Summary


def table(head, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def goals(summary):
    return table(("goal", "result", "worst", ""), [(goal.text, goal.result, goal.detail, "met" if goal.reached else "missed")
                                                   for goal in summary.goals()])


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
    return table(("layer", "layout", "for any layer, ms", "for this layer, ms", "gain"),
                 [(g.layer, g.layout, f"{1e3 * g.seconds:.2f}", f"{1e3 * g.own_seconds:.2f}", f"{g.ratio:.2f}x") for g in summary.gains()])


def write_markdown(document, path):
    summary, machine = Summary(document), document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    path.write_text(f"{machine['cpu']}, {machine['threads']} threads, {machine['peak_gflops']:.0f} GFLOP/s, "
                    f"{machine['bandwidth_gbs']:.0f} GB/s; {versions}\n\n{goals(summary)}\n\n{layers(summary)}\n\n{gains(summary)}\n")
