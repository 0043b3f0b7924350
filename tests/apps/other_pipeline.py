"""Compiles a pipeline of its own for other_halide.cpp, with Halide's runtime.

    python other_pipeline.py FOLDER      writes other_pipeline.o and other_pipeline.h there

sums(x, y) is the sum of input(x .. x + 3, y .. y + 1), for floats. Rows are computed in parallel, through memory that
each of them allocates.
"""

import pathlib
import sys

import halide as hl


def main():
    folder = pathlib.Path(sys.argv[1])
    x, y, column = hl.Var("x"), hl.Var("y"), hl.Var("column")
    image = hl.ImageParam(hl.Float(32), 2, name="input")
    pairs, sums = hl.Func("pairs"), hl.Func("sums")
    pairs[column, y] = image[column, y] + image[column, y + 1]
    sums[x, y] = pairs[x, y] + pairs[x + 1, y] + pairs[x + 2, y] + pairs[x + 3, y]
    pairs.compute_at(sums, y).store_in(hl.MemoryType.Heap)
    sums.parallel(y)
    outputs = {
        hl.OutputFileType.object: str(folder / "other_pipeline.o"),
        hl.OutputFileType.c_header: str(folder / "other_pipeline.h"),
    }
    sums.compile_to(outputs, [image], "other_pipeline", hl.get_host_target())


if __name__ == "__main__":
    main()
