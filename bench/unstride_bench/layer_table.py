"""Layers in the format of bench/layers.csv.

This needs nothing but the standard library, as processes of peers read the table, too.
"""

import csv
import dataclasses
import pathlib

from unstride_bench.source_tree import ROOT

DEFAULT = ROOT / "bench/layers.csv"
LAYOUTS = ("ncdhw", "ndhwc")


def triple(text):
    """Three integers, from a text such as 3x5x2."""
    sizes = tuple(int(size) for size in text.split("x"))
    if len(sizes) != 3:
        raise ValueError(f"'{text}' is not of the form DxHxW")
    return sizes


@dataclasses.dataclass(frozen=True)
class Layer:
    """A line of the table. Sizes are of depth, height and width."""

    name: str
    batch: int
    in_channels: int
    out_channels: int
    input_size: tuple
    kernel_size: tuple
    stride: tuple
    padding: tuple
    output_padding: tuple
    dilation: tuple
    groups: int
    source: str
    text: str  # its own table: the header and its line

    @property
    def input_shape(self):
        """(N, C, D, H, W), with fewer of the last three in a layer that `lowered` gave."""
        return (self.batch, self.in_channels, *self.input_size)

    @property
    def output_shape(self):
        """The sizes of the output, in the order of input_shape."""
        numbers = self.input_size, self.stride, self.padding, self.dilation, self.kernel_size, self.output_padding
        sizes = [(n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, s, p, d, k, o in zip(*numbers, strict=True)]
        return (self.batch, self.out_channels, *sizes)

    @property
    def lowered(self):
        """This layer with as many dimensions as it needs, 1 to 3: a peer has an operator of its own for each."""

        def lacks(d):
            ones = self.input_size, self.kernel_size, self.stride, self.dilation
            return all(sizes[d] == 1 for sizes in ones) and self.padding[d] == self.output_padding[d] == 0

        missing = 0
        while missing < 2 and lacks(missing):
            missing += 1
        names = "input_size", "kernel_size", "stride", "padding", "output_padding", "dilation"
        return dataclasses.replace(self, **{name: getattr(self, name)[missing:] for name in names})

    @property
    def summary(self):
        """Its geometry in few words, without what is usual."""

        def short(sizes):
            return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))

        batch = f"{self.batch} x " if self.batch != 1 else ""
        words = [
            f"{batch}{self.in_channels} \N{RIGHTWARDS ARROW} {self.out_channels}",
            f"of {short(self.input_size)}³" if len(set(self.input_size)) == 1 else f"of {short(self.input_size)}",
            f"k{short(self.kernel_size)}",
            f"s{short(self.stride)}",
        ]
        if self.dilation != (1, 1, 1):
            words.append(f"d{short(self.dilation)}")
        if self.groups != 1:
            words.append(f"g{self.groups}")
        return " ".join(words)


def parse(text):
    """The layers of a table. Raises ValueError for one that has other columns, or fields of another form."""
    lines = [line for line in text.splitlines() if line]
    names = {field.name for field in dataclasses.fields(Layer)} - {"text"}
    layers = []
    for line, row in zip(lines[1:], csv.DictReader(lines), strict=True):
        if set(row) != names or None in row.values():
            raise ValueError(f"the layer table needs the columns {', '.join(sorted(names))} in every line")
        fields = {name: parse_field(name, value) for name, value in row.items()}
        layers.append(Layer(**fields, text=f"{lines[0]}\n{line}\n"))
    return layers


def parse_field(name, text):
    """A column's value, from its text: a name, three sizes, or one integer."""
    if name in ("name", "source"):
        return text
    return triple(text) if name.endswith(("size", "stride", "padding", "dilation")) else int(text)


def read(path=DEFAULT):
    """The layers of a file. Raises OSError, and ValueError as `parse` does."""
    return parse(pathlib.Path(path).read_text())
