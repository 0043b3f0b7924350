"""Runs that visit layers: rounds of Unstride and its peers until each ratio is known, or the time is spent."""

import itertools
import math
import time

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.turns import add_round, process_of, take_turn

# A turn: calls for so many seconds, but two at least.
TURN = {"seconds": 0.03, "least": 2}
# A peer's first call that takes longer is the only one of its turn. Ours may have packed weights in its first call.
PATIENCE = {"patience": 0.5}
VISIT_ROUNDS = 12  # the most while a layer stays loaded; machines change their speed, so later rounds tell more
WORTH_LOADING = 3  # times as long as a layer takes to load is the least that a later visit may take
FIRST_VISITS = 0.8  # the part of the time that the first visits of all layers may take


def size(layer):
    """Multiply-adds of a layer, not looking at borders. The first visits begin with the smallest layers, which leave
    time that is theirs to the others."""
    return math.prod((*layer.input_shape, *layer.kernel_size, layer.out_channels)) // layer.groups


def first_call(row):
    """The seconds of the call with which a peer was loaded, in a list, where that took longer than the patience and no
    other call is there: a turn would be one such call."""
    seconds = row.get("first_call_seconds", 0)
    return [seconds] if seconds > PATIENCE["patience"] and "samples" not in row else []


class Visits:
    """Measures layers in visits, each of which loads a layer, takes rounds, and unloads it.

    The rows of the document are all that it knows, so that a run can go on where another one ended. A kind of run has
    `parts`, those of the document in which its rows are, and says which rows there are and what is asked about them.
    """

    parts = ("results",)

    def __init__(self, benchmark, clock=time.monotonic):
        """`benchmark` has the document, the processes, the loader and the names of all variants."""
        self.benchmark, self.document, self.clock = benchmark, benchmark.document, clock
        self.load_seconds = {}  # by layer: what the last visit took before its first round

    def run(self, layers, until, report=lambda layer, seconds: None):
        """Visits all layers that the document lacks, whatever time that takes, and then those that are in doubt, until
        the clock says `until`. After each visit the document is saved, and `report` is told about it."""
        known = {layer["name"] for layer in self.document["layers"]}
        missing = [layer for layer in layers if layer.name not in known]
        missing.sort(key=size)
        first_visits_end = self.clock() + FIRST_VISITS * (until - self.clock())
        for position, layer in enumerate(missing):
            self.visit(layer, self.part_of_time(first_visits_end, len(missing) - position), report)
        while doubtful := self.doubtful_layers(layers, until):
            for position, layer in enumerate(doubtful):
                if self.fits(layer, until):
                    part = self.part_of_time(until, len(doubtful) - position)
                    worth_loading = self.clock() + WORTH_LOADING * self.load_seconds.get(layer.name, 0)
                    self.visit(layer, min(max(part, worth_loading), until), report)

    def part_of_time(self, until, count):
        """When a visit ends that has one of `count` equal parts of the time that is left."""
        now = self.clock()
        return now + max(until - now, 0) / count

    def fits(self, layer, until):
        """Whether there is time to visit a layer again."""
        return self.clock() + self.load_seconds.get(layer.name, 0) < until

    def doubtful_layers(self, layers, until):
        """The layers that need and can have more rounds, those first whose ratios are the least certain."""
        doubts = {layer: max(each.doubt() for each in self.comparisons(layer)) for layer in layers}
        doubtful = [layer for layer, doubt in doubts.items() if doubt > 1 and self.fits(layer, until)]
        return sorted(doubtful, key=doubts.get, reverse=True)

    def visit(self, layer, until, report):
        """Takes rounds of a layer, one at least, until nothing is in doubt or the clock says `until`."""
        begin = self.clock()
        first = layer.name not in {each["name"] for each in self.document["layers"]}
        if first:
            for part in self.parts:  # an interrupted visit may have left rows
                self.document[part] = [row for row in self.document[part] if row["layer"] != layer.name]
            self.add_rows(layer)
            loaded = [row for part in self.parts for row in self.rows(layer, part)]
        else:
            loaded = self.rows_to_load(layer, [row for row in self.rows_in_doubt(layer) if "who" in row])
        self.benchmark.loader.load(layer, loaded)
        if first:
            self.after_load(layer)
        self.load_seconds[layer.name] = self.clock() - begin
        for count in range(VISIT_ROUNDS):
            if (count and self.clock() >= until) or not self.take_round(layer, loaded, backwards=count % 2 == 1):
                break
        if first:
            self.benchmark.add_layer(layer)
        self.benchmark.unload()
        self.benchmark.save()
        report(layer, self.clock() - begin)

    def rows(self, layer, part):
        """The rows of a layer in a part of the document."""
        return [row for row in self.document[part] if row["layer"] == layer.name]

    def add_rows(self, layer):
        """Adds the rows of a layer that are loaded for its first visit: for Unstride and its peers."""
        self.document["results"] += self.rows_of_libraries(layer)

    def rows_of_libraries(self, layer):
        """A row for each library and layout, ours first."""
        layouts = {"unstride": LAYOUTS, **{peer.name: peer.layouts for peer in self.benchmark.peers}}
        return [{"layer": layer.name, "layout": layout, "who": who} for who in layouts for layout in layouts[who]]

    def rows_to_load(self, layer, wanted):
        """The rows to load for a later visit, in which those that are wanted have turns."""
        first_row = self.rows(layer, "results")[0]  # whose output the peers' is compared with
        return wanted if first_row in wanted else [first_row, *wanted]

    def after_load(self, layer):
        """Is called when a layer has been loaded for its first visit."""

    def after_round(self, layer):
        """Is called after each round."""

    def comparisons(self, layer):
        """What is asked about a layer."""
        raise NotImplementedError

    def rows_in_doubt(self, layer):
        """The rows that need turns, in the order of the document."""
        needed = []
        for comparison in self.comparisons(layer):
            if comparison.doubt() > 1:
                needed += [id(row) for row in (comparison.ours, *comparison.contenders())]
        return [row for part in self.parts for row in self.rows(layer, part) if id(row) in needed]

    def take_round(self, layer, loaded, backwards):
        """Gives each row in doubt a turn, in order or backwards, so that a drift of the machine's speed favours nobody;
        whether there was any. Rows that came into question after the layer was loaded wait for the next visit."""

        def place(row):
            return process_of(row), row["layout"], row.get("dtype"), row.get("operator")

        ready = {place(row) for row in loaded}
        wanted, samples = [row for row in self.rows_in_doubt(layer) if place(row) in ready], {}
        for row in reversed(wanted) if backwards else wanted:
            turn = TURN if process_of(row).startswith("unstride") else {**TURN, **PATIENCE}
            samples[id(row)] = first_call(row) or take_turn(self.benchmark.worker, row, **turn)
        for row in itertools.chain(*(self.rows(layer, part) for part in self.parts)):
            if id(row) in samples or not (row.get("planned") or "error" in row):
                add_round(row, samples.get(id(row)))
        self.after_round(layer)
        return bool(wanted)
