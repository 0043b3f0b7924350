"""What instruction sets there are, from the table schedules/isas.txt, which the build reads, too."""

import dataclasses

from unstride_bench.source_tree import ROOT

TABLE = ROOT / "schedules/isas.txt"


@dataclasses.dataclass(frozen=True)
class Isa:
    """A line of the table, which says what its columns are. Of `features` and the like it has the text."""

    name: str
    device: str
    processor: str
    rank: int
    vector_bytes: int
    fma: bool
    above: str
    target: str
    features: str


def read():
    """All, by name; of a name that several kinds of processors have, that of x86-64, which is the first."""
    isas = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            name, device, processor, rank, vector_bytes, fma, *texts = line.split()
            isas.setdefault(name, Isa(name, device, processor, int(rank), int(vector_bytes), fma == "yes", *texts))
    return isas


ISAS = read()


def lanes_of_type(isa, dtype):
    """Sums in a vector of an instruction set: those of elements of f64 are f64, all others f32."""
    return ISAS[isa].vector_bytes // (8 if dtype == "f64" else 4)


def lanes_of(variant):
    """Sums in a vector of a kernel, from its name, which ends with its type (unless it is f32) and instruction set."""
    words = variant.split("_")
    return lanes_of_type(words[-1], "f64" if "f64" in words else "f32")
