"""Reads the machine code of kernels: the hot loop, the innermost loop of a full register tile, and its figures.

Kernels are object files or archives named [lib]<layout>_<family>_<block>x<columns>_s<stride>_[<types>_]<isa>.(o|a);
without types, elements are f32.
"""

import collections
import re
import shutil
import subprocess

from unstride_bench.assembly import X86, assembly_of, jump_target, read_instructions, with_label
from unstride_bench.instruction_sets import ISAS, lanes_of
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.layer_table import LAYOUTS

VECTOR_ISAS = [isa.name for isa in ISAS.values() if isa.device == "cpu" and isa.fma]


def name_pattern(isas):
    """Matches the names of kernels of some instruction sets."""
    return re.compile(
        rf"(?:lib)?(?P<name>(?:[a-z_]+_)?(?P<layout>{'|'.join(LAYOUTS)})_(?P<family>{'|'.join(FAMILIES)})_"
        r"(?P<block>\d+)x(?P<columns>\d+)_s\d+_(?:k\d+s\d+_)?(?:(?P<types>f64|b?f16(?:_f32)?)_)?"
        rf"(?P<isa>{'|'.join(isas)}))\.[ao]$"
    )


NAME = name_pattern(VECTOR_ISAS)
FUNCTION = re.compile(r"^[0-9a-f]+ <.*>:$", re.MULTILINE)

Figures = collections.namedtuple("Figures", "fmas loads spills instructions")
# What one step of a register tile takes at least; LLVM may unroll a loop to several steps.
Tile = collections.namedtuple("Tile", "fmas loads")


def read_functions(listing, assembly):
    """The instructions of each function of an objdump listing that multiplies; of all functions, if none does.

    The others are most of a listing, and reading them most of the time.
    """
    texts = FUNCTION.split(listing)[1:]
    multiplying = [text for text in texts if any(m in text for m in assembly.multiply_adds)]
    return [read_instructions(text, assembly) for text in multiplying or texts]


def innermost_loops(function, assembly):
    """The loops of a function that have no other loop within: from the target of backward jumps to the last of them."""
    position = {instruction.address: i for i, instruction in enumerate(function)}
    ends = {}
    for end, instruction in enumerate(function):
        start = position.get(jump_target(instruction, assembly))
        if start is not None and start <= end:
            ends[start] = end
    return [function[a : b + 1] for a, b in ends.items() if not any(a < c and d <= b for c, d in ends.items())]


def figures(loop, stack, assembly):
    """Counts multiply-adds; vector loads, which a multiply-add may do itself; and spills, which are stores, and loads
    from the stack. Addresses and counters, even from the stack, are beside the vector units."""
    fmas = loads = spills = 0
    for instruction in loop:
        fmas += instruction.mnemonic.startswith(assembly.multiply_adds)
        if access := assembly.access(instruction):
            register, loaded, stores = access
            is_spill = register in stack or stores
            spills += is_spill
            loads += 0 if is_spill else loaded
    return Figures(fmas, loads, spills, len(loop))


def hot_loop(listing):
    """The hot loop, of several the worst: its figures and its instructions."""
    return hot_loops(listing)[0]


def hot_loops(listing):
    """The innermost loops with the most multiply-adds, the worst first: their figures and their instructions.

    A loop that asks for each of its multiply-adds, at the edges of what exists, counts only where there is no other.

    A Winograd kernel has two kinds: one multiplies by inputs, each of which is broadcast, the other adds up products
    with their sign, and is left out. Loops without multiply-adds, such as those that store a tile, may have broadcasts,
    too.
    """
    assembly, loops = assembly_of(listing), []
    for function in read_functions(listing, assembly):
        stack = assembly.stack(any(map(assembly.is_frame, function)))
        loops += [(figures(loop, stack, assembly), loop) for loop in innermost_loops(function, assembly)]
    candidates = [(f, loop) for f, loop in loops if f.fmas and broadcasts(loop, assembly) > 1] or loops

    def size(candidate):
        return candidate[0].fmas, jumps(candidate[1], assembly) == 1

    most = max(map(size, candidates), default=None)
    hottest = [c for c in candidates if size(c) == most]
    return sorted(hottest, key=lambda c: (-c[0].spills, -c[0].loads)) or [(Figures(0, 0, 0, 0), [])]


def jumps(loop, assembly):
    """How many jumps a loop has, its own back to its beginning included."""
    return sum(bool(assembly.jump.match(i.mnemonic)) for i in loop)


def broadcasts(loop, assembly):
    """How many numbers a loop reads from memory into all lanes of a vector."""
    return sum(bool(assembly.is_broadcast(i)) for i in loop)


def tile_of(match):
    """The multiply-adds and loads that one step of the hot loop takes, for a match of NAME."""
    block, columns, lanes = int(match["block"]), int(match["columns"]), lanes_of(match["name"])
    family = FAMILIES[match["family"]]
    across_columns = family.lanes[match["layout"]] == "columns"
    weights, inputs = (block, columns // lanes) if across_columns else (block // lanes, columns)
    fmas = weights * inputs
    return Tile(fmas, weights + (fmas if family.inputs == "own" else inputs))


def disassemble(path, objdump="objdump"):
    """The listing of an object file or archive."""
    done = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True)
    return done.stdout


def code_bytes(path, objdump="objdump"):
    """Bytes of machine code in an object file or archive."""
    headers = subprocess.run([objdump, "-h", path], check=True, capture_output=True, text=True).stdout
    return sum(int(size, 16) for size in re.findall(r"^\s*\d+ \.text\S*\s+([0-9a-f]+)", headers, re.MULTILINE))


def find_llvm_mca():
    """The newest llvm-mca of the machine, or None."""
    names = [*(f"llvm-mca-{version}" for version in range(30, 10, -1)), "llvm-mca"]
    return next((path for path in map(shutil.which, names) if path), None)


# Two multiply-adds a cycle and two loads, as all processors with AVX2 since 2013 have for vectors of 256 bits, and most
# with AVX-512 for 512. Not the machine's own model: LLVM's of Zen 3 and Zen 4 have one multiply-add a cycle.
MODEL = "skylake-avx512"


def predicted_cycles(loop, llvm_mca, iterations=200, assembly=X86, march="x86-64", model=MODEL):
    """Cycles of one run through a loop if all loads hit the first cache. ValueError says why llvm-mca cannot tell."""
    return _predicted(r"Total Cycles:\s+(\d+)", loop, llvm_mca, iterations, assembly, march, model) / iterations


def least_cycles(loop, llvm_mca, assembly=X86, march="x86-64", model=MODEL):
    """Cycles in which the units of a core could do a loop's instructions, if none waited for another."""
    return _predicted(r"Block RThroughput:\s+([\d.]+)", loop, llvm_mca, 1, assembly, march, model)


def _predicted(number, loop, llvm_mca, iterations, assembly, march, model):
    command = [llvm_mca, f"-march={march}", f"-mcpu={model}", f"-iterations={iterations}"]
    source = "hot_loop:\n" + "".join(with_label(i, assembly, "hot_loop") for i in loop)
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    found = re.search(number, done.stdout)
    if done.returncode or not found:
        raise ValueError((done.stderr.strip() or "no cycles").splitlines()[0])
    return float(found[1])
