"""Reads the machine code of kernels: the hot loop, the innermost loop of a full register tile, and its figures.

Kernels are object files or archives named [lib]<layout>_<family>_<block>x<columns>_s<stride>_[<types>_]<isa>.(o|a);
without types, elements are f32.
"""

import collections
import re
import shutil
import subprocess

from unstride_bench.instruction_sets import ISAS, lanes_of
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.layer_table import LAYOUTS

VECTOR_ISAS = [isa.name for isa in ISAS.values() if isa.device == "cpu" and isa.fma]
MULTIPLY_ADDS = ("vfmadd", "vdpbf16ps")
NAME = re.compile(
    rf"(?:lib)?(?P<name>(?:[a-z_]+_)?(?P<layout>{'|'.join(LAYOUTS)})_(?P<family>{'|'.join(FAMILIES)})_"
    r"(?P<block>\d+)x(?P<columns>\d+)_s\d+_(?:(?P<types>f64|b?f16(?:_f32)?)_)?"
    rf"(?P<isa>{'|'.join(VECTOR_ISAS)}))\.[ao]$"
)
FUNCTION = re.compile(r"^[0-9a-f]+ <.*>:$", re.MULTILINE)
PREFIXES = re.compile(r"\A(?:(?:lock|rep|notrack|data16|cs|ds|bnd)\s+)+")
JUMP = re.compile(r"j\w+$")
MEMORY = re.compile(r"\((%\w+)?[^)]*\)")
STORE = re.compile(r"\)({%k\d})?$")

Instruction = collections.namedtuple("Instruction", "address mnemonic operands")
Figures = collections.namedtuple("Figures", "fmas loads spills instructions")
# What one step of a register tile takes at least; LLVM may unroll a loop to several steps.
Tile = collections.namedtuple("Tile", "fmas loads")


def read_functions(listing):
    """The instructions of each function of an objdump listing that multiplies; of all functions, if none does.

    The others are most of a listing, and reading them most of the time.
    """
    texts = FUNCTION.split(listing)[1:]
    return [read_instructions(text) for text in texts if any(m in text for m in MULTIPLY_ADDS)] or [
        read_instructions(text) for text in texts
    ]


def read_instructions(text):
    """The instructions of one function."""
    instructions = []
    for line in text.splitlines():
        address, found, words = line.partition(":\t")
        if found:
            mnemonic, _, operands = PREFIXES.sub("", words, 1).partition(" ")
            operands = operands.split("#")[0].split("<")[0].strip()
            instructions.append(Instruction(int(address, 16), mnemonic.strip(), operands))
    return instructions


def innermost_loops(function):
    """The loops of a function that have no other loop within: from the target of backward jumps to the last of them."""
    position = {instruction.address: i for i, instruction in enumerate(function)}
    ends = {}
    for end, instruction in enumerate(function):
        if JUMP.match(instruction.mnemonic) and re.fullmatch(r"[0-9a-f]+", instruction.operands):
            start = position.get(int(instruction.operands, 16))
            if start is not None and start <= end:
                ends[start] = end
    return [function[a : b + 1] for a, b in ends.items() if not any(a < c and d <= b for c, d in ends.items())]


def stack_registers(function):
    """The registers that a function reaches its stack by."""
    has_frame = any(i.mnemonic == "mov" and i.operands == "%rsp,%rbp" for i in function)
    return {"%rsp", "%rbp"} if has_frame else {"%rsp"}


def figures(loop, stack):
    """Counts multiply-adds; vector loads, which a multiply-add may do itself; and spills, which are stores, and loads
    from the stack."""
    fmas = loads = spills = 0
    for instruction in loop:
        if not instruction.mnemonic.startswith("v"):
            continue  # addresses and counters, even from the stack, are beside the vector units
        fmas += instruction.mnemonic.startswith(MULTIPLY_ADDS)
        memory = MEMORY.search(instruction.operands)
        if memory and (memory[1] in stack or STORE.search(instruction.operands)):
            spills += 1
        elif memory:
            loads += 1
    return Figures(fmas, loads, spills, len(loop))


def hot_loop(listing):
    """The innermost loop with the most multiply-adds, of several the worst: its figures and its instructions.

    A loop that asks for each of its multiply-adds, at the edges of what exists, counts only where there is no other.

    A Winograd kernel has two kinds: one multiplies by inputs, each of which is broadcast, the other adds up products
    with their sign, and is left out. Loops without multiply-adds, such as those that store a tile, may have broadcasts,
    too.
    """
    loops = []
    for function in read_functions(listing):
        stack = stack_registers(function)
        loops += [(figures(loop, stack), loop) for loop in innermost_loops(function)]
    candidates = [(f, loop) for f, loop in loops if f.fmas and broadcasts(loop) > 1] or loops
    return max(
        candidates,
        key=lambda c: (c[0].fmas, jumps(c[1]) == 1, c[0].spills, c[0].loads),
        default=(Figures(0, 0, 0, 0), []),
    )


def jumps(loop):
    """How many jumps a loop has, its own back to its beginning included."""
    return sum(bool(JUMP.match(i.mnemonic)) for i in loop)


def broadcasts(loop):
    """How many numbers a loop reads from memory into all lanes of a vector."""

    def is_broadcast(i):
        return MEMORY.search(i.operands) and (i.mnemonic.startswith("vbroadcasts") or "{1to" in i.operands)

    return sum(bool(is_broadcast(i)) for i in loop)


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
    names = ["llvm-mca", *(f"llvm-mca-{version}" for version in range(30, 10, -1))]
    return next((path for path in map(shutil.which, names) if path), None)


# Two multiply-adds a cycle and two loads, as all processors with AVX2 since 2013 have for vectors of 256 bits, and most
# with AVX-512 for 512. Not the machine's own model: LLVM's of Zen 3 and Zen 4 have one multiply-add a cycle.
MODEL = "skylake-avx512"


def predicted_cycles(loop, llvm_mca, iterations=200):
    """Cycles of one run through a loop if all loads hit the first cache. ValueError says why llvm-mca cannot tell."""

    def text(instruction):
        operands = "hot_loop" if JUMP.match(instruction.mnemonic) else instruction.operands
        return f"{instruction.mnemonic} {operands}\n"

    command, source = (
        [llvm_mca, f"-mcpu={MODEL}", f"-iterations={iterations}"],
        "hot_loop:\n" + "".join(map(text, loop)),
    )
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    total = re.search(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    if done.returncode or not total:
        raise ValueError((done.stderr.strip() or "no cycles").splitlines()[0])
    return int(total[1]) / iterations
