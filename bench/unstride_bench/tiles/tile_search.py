"""The search: compiles all tiles of some families, times them layer by layer, and writes and prints what it found."""

import json
import sys

from unstride_bench.autoschedulers.candidates import CandidateError
from unstride_bench.autoschedulers.generator import generator_hash, read_build
from unstride_bench.json_files import save_json
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.tiles import verdicts
from unstride_bench.tiles.compiled_tiles import compile_kernels
from unstride_bench.tiles.contest import LayerContest, measure, sums_like
from unstride_bench.tiles.enumeration import catalog_kernels, new_kernels
from unstride_bench.unstride_command import ceiling_of, list_variants
from unstride_bench.worker_process import Worker


class TileSearch:
    """Searches with the options of the command line, and keeps what it finds in `document`, which tiles.json holds."""

    def __init__(self, arguments, layouts, families):
        """`families` may be empty, for all that the catalog has. Raises OSError if there is no build, ValueError if its
        catalog has no kernels for what the options name; exits if what was found before has other settings."""
        self.arguments, self.layouts, self.build = arguments, layouts, read_build(arguments.build)
        listed = [v for v in list_variants(arguments.build) if v["device"] == "cpu" and v["layout"] in layouts]
        here = [v for v in listed if v["runs_here"] and v["dtype"] == arguments.type]
        self.isa = arguments.isa or max(here, key=lambda v: v["rank"], default={"target": "this machine"})["target"]
        self.runs_here = any(v["target"] == self.isa for v in here)
        self.catalog = catalog_kernels(listed, self.isa, arguments.type)
        self.possible = new_kernels(self.catalog)
        self.wanted = self.choose(families)
        self.folder = arguments.output / "tiles" / generator_hash(self.build)
        self.path = arguments.output / "tiles.json"
        self.document = self.begin()
        self.sound = []  # the kernels that can be timed, once they are compiled

    def choose(self, families):
        """The possible kernels that the options name. Raises ValueError if they name some that there are not."""
        there = [family for family in FAMILIES if any(kernel.tile.family == family for kernel in self.catalog)]
        for family in families or there or ["any family"]:
            if family not in there:
                raise ValueError(f"the catalog has no kernels of {family} for {self.arguments.type} and {self.isa}")
        chosen = [kernel for kernel in self.possible if kernel.tile.family in (families or there)]
        sizes = self.arguments.tiles.split(",") if self.arguments.tiles else ()
        for size in sizes:
            if all(kernel.tile.size != size for kernel in chosen):
                raise ValueError(f"--tiles: {size} is in the catalog, or none that fits the registers of {self.isa}")
        return {kernel for kernel in chosen if not sizes or kernel.tile.size in sizes}

    def begin(self):
        """The document with what was found before, unless --fresh is given."""
        arguments = self.arguments
        settings = {"threads": arguments.threads, "isa": self.isa, "type": arguments.type}
        settings["generator"] = self.folder.name
        if self.path.exists() and not arguments.fresh:
            found = json.loads(self.path.read_text())
            if found["settings"] != settings:
                before = f"{self.path} was made with other settings ({found['settings']})"
                sys.exit(f"experiments.py: {before}; tiles --fresh begins anew")
            return found
        return {"schema": 1, "settings": settings, "kernels": [], "layers": []}

    def run(self, layers):
        """Compiles the tiles, times them on layers, and says what came out; where the instruction set does not run
        here, what their machine code says. Raises WorkerError where a worker or a kernel of the catalog fails."""
        self.compile()
        if self.runs_here and not self.arguments.compile_only:
            self.time(layers)
            self.conclude()
            return
        print_code(self.document["kernels"])
        if not self.runs_here:
            print(f"nothing was timed: this machine does not run {self.isa}")

    def compile(self):
        """Compiles the kernels that are asked for, and what was timed before, and says what became of them."""
        timed = {name for record in self.document["layers"] for name in record["kernels"]}
        kernels = [k for k in self.possible if k in self.wanted or k.name in timed]
        compiled = compile_kernels(self.build, kernels, self.folder, self.arguments.jobs)
        self.sound = [kernel for kernel in kernels if compiled[kernel.name]["status"] == "ok"]
        rows = {row["kernel"]: row for row in self.document["kernels"]}
        rows.update({name: {"kernel": name, **found} for name, found in compiled.items()})
        self.document["kernels"] = list(rows.values())
        self.save()
        statuses = [found["status"] for found in compiled.values()]
        words = [f"{statuses.count(status)} {status}" for status in sorted(set(statuses))]
        print(f"{verdicts.count(len(kernels), 'kernel')} that the catalog lacks: {', '.join(words)}", flush=True)

    def time(self, layers):
        """Times the kernels on layers, beside the catalog's. What is there of a layer stays, unless it lacks some."""
        for layer in layers:
            for layout in self.layouts:
                before = next((r for r in self.document["layers"] if is_of(r, layer, layout)), None)
                if before is None or self.lacking_in(before):
                    known = before["kernels"] if before else ()
                    of_layout = [kernel for kernel in self.sound if kernel.tile.layout == layout]
                    chosen = [kernel for kernel in of_layout if kernel in self.wanted or kernel.name in known]
                    record = {"layer": layer.name, "layout": layout, **self.measure(layer, layout, chosen)}
                    self.document["layers"] = [r for r in self.document["layers"] if r is not before] + [record]
                    self.save()
                    print_record(record)

    def lacking_in(self, record):
        """Whether some of the wanted kernels could run the layer of a record, and were not tried."""
        return any(
            kernel in self.wanted and sums_like(kernel, record["sums"]) and kernel.name not in record["kernels"]
            for kernel in self.sound
            if kernel.tile.layout == record["layout"]
        )

    def measure(self, layer, layout, kernels):
        """The record of a layer in a layout: what `contest.measure` finds, and `fails`, the messages of kernels that
        failed, without which it began again."""
        arguments, fails = self.arguments, {}
        catalog = [kernel for kernel in self.catalog if kernel.tile.layout == layout]
        command = [str(arguments.build / "bin/unstride_bench_worker"), str(arguments.threads)]
        while True:
            worker = Worker(command, ceiling_of(self.isa))
            try:
                worker.ask("load", layer=layer.text, layout=layout)
                contest = LayerContest(worker, layout, arguments.type, arguments.rounds, arguments.seconds)
                sound = [kernel for kernel in kernels if kernel.name not in fails]
                found = measure(contest, catalog, sound, self.folder)
                return {**found, "kernels": found["kernels"] + list(fails), "fails": fails}
            except CandidateError as error:
                if all(kernel.name != error.name for kernel in kernels):
                    raise
                fails[error.name] = str(error)
            finally:
                worker.close()

    def conclude(self):
        """Judges all tiles by what was timed until now: prints it, and adds it to the document."""
        pairs = [*((kernel, True) for kernel in self.catalog), *((kernel, False) for kernel in self.possible)]
        found = []
        for layout in self.layouts:
            records = [record for record in self.document["layers"] if record["layout"] == layout]
            found += verdicts.standings([pair for pair in pairs if pair[0].tile.layout == layout], records)
        missing, losing = verdicts.missing_lines(found), verdicts.losing_lines(found)
        self.document.update(tiles=verdicts.rows(found), missing=missing, never_wins=losing)
        self.save()
        print("\n".join([*verdicts.table(found), "", *missing, *losing]))

    def save(self):
        """Writes the document as it is now."""
        save_json(self.document, self.path)


