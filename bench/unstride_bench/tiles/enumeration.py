"""Which register tiles there can be: those whose sums keep the multiply-add units busy and fit the vector registers."""

import dataclasses

from unstride_bench.instruction_sets import ISAS, lanes_of_type
from unstride_bench.kernel_families import FAMILIES

# Two multiply-add units that take four cycles each have eight sums under way (docs/performance.md, "What bounds a
# kernel"). With fewer, they wait.
SUMS_UNDER_WAY = 8
# Half of them have to do where there is no more to compute, in a tile of a single channel or a single vector of them;
# and in a depthwise tile, which loads an input for each multiply-add and waits for that, too.
LEAST_SUMS = 4


@dataclasses.dataclass(frozen=True)
class Tile:
    """A line of schedules/catalog.txt, without its strides."""

    layout: str
    family: str
    block: int
    columns: int
    isa: str
    dtype: str

    @property
    def size(self):
        """Channels by columns, as in 16x4."""
        return f"{self.block}x{self.columns}"

    def line(self, strides=()):
        """It as a line of the catalog; without strides, for people to read."""
        of_catalog = [",".join(map(str, strides)), "-"] if strides else []  # it knows nothing of its layer
        words = [self.layout, self.family, self.size, *of_catalog, self.isa]
        return " ".join(word for word in [*words, self.dtype] if word)


@dataclasses.dataclass(frozen=True)
class TileKernel:
    """A kernel of a tile, which interleaves the phases of a stride along x; 1 is for any stride."""

    tile: Tile
    stride_x: int

    @property
    def name(self):
        """The variant's name, as cmake/UnstrideCatalog.cmake makes it."""
        tile = self.tile
        types = "" if tile.dtype == "f32" else f"{tile.dtype.replace('-', '_')}_"
        return f"{tile.layout}_{tile.family}_{tile.size}_s{self.stride_x}_{types}{tile.isa}"


def registers_of(isa):
    """How many vector registers an instruction set has: AVX-512 has 32, those before it 16."""
    return 32 if ISAS[isa].vector_bytes == 64 else 16


def registers_taken(vectors, broadcasts):
    """How many vector registers a tile needs in its inner loop.

    Each product of a vector and a broadcast has an accumulator. Whichever operands are fewer stay in registers
    meanwhile, and the others come through one register, one after the other.
    """
    return vectors * broadcasts + min(vectors, broadcasts) + 1


def least_sums(family, across_channels, vectors, broadcasts):
    """The fewest accumulators of a tile that is worth a try."""
    has_least_channels = (vectors if across_channels else broadcasts) == 1
    return LEAST_SUMS if has_least_channels or FAMILIES[family].inputs == "own" else SUMS_UNDER_WAY


def possible_tiles(layout, family, isa, dtype):
    """All tiles of a family in a layout that fit the registers of an instruction set, by size."""
    registers, across_columns = registers_of(isa), FAMILIES[family].lanes[layout] == "columns"
    found = []
    for vectors in range(1, registers):
        for broadcasts in range(1, registers):
            if registers_taken(vectors, broadcasts) > registers:
                break
            if vectors * broadcasts >= least_sums(family, not across_columns, vectors, broadcasts):
                across = vectors * lanes_of_type(isa, dtype)
                block, columns = (broadcasts, across) if across_columns else (across, broadcasts)
                found.append(Tile(layout, family, block, columns, isa, dtype))
    return sorted(found, key=lambda tile: (tile.block, tile.columns))


def catalog_kernels(listed, isa, dtype):
    """The kernels of an instruction set and type in a build's catalog, `listed` by unstride_command.list_variants.

    Those that know kernel and stride of their layer are left out, as few layers could compare their tiles with others.
    """
    return [
        TileKernel(
            Tile(v["layout"], v["family"], v["tile"]["channels"], v["tile"]["columns"], isa, dtype), v["stride_x"]
        )
        for v in listed
        if v["target"] == isa and v["dtype"] == dtype and v["known_kernel"] == 0
    ]


def new_kernels(catalog):
    """The kernels of all possible tiles that a catalog lacks, with each stride that it has for the family."""
    found, kinds, there = [], {}, set(catalog)
    for kernel in catalog:
        tile = kernel.tile
        kinds.setdefault((tile.layout, tile.family, tile.isa, tile.dtype), set()).add(kernel.stride_x)
    for kind, strides in kinds.items():
        found += [TileKernel(tile, stride) for tile in possible_tiles(*kind) for stride in sorted(strides)]
    return [kernel for kernel in found if kernel not in there]
