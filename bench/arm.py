#!/usr/bin/env python3
"""Prints how near hot loops of kernels for aarch64 come to the limit of the multiply-add units, as llvm-mca sees it.

Usage: arm.py [--objdump OBJDUMP] KERNEL...

KERNEL is an object file, as in build/aarch64/runtime/*_neon.o; activations and the like are left out. For each core
there are the cycles that llvm-mca predicts for a run through the hot loop, if all loads hit the first cache, and how
much of them the units need for the multiply-adds alone. Where a kernel has several such loops, these are of the
slowest. Nothing is measured. It needs llvm-mca of LLVM 17 or later, which has a model of the Neoverse V1. Of the Apple
M1, LLVM's model is that of an older core, which has three units and a latency of eight cycles in place of four and
four.
"""

import argparse
import pathlib
import sys

from unstride_bench.assembly import AArch64
from unstride_bench.instruction_sets import ISAS
from unstride_bench.machine_code import (
    disassemble,
    find_llvm_mca,
    hot_loops,
    least_cycles,
    name_pattern,
    predicted_cycles,
)

NAME = name_pattern([isa.name for isa in ISAS.values() if isa.processor == "aarch64"])
CORES = ("neoverse-v1", "apple-m1", "neoverse-n1")


def prediction(loop, llvm_mca, core):
    """Cycles of one run through a loop, and of its multiply-adds alone."""
    options = {"llvm_mca": llvm_mca, "assembly": AArch64, "march": "aarch64", "model": core}
    fmas = [i for i in loop if i.mnemonic.startswith(AArch64.multiply_adds)]
    return predicted_cycles(loop, **options), least_cycles(fmas, **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objdump", default="aarch64-linux-gnu-objdump")
    parser.add_argument("kernels", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    llvm_mca = find_llvm_mca() or sys.exit("there is no llvm-mca, of Debian's package llvm-19")
    print(f"{'kernel':44} {'FMAs':>4} {'loads':>5}" + "".join(f" {core:>13}" for core in CORES))
    for path in sorted(arguments.kernels):
        match = NAME.match(path.name)
        if not match:
            continue
        loops = hot_loops(disassemble(path, arguments.objdump))
        line = f"{match['name']:44} {loops[0][0].fmas:4} {loops[0][0].loads:5}"
        for core in CORES:
            cycles, least = max(prediction(loop, llvm_mca, core) for _, loop in loops)
            line += f" {cycles:7.2f} {least / cycles:4.0%} "
        print(line.rstrip(), flush=True)


if __name__ == "__main__":
    main()
