"""Forward and the gradients side by side, each beside its peers: what `--only gradients` measures."""

import typing

from unstride_bench.gradients_run import GRADIENTS
from unstride_bench.report.benchmark_summary import Speed, geometric_mean


class Operation(typing.NamedTuple):
    """Forward, or a gradient, of a layer in a layout."""

    seconds: float
    fraction: float  # of the time that peak and bandwidth allow, or None for the bias
    any: Speed  # or None
    same: Speed  # or None


class Pass(typing.NamedTuple):
    """All that is known of a layer in a layout."""

    layer: str
    layout: str
    forward: Operation  # or None, as the others
    input: Operation
    weight: Operation
    bias: Operation

    @property
    def operations(self):
        """Forward and the gradients in the order of OPERATIONS."""
        return self[2:]


OPERATIONS = ("forward", *(name.removesuffix("_gradient") for name in GRADIENTS))


def passes(summary):
    """Layers and layouts in the order of the document; none if no gradient was measured."""
    if not summary.document.get("gradients"):
        return []
    by_operator = {}
    for operator in (None, *GRADIENTS):
        rows = [row for row in rows_of(summary, operator) if row["who"] == "unstride" and "seconds" in row]
        rows = [row for row in rows if row["layer"] in summary.layers]  # not what an interrupted run left
        any_layout, same_layout = ({(s.layer, s.layout): s for s in found} for found in speeds_of(summary, operator))
        for row in rows:
            place = row["layer"], row["layout"]
            # The multiply-adds and bytes of the gradients of input and weight are those of forward.
            fraction = None if operator == "bias_gradient" else summary.limit_seconds(row["layer"]) / row["seconds"]
            operation = Operation(row["seconds"], fraction, any_layout.get(place), same_layout.get(place))
            by_operator.setdefault(place, {})[operator] = operation
    return [Pass(*place, *(found.get(each) for each in (None, *GRADIENTS))) for place, found in by_operator.items()]


def rows_of(summary, operator):
    """The rows of forward or of a gradient."""
    rows = summary.document.get("gradients" if operator else "results", [])
    return [row for row in rows if row.get("operator") == operator]


def speeds_of(summary, operator):
    """Our speeds against the fastest peer in any layout, and in the same layout."""
    if operator is None:
        return summary.against_any_layout(), summary.against_same_layout()
    return summary.gradient_speeds(operator, same_layout=False), summary.gradient_speeds(operator, same_layout=True)


def gradient_numbers(summary):
    """The key `gradient_goals` of the JSON. A layer is won where we are at least as fast, in each of our layouts, as
    the fastest peer in any layout; means are over layers and layouts, and null where there is no peer."""
    numbers = {}
    for operator in GRADIENTS:
        any_layout, same_layout = speeds_of(summary, operator)
        lost = {speed.layer for speed in any_layout if speed.ratio < 1}
        layers = {speed.layer for speed in any_layout}
        numbers[operator] = {
            "wins": len(layers - lost),
            "of": len(layers),
            "any": geometric_mean(speed.ratio for speed in any_layout),
            "same": geometric_mean(speed.ratio for speed in same_layout),
        }
    return numbers


def gradients_line(numbers, isa):
    """The numbers in one line; `isa` is the ceiling, or None."""

    def times(mean):
        return f"{mean:.2f}" if mean else "none"

    words = [
        f"{operator.removesuffix('_gradient')} wins {found['wins']}/{found['of']}, "
        f"any {times(found['any'])}, same {times(found['same'])}"
        for operator, found in numbers.items()
    ]
    return f"gradients: {'; '.join(words)}" + (f"; isa at most {isa}" if isa else "")


def gradient_table(summary):
    """A table for the terminal: of each layer in each layout, milliseconds and speeds, in any and in the same
    layout."""
    head = f"{'layer':14} {'layout':6}" + "".join(f" {f'{name}, ms':>11} {'any':>6} {'same':>6}" for name in OPERATIONS)
    lines = [head]
    for row in passes(summary):
        line = f"{row.layer:14} {row.layout:6}"
        for operation in row.operations:
            speeds = (operation.any, operation.same) if operation else (None, None)
            milliseconds = f"{1e3 * operation.seconds:.3f}" if operation else ""
            line += f" {milliseconds:>11}" + "".join(f" {f'{s.ratio:.2f}' if s else '':>6}" for s in speeds)
        lines.append(line.rstrip())
    return "\n".join(lines)
