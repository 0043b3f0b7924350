"""Makes a layer ready in the processes that take turns, and compares their outputs."""

import pathlib
import shutil
import tempfile

import numpy as np

from unstride_bench.turns import OURS, process_of
from unstride_bench.worker_process import WorkerError

FIGURES = ("flops", "compulsory_bytes")  # what Unstride says of a layer


def first_row(row):
    """Whether a row is that of Unstride in ncdhw and f32, whose output the others are compared with."""
    return row["who"] == "unstride" and row["layout"] == "ncdhw" and not {"dtype", "operator"} & set(row)


class Loader:
    """Loads layers for rows of the document."""

    def __init__(self, worker_of, memory):
        """`worker_of` gives the process of a name; `memory` is whether to find out what a forward takes of it."""
        self.worker_of, self.memory = worker_of, memory
        self.figures = {}  # of the layer that was loaded last

    def load(self, layer, rows):
        """Makes a layer ready for each row, and adds what is known about it then. One that fails has an `error`; raises
        WorkerError if that is Unstride."""
        with tempfile.TemporaryDirectory(prefix="unstride-bench-") as folder:
            for row in sorted(rows, key=first_row, reverse=True):
                try:
                    self.load_row(layer, row, pathlib.Path(folder))
                except WorkerError as error:
                    if row["who"] == "unstride":
                        raise
                    row["error"] = str(error)

    def load_row(self, layer, row, folder):
        """Makes a layer ready for a row. The first output stays in `folder`, with what it was made of."""
        worker = self.worker_of(process_of(row))
        if "operator" in row and row["who"] in OURS:
            self.compute_gradient(worker, row, folder)
            return
        request = {"layer": layer.text, "layout": row["layout"], "memory": self.memory}
        if row["who"] not in OURS:
            row.update(worker.ask("load", **request, **dtype_of(row), **operator_of(row), data=str(folder)))
        elif "dtype" in row:
            self.add_answer(row, worker.ask("load", **request, **dtype_of(row)))
            if "difference" not in row:
                row.update(worker.ask("check", layout=row["layout"], **dtype_of(row)))
        elif "difference" in row and not first_row(row):  # as it was loaded before
            self.add_answer(row, worker.ask("load", **request))
        else:
            save = folder if first_row(row) else folder / row["who"] / row["layout"]
            save.mkdir(parents=True, exist_ok=True)
            self.add_answer(row, worker.ask("load", **request, save=str(save)))
            expected, found = (np.load(path / "output.npy", mmap_mode="r") for path in (folder, save))
            row["difference"] = float(np.abs(found - expected).max() / np.abs(expected).max())
            if not first_row(row):
                shutil.rmtree(save)

    def compute_gradient(self, worker, row, folder):
        """Has Unstride compute a gradient of a layer that it has loaded. That in ncdhw, which the others are compared
        with, stays in `folder`."""
        save = folder if row["layout"] == "ncdhw" else folder / "gradients" / row["layout"]
        save.mkdir(parents=True, exist_ok=True)
        name = f"{row['operator']}.npy"
        row.update(worker.ask("gradient", layout=row["layout"], operator=row["operator"], save=str(save)))
        expected, found = (np.load(path / name, mmap_mode="r") for path in (folder, save))
        row["difference"] = float(np.abs(found - expected).max() / np.abs(expected).max())

    def add_answer(self, row, answer):
        """Adds what Unstride answers to a row, but for the figures, which are the layer's: in f32, in any layout."""
        figures = {name: answer.pop(name) for name in FIGURES}
        if first_row(row):
            self.figures = figures
        row.update(answer)


def operator_of(row):
    """The operator of a row as part of a request; forward is not named."""
    return {"operator": row["operator"]} if "operator" in row else {}


def dtype_of(row):
    """The element type of a row as part of a request; f32 is not named."""
    return {"dtype": row["dtype"]} if "dtype" in row else {}