def is_of(record, layer, layout):
    """Whether a record is of a layer in a layout."""
    return (record["layer"], record["layout"]) == (layer.name, layout)


def print_record(record):
    """A line about a layer."""
    words = f"{verdicts.count(len(record['added']), 'new kernel')} timed"
    if record["again"]:
        name, gain = max(record["again"].items(), key=lambda item: item[1])
        words += f", the best {gain:.2f}x: {name}"
    if not record["catalog"]:
        words = "the planner sums in another way than the tiles do"
    print(f"{record['layer']:13}{record['layout']}  {record['planned']}:  {words}", flush=True)


def print_code(rows):
    """A table of what is known of the machine code of kernels."""
    print(f"{'kernel':44}{'FMAs':>6}{'loads':>7}{'FMAs/load':>11}{'spills':>8}{'cycles':>8}")
    for row in rows:
        figures = f"  {row['status']}: {row['message']}"
        if "fmas" in row:
            cycles = f"{row['predicted_cycles']:.2f}" if "predicted_cycles" in row else "-"
            per_load = row["fmas"] / max(row["loads"], 1)
            figures = f"{row['fmas']:6}{row['loads']:7}{per_load:11.2f}{row['spills']:8}{cycles:>8}"
        print(f"{row['kernel']:44}{figures}")
