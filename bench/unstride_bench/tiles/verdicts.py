"""What the times of tiles say of the catalog: which lines it lacks, and which of its lines never win."""

import collections
import dataclasses
import math

NEAR = 1.02  # what takes at most so many times as long as the fastest is as good
MISSING = 1.05  # a line is missing if it is more than so many times as fast as the catalog, twice


@dataclasses.dataclass
class Standing:
    """How a tile did: how many times as fast as the best of the catalog without it, by layer."""

    tile: object
    in_catalog: bool
    gains: dict = dataclasses.field(default_factory=dict)
    wins: int = 0  # layers on which it was the fastest, or as good
    strides: set = dataclasses.field(default_factory=set)  # of the kernels that the catalog lacks
    missing_on: dict = dataclasses.field(default_factory=dict)  # gains when it was measured again, by layer

    @property
    def best(self):
        """(gain, layer) where it gained most."""
        return max(((gain, layer) for layer, gain in self.gains.items()), default=(0, ""))


def standings(kernels, records):
    """A Standing for each tile of the kernels that was timed, or left out as slow, on a layer.

    `kernels` are TileKernels with whether the catalog has them: pairs of these. `records` are those of `measure`, each
    with the `layer` and its `layout`.
    """
    by_name = {kernel.name: kernel for kernel, _ in kernels}
    of_catalog = {kernel.tile for kernel, in_catalog in kernels if in_catalog}
    found = {kernel.tile: Standing(kernel.tile, kernel.tile in of_catalog) for kernel, _ in kernels}
    for record in records:
        add_catalog(found, by_name, record)
        add_new(found, by_name, record)
        for name in record["slow"]:
            found[by_name[name].tile].gains.setdefault(record["layer"], 0)
    return [standing for standing in found.values() if standing.gains]


def add_catalog(found, by_name, record):
    """Counts what a record says of the catalog: a tile is compared with all others of it. Two kernels that share the
    layer stand for the tiles of both."""
    contestants = [
        ({by_name[each].tile for each in name.split("+")}, seconds) for name, seconds in record["catalog"].items()
    ]
    for tile in set().union(*(tiles for tiles, _ in contestants)):
        own = min(seconds for tiles, seconds in contestants if tile in tiles)
        others = min((seconds for tiles, seconds in contestants if tile not in tiles), default=math.inf)
        found[tile].gains[record["layer"]] = others / own
        found[tile].wins += own <= NEAR * others


def add_new(found, by_name, record):
    """Counts what a record says of new tiles: each is compared with the catalog, and the fastest of them wins."""
    gains, layer = collections.defaultdict(float), record["layer"]
    for name, gain in record["added"].items():
        if name not in record["wrong"]:
            tile = by_name[name].tile
            gains[tile] = max(gains[tile], gain)
    fastest = max([1.0, *gains.values()])
    for tile, gain in gains.items():
        if not found[tile].in_catalog:
            found[tile].gains[layer] = gain
            found[tile].wins += NEAR * gain >= fastest
    fastest = max(record["again"].values(), default=0)
    for name, gain in record["again"].items():
        if gain > MISSING and NEAR * gain >= fastest:
            standing = found[by_name[name].tile]
            standing.strides.add(by_name[name].stride_x)
            standing.missing_on[layer] = max(standing.missing_on.get(layer, 0), gain)


def missing_lines(found):
    """A line for each tile that the catalog lacks, those that gain on most layers first."""
    missing = sorted(
        (s for s in found if s.missing_on), key=lambda s: (-len(s.missing_on), -max(s.missing_on.values()))
    )
    lines = []
    for standing in missing:
        gains = sorted(standing.missing_on.items(), key=lambda item: -item[1])
        words = ", ".join(f"{gain:.2f}x on {layer}" for layer, gain in gains)
        lines.append(f"missing: {standing.tile.line(sorted(standing.strides))} ({words})")
    return lines


def losing_lines(found):
    """A line for each tile of the catalog that was nowhere as good as the fastest of its others."""
    lines = []
    for standing in found:
        if standing.in_catalog and not standing.wins:
            gain, layer = standing.best
            nearest = f"at best {1 / gain:.2f} times as long as the fastest, on {layer}" if gain else "estimated slow"
            lines.append(f"never wins: {standing.tile.line()} (on {count(len(standing.gains), 'layer')}; {nearest})")
    return lines


def count(number, what):
    """A number of things in words: 1 layer, 2 layers."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def table(found):
    """A table for each layout and family, as lines: the tiles of the catalog, and those that won somewhere."""
    groups = collections.defaultdict(list)
    for standing in found:
        if standing.in_catalog or standing.wins:
            tile = standing.tile
            groups[f"{tile.layout} {tile.family} {tile.isa} {tile.dtype}"].append(standing)
    lines = []
    for title, group in groups.items():
        lines += ["", f"{title:34}{'layers':>8}{'wins':>6}{'alone':>7}   most gained"]
        for standing in sorted(group, key=lambda s: (-s.wins, -s.best[0])):
            gain, layer = standing.best
            size = f"{standing.tile.size}{'' if standing.in_catalog else '  new'}"
            alone = sum(each > NEAR for each in standing.gains.values())
            most = f"{gain:.2f}x on {layer}" if 0 < gain < math.inf else ""
            lines.append(f"  {size:32}{len(standing.gains):8}{standing.wins:6}{alone:7}   {most}")
    return lines


def rows(found):
    """The standings as rows of JSON; a gain is null where there was nothing to compare with."""
    return [
        {
            **dataclasses.asdict(standing.tile),
            "in_catalog": standing.in_catalog,
            "wins": standing.wins,
            "gains": {layer: gain if gain < math.inf else None for layer, gain in standing.gains.items()},
            "missing_on": standing.missing_on,
        }
        for standing in found
    ]
