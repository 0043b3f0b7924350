#!/usr/bin/env python3
"""Checks the machine code of each kernel's hot loop, the innermost loop of a full register tile.

Usage: hot_loop_test.py [--objdump OBJDUMP] KERNEL...

KERNEL is an object file or archive, named as in bench/unstride_bench/machine_code.py. For each input channel, a tile of
m vectors by n broadcasts takes m * n multiply-adds and m + n loads. For each tap, a depthwise tile takes as many
multiply-adds as loads of inputs, and loads each weight once. LLVM may unroll these loops. A loop with fewer
multiply-adds, with more loads for each, or with a vector register that goes through memory (a spill) fails. So does a
kernel for AVX2 that stores part of a vector under a mask, which takes a dozen cycles
(schedules/parts_of_vectors.cpp).
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
from unstride_bench.assembly import AArch64, assembly_of  # noqa: E402
from unstride_bench.instruction_sets import ISAS  # noqa: E402
from unstride_bench.machine_code import disassemble, hot_loop, name_pattern, tile_of  # noqa: E402

NAME = name_pattern([isa.name for isa in ISAS.values() if isa.device == "cpu"])


def faults(found, tile):
    """What is wrong with a hot loop, as a list of texts."""
    wrong = []
    if found.spills:
        wrong.append(f"{found.spills} spills")
    if found.fmas == 0 or found.fmas % tile.fmas:
        wrong.append(f"{found.fmas} multiply-adds are no multiple of the tile's {tile.fmas}")
    if found.loads * tile.fmas > found.fmas * tile.loads:
        wrong.append(f"{found.loads} loads for {found.fmas} multiply-adds, instead of {tile.loads} for {tile.fmas}")
    return wrong


MASKED_STORE_OF_AVX2 = re.compile(r"vmaskmovp[sd]\s+%[xy]mm\d+,%[xy]mm\d+,")


def masked_stores(listing):
    """What is wrong with the stores of a kernel, as a list of texts."""
    count = len(MASKED_STORE_OF_AVX2.findall(listing))
    return [f"{count} stores under a mask"] if count else []


# What the self-test puts into a hot loop: instructions, and the fault that they are.
FLAWS_OF_X86 = {
    "a store to the stack": (["vmovups %zmm3,0x40(%rsp)"], "1 spills"),
    "a load from the stack": (["vfmadd231ps 0x40(%rsp,%rax,1),%zmm3,%zmm4"], "1 spills"),
    "a masked store elsewhere": (["vmovups %zmm3,0x40(%rax){%k1}"], "1 spills"),
    "a load too many": (["vmovups (%rax,%rcx,4),%zmm3"], "loads for"),
    "a scalar from the stack": (["mov 0x40(%rsp),%rax", "cmp 0x48(%rsp),%rax"], ""),
    "a store under a mask": (["vmaskmovps %ymm3,%ymm4,0x40(%rax)"], "1 stores under a mask"),
}
FLAWS_OF_AARCH64 = {
    "a store to the stack": (["str\tq3, [sp, #64]"], "1 spills"),
    "a load from the stack": (["ldp\tq3, q4, [sp, #64]"], "1 spills"),
    "a store elsewhere": (["st1\t{v3.4s}, [x0], #16"], "1 spills"),
    "a load too many": (["ldr\tq3, [x0, x1, lsl #2]"], "loads for"),
    "a pair too many": (["ldp\tq3, q4, [x0], #32"], "loads for"),
    "a broadcast too many": (["ld1r\t{v3.4s}, [x0]"], "loads for"),
    "a scalar from the stack": (["ldr\tx0, [sp, #64]", "cmp\tx0, x1"], ""),
}


def self_test(listing, tile):
    """Doctors the listing of a sound kernel in its hot loop: each flaw has to be found, and only where it is."""
    lines, assembly = listing.splitlines(), assembly_of(listing)
    fmas = [i for i, line in enumerate(lines) if any(m in line for m in assembly.multiply_adds)]
    # The hot loop is where most multiply-adds follow one another.
    known = set(fmas)
    start = max(fmas, key=lambda i: sum(j in known for j in range(i, i + 2 * tile.fmas)))
    address = lines[start].split(":")[0]

    def doctored(*instructions):
        return "\n".join(lines[:start] + [f"{address}:\t{i}" for i in instructions] + lines[start:])

    def without_half():
        return "\n".join(line for i, line in enumerate(lines) if i not in fmas or i % 2)

    flaws = FLAWS_OF_AARCH64 if assembly is AArch64 else FLAWS_OF_X86
    tests = {
        "the kernel as it is": (listing, ""),
        **{name: (doctored(*instructions), fault) for name, (instructions, fault) in flaws.items()},
        "multiply-adds left out": (without_half(), "no multiple"),
        "no code": ("", "no multiple"),
    }
    for name, (text, expected) in tests.items():
        wrong = "; ".join(faults(hot_loop(text)[0], tile) + masked_stores(text))
        if (expected not in wrong) if expected else wrong:
            sys.exit(f"self-test: {name} gave '{wrong}', expected '{expected}'")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objdump", default="objdump")
    parser.add_argument("kernels", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    failed, tested = 0, False
    print(
        f"{'kernel':36} {'tile: FMAs':>10} {'loads':>5} {'loop: FMAs':>10} {'loads':>5} {'FMAs/load':>9} {'spills':>6} "
        f"{'instructions':>12}"
    )
    for path in sorted(arguments.kernels):
        match = NAME.match(path.name)
        if not match:
            sys.exit(f"{path}: the name is not that of a kernel")
        listing = disassemble(path, arguments.objdump)
        tile, (found, _) = tile_of(match), hot_loop(listing)
        wrong = faults(found, tile) + masked_stores(listing)
        failed += bool(wrong)
        line = (
            f"{match['name']:36} {tile.fmas:10} {tile.loads:5} {found.fmas:10} {found.loads:5} "
            f"{found.fmas / max(found.loads, 1):9.2f} {found.spills:6} {found.instructions:12}  "
            f"{'; '.join(wrong)}".rstrip()
        )
        print(line.rstrip())
        if not wrong and not tested:
            self_test(listing, tile)
            tested = True
    if not tested:
        sys.exit("no kernel is sound enough for the self-test")
    if failed:
        sys.exit(f"{failed} of {len(arguments.kernels)} kernels have a slow hot loop")


if __name__ == "__main__":
    main()
