"""What instructions of x86-64 and of aarch64 do, as objdump lists them: the one place that knows their mnemonics."""

import collections
import re

Instruction = collections.namedtuple("Instruction", "address mnemonic operands")


class X86:
    """In AT&T syntax. A multiply-add, too, may load."""

    multiply_adds = ("vfmadd", "vdpbf16ps")
    comment = "#"
    prefixes = re.compile(r"\A(?:(?:lock|rep|notrack|data16|cs|ds|bnd)\s+)+")
    jump = re.compile(r"j\w+$")
    memory = re.compile(r"\((%\w+)?[^)]*\)")
    store = re.compile(r"\)({%k\d})?$")

    @staticmethod
    def is_frame(instruction):
        """Whether it makes %rbp the frame pointer."""
        return instruction.mnemonic == "mov" and instruction.operands == "%rsp,%rbp"

    @staticmethod
    def stack(has_frame):
        """The registers that reach the stack."""
        return {"%rsp", "%rbp"} if has_frame else {"%rsp"}

    @classmethod
    def access(cls, instruction):
        """The register of a vector's address, how many vectors are loaded, and whether one is stored; or None."""
        memory = instruction.mnemonic.startswith("v") and cls.memory.search(instruction.operands)
        return memory and (memory[1], 1, bool(cls.store.search(instruction.operands)))

    @classmethod
    def is_broadcast(cls, instruction):
        """Whether it reads a number from memory into all lanes of a vector."""
        return cls.memory.search(instruction.operands) and (
            instruction.mnemonic.startswith("vbroadcasts") or "{1to" in instruction.operands
        )


class AArch64:
    """Numbers are loaded into all lanes, or into one by which others multiply."""

    multiply_adds = ("fmla",)
    comment = "//"
    prefixes = re.compile(r"\A(?!)")
    jump = re.compile(r"(b|b\.\w+|cbn?z|tbn?z)$")
    memory = re.compile(r"\[(x\d+|sp)\b[^]]*\]")
    vector = re.compile(r"{?\s*[vqdsh]\d+\b")
    pairs = ("ldp", "ldnp")

    @staticmethod
    def is_frame(instruction):
        """Whether it makes x29 the frame pointer."""
        return instruction.mnemonic in ("mov", "add") and instruction.operands.startswith("x29, sp")

    @staticmethod
    def stack(has_frame):
        """The registers that reach the stack."""
        return {"sp", "x29"} if has_frame else {"sp"}

    @classmethod
    def access(cls, instruction):
        """The register of a vector's address, how many vectors are loaded, and whether one is stored; or None."""
        memory = cls.vector.match(instruction.operands) and cls.memory.search(instruction.operands)
        loads = 2 if instruction.mnemonic in cls.pairs else 1
        return memory and (memory[1], loads, instruction.mnemonic.startswith("st"))

    @classmethod
    def is_broadcast(cls, instruction):
        """Whether it reads a number from memory for all lanes of a vector."""
        is_number = instruction.mnemonic.startswith("ld") and re.match(r"[sd]\d", instruction.operands)
        return instruction.mnemonic == "ld1r" or is_number


def assembly_of(listing):
    """The one that a listing is in, by its header."""
    return AArch64 if "aarch64" in listing.partition("Disassembly")[0] else X86


def read_instructions(text, assembly):
    """The instructions of one function."""
    instructions = []
    for line in text.splitlines():
        address, found, words = line.partition(":\t")
        if found:
            mnemonic, operands = (assembly.prefixes.sub("", words, count=1).split(None, 1) + ["", ""])[:2]
            operands = operands.split(assembly.comment)[0].split("<")[0].strip()
            instructions.append(Instruction(int(address, 16), mnemonic, operands))
    return instructions


def jump_target(instruction, assembly):
    """The address that a jump leads to, or None: it is the last operand."""
    target = assembly.jump.match(instruction.mnemonic) and re.search(r"(?:^|\s)([0-9a-f]+)$", instruction.operands)
    return int(target[1], 16) if target else None


def with_label(instruction, assembly, label):
    """The instruction as a text, in which a jump leads to a label."""
    operands = instruction.operands
    if assembly.jump.match(instruction.mnemonic):
        operands = re.sub(r"[0-9a-f]+$", label, operands)
    return f"{instruction.mnemonic} {operands}\n"
