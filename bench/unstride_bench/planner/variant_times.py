"""The times of variants on layers, as a table that is checked in: bench/planner/<microarchitecture>.csv.

It begins with lines `# name: value`, which describe the machine as the worker's `plan` takes it.
"""

import csv
import dataclasses
import io

COLUMNS = ("layer", "layout", "variant", "rows", "seconds")


@dataclasses.dataclass(frozen=True)
class Time:
    """The least time of a variant, or of two that share a layer (joined by +), with its split."""

    layer: str
    layout: str
    variant: str
    rows: int  # output rows of a task
    seconds: float


@dataclasses.dataclass
class VariantTimes:
    """A machine, and what was measured on it."""

    machine: dict
    times: list

    def cases(self):
        """The times of each (layer, layout), by variant."""
        found = {}
        for time in self.times:
            found.setdefault((time.layer, time.layout), {})[time.variant] = time.seconds
        return found


def parse(text):
    """The times of a table. Raises ValueError for one of another form."""
    lines = text.splitlines()
    head = [line[2:].partition(": ") for line in lines if line.startswith("# ")]
    machine = {name: parse_value(value) for name, _, value in head}
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise ValueError(f"a table of times needs the columns {', '.join(COLUMNS)}")
    times = [Time(r["layer"], r["layout"], r["variant"], int(r["rows"]), float(r["seconds"])) for r in rows]
    return VariantTimes(machine, times)


def parse_value(text):
    """A number where a text is one, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def table_of(measured):
    """The text that `parse` reads."""
    out = io.StringIO()
    for name, value in measured.machine.items():
        out.write(f"# {name}: {value}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for t in measured.times:
        writer.writerow((t.layer, t.layout, t.variant, t.rows, f"{t.seconds:.4g}"))
    return out.getvalue()


def read(path):
    """The times of a file. Raises OSError, and ValueError as `parse` does."""
    return parse(path.read_text())


def write(measured, path):
    """Replaces a file; whoever reads it meanwhile sees the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(table_of(measured))
    partial.replace(path)
