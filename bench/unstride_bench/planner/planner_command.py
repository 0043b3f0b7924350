"""The command `bench/experiments.py planner`: its options, and what it does with the tables of layers."""

import os
import pathlib

from unstride_bench import layer_table
from unstride_bench.layer_table import LAYOUTS
from unstride_bench.planner import fitting, judging, variant_times
from unstride_bench.planner.measuring import measure
from unstride_bench.planner.variant_times import VariantTimes
from unstride_bench.source_tree import ROOT
from unstride_bench.unstride_command import list_variants
from unstride_bench.worker_process import Worker

TIMES = ROOT / "bench/planner"
FITTED = ROOT / "bench/layers.csv"
JUDGED = ROOT / "bench/more_layers.csv"  # layers that nothing is fitted on


def add_planner(commands):
    """Adds the command `planner`."""
    parser = commands.add_parser("planner", help="times of all variants, what the planner's choices lose, and its fit")
    add, path, processors = parser.add_argument, pathlib.Path, len(os.sched_getaffinity(0))
    add("--build", type=path, default=ROOT / "build", help="where Unstride was built")
    add("--threads", type=int, default=processors, help="of the kernels that are measured")
    add("--layers", metavar="NAMES", help="only these layers, separated by commas")
    add("--times", type=path, metavar="CSV", help="default: bench/planner/<microarchitecture of this machine>.csv")
    add("--budget", type=float, default=170, metavar="SECONDS", help="of --measure, which goes on where it ended")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--measure", action="store_true", help="add to the times what they lack")
    what.add_argument("--judge", action="store_true", help="print what the planner's choices lose")
    what.add_argument("--fit", action="store_true", help="print constants that are fitted on layers.csv")


def names_of(text, tables):
    """The layers of all tables by name, or those of them that a comma-separated text names."""
    layers = {layer.name: layer for table in tables for layer in layer_table.read(table)}
    for name in text.split(",") if text else ():
        if name not in layers:
            raise ValueError(f"there is no layer '{name}' in {' and '.join(table.name for table in tables)}")
    return {name: layers[name] for name in (text.split(",") if text else layers)}


def run_planner(arguments):
    """Does what the options say. Raises OSError, ValueError and WorkerError."""
    worker = Worker([str(arguments.build / "bin/unstride_bench_worker"), str(arguments.threads)])
    try:
        machine = worker.ask("processor")
        path = arguments.times or TIMES / f"{machine['microarchitecture']}.csv"
        if arguments.measure:
            measure_times(arguments, worker, machine, path)
            return
        measured, tables = variant_times.read(path), {t: names_of(arguments.layers, [t]) for t in tables_of(arguments)}
        for table, layers in tables.items():
            print(f"{table.name}\n{judging.report_of(judging.judge(worker, layers, measured))}")
        if arguments.fit:
            print_fit(worker, tables, measured)
    finally:
        worker.close()


def tables_of(arguments):
    """The tables that the layers of the options are from: those of a name are in one of them."""
    if not arguments.layers:
        return [FITTED, JUDGED]
    names = set(arguments.layers.split(","))
    return [t for t in (FITTED, JUDGED) if names <= {layer.name for layer in layer_table.read(t)}] or [FITTED]


def measure_times(arguments, worker, machine, path):
    """Measures what a table of times lacks, and writes it after each layer."""
    layers = names_of(arguments.layers, [FITTED, JUDGED]).values()
    measured = variant_times.read(path) if path.exists() else VariantTimes(machine, [])
    same = ("cpu", "isa", "threads")
    if any(measured.machine[name] != machine[name] for name in same):
        raise ValueError(f"{path} has times of another machine or number of threads")
    here = measurable(list_variants(arguments.build))
    variants = {layout: [v["name"] for v in here if v["layout"] == layout] for layout in LAYOUTS}
    done = measure(worker, layers, variants, measured, arguments.budget, lambda: variant_times.write(measured, path))
    print(f"{path}: {len(measured.times)} times" + ("" if done else "; the same command goes on"))


def measurable(listed):
    """Those of `unstride list` that run f32 on this processor, with FMA if any has it: the planner takes no others."""
    here = [v for v in listed if v["runs_here"] and v["device"] == "cpu" and v["dtype"] == "f32"]
    return [v for v in here if v["fma"] == any(other["fma"] for other in here)]


def print_fit(worker, tables, measured):
    """Prints fitted constants, and what choices by them lose on the layers of both tables."""
    times = measured.cases()
    parts = {table: judging.parts_of(worker, layers, measured) for table, layers in tables.items()}
    storing, staging = fitting.fit(times, parts[FITTED])
    name = measured.machine["microarchitecture"]
    print(f"{name}: multiply storing by {storing:.3g} and staging by {staging:.3g}, fitted on {FITTED.name}")
    for table, answers in parts.items():
        for label, constants in (("as they are", (1, 1)), ("fitted", (storing, staging))):
            chosen = fitting.choices(answers, *constants)
            judged = [judging.judge_case(case, name, times[case]) for case, name in chosen.items()]
            print(f"  {table.name}, {label}: {judging.summary_of(judged)}")
