"""What instruction sets there are, from the table schedules/isas.txt, which the build reads, too."""

import collections
import pathlib

TABLE = pathlib.Path(__file__).parents[1] / "schedules/isas.txt"

Isa = collections.namedtuple("Isa", "name device processor rank vector_bytes fma above target features")


def read():
    """All, by name; of a name that several kinds of processors have, that of x86-64, which is the first."""
    isas = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            row = Isa(*line.split())
            numbers = {"rank": int(row.rank), "vector_bytes": int(row.vector_bytes)}
            isas.setdefault(row.name, row._replace(**numbers, fma=row.fma == "yes"))
    return isas


ISAS = read()


def lanes_of(variant):
    """Sums in a vector of a kernel, from its name, which ends with its type (unless it is f32) and instruction set."""
    words = variant.split("_")
    return ISAS[words[-1]].vector_bytes // (8 if "f64" in words else 4)
