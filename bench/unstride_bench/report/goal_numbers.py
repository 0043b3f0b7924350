"""What `--only goals` says: its last line, the same in the JSON, and the ratios of each layer and layout."""

import typing

from unstride_bench.report.benchmark_summary import Choice, Fraction, Speed, geometric_mean


class Case(typing.NamedTuple):
    """A layer in a layout, with what was measured of it, or None for what was not."""

    layer: str
    layout: str
    seconds: float
    fraction: Fraction  # of what the machine allows
    any: Speed  # beside the fastest peer in any layout
    same: Speed  # beside the fastest peer in this layout
    choice: Choice  # the planner's
    bf16: Speed  # beside the fastest peer that has bf16, in any layout


def cases(summary):
    """All layers and layouts, in the order of the table."""

    def by_place(found):
        return {(each.layer, each.layout): each for each in found}

    any_layout, same_layout = by_place(summary.against_any_layout()), by_place(summary.against_same_layout())
    choices, bf16, fractions = (
        by_place(found) for found in (summary.choices(), summary.against_bf16(), summary.fractions())
    )
    found = []
    for row in summary.ours:
        place = row["layer"], row["layout"]
        speeds = any_layout.get(place), same_layout.get(place)
        found.append(Case(*place, row["seconds"], fractions[place], *speeds, choices.get(place), bf16.get(place)))
    return found


def goal_numbers(summary):
    """The key `goals` of the JSON. A mean is null where there is no peer."""
    any_layout, same_layout, bf16 = summary.against_any_layout(), summary.against_same_layout(), summary.against_bf16()
    choices = summary.choices()
    return {
        "f32": {
            **wins(any_layout),
            "any": geometric_mean(speed.ratio for speed in any_layout),
            "same": geometric_mean(speed.ratio for speed in same_layout),
        },
        "bf16": {**wins(bf16), "any": geometric_mean(speed.ratio for speed in bf16)},
        "regret": {"within": sum(choice.good for choice in choices), "of": len(choices)},
    }


def wins(speeds):
    """In how many cases we are at least as fast as the fastest peer, and how many there are."""
    return {"wins": sum(speed.ratio >= 1 for speed in speeds), "of": len(speeds)}


def goals_line(goals, isa):
    """The numbers in one line; `isa` is the ceiling, or None."""

    def times(mean):
        return f"{mean:.2f}" if mean else "none"

    f32, bf16, regret = goals["f32"], goals["bf16"], goals["regret"]
    words = (
        f"f32 wins {f32['wins']}/{f32['of']}",
        f"any {times(f32['any'])}",
        f"same {times(f32['same'])}",
        f"bf16 wins {bf16['wins']}/{bf16['of']} {times(bf16['any'])}",
        f"regret<=5% {regret['within']}/{regret['of']}",
    )
    return f"goals: {', '.join(words)}" + (f", isa at most {isa}" if isa else "")
