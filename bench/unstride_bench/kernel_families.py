"""What kernel families there are, from the table generators/family.h, which the generator and the library read."""

import dataclasses
import re

from unstride_bench.source_tree import ROOT

TABLE = ROOT / "generators/family.h"
ROW = re.compile(
    r'^ *{Family::\w+, "(\w+)", Sums::(\w+), Lanes::(\w+), Lanes::(\w+), Inputs::(\w+), Task::\w+, \d+}', re.MULTILINE
)


@dataclasses.dataclass(frozen=True)
class Family:
    """A row of the table, with the names that it has there."""

    name: str
    sums: str  # how a kernel gets at its sums: direct, winograd, taps or pairs
    lanes: dict  # by layout, what its vectors lie across: channels, columns or taps
    inputs: str  # "own" where each output channel has an input channel of its own, so that no load serves several


def read():
    """All families by name, in the order of the table."""
    rows = [match.groups() for match in ROW.finditer(TABLE.read_text())]
    return {
        name: Family(name, sums, {"ncdhw": ncdhw, "ndhwc": ndhwc}, inputs) for name, sums, ncdhw, ndhwc, inputs in rows
    }


FAMILIES = read()
