"""The command bench/experiments.py: its options, and what it does with the layers."""

import argparse
import contextlib
import os
import pathlib
import sys

from unstride_bench import layer_table
from unstride_bench.autoschedulers.comparison import Comparison
from unstride_bench.autoschedulers.experiment_setup import ExperimentSetup
from unstride_bench.autoschedulers.retraining import retrain
from unstride_bench.autoschedulers.schedulers import SCHEDULERS, parse_plugin
from unstride_bench.autoschedulers.search import search
from unstride_bench.instruction_sets import ISAS
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.layer_table import LAYOUTS
from unstride_bench.planner.planner_command import add_planner, run_planner
from unstride_bench.report.html_pages import write_experiments
from unstride_bench.short_turns import TYPES
from unstride_bench.source_tree import ROOT
from unstride_bench.tiles.tile_search import TileSearch
from unstride_bench.worker_process import WorkerError

STOPPED = "\nstopped; the same command goes on"


def names_of(text, known, what):
    """The names of a comma-separated text, or all that are known if it is empty; exits for one that is not known."""
    names = text.split(",") if text else list(known)
    for name in names:
        if name not in known:
            sys.exit(f"experiments.py: there is no {what} '{name}'; there are {', '.join(known)}")
    return names


def common_options(seconds):
    """A parser of the options that all commands have; a turn has so many seconds by default."""
    parser = argparse.ArgumentParser(add_help=False)
    add, path, processors = parser.add_argument, pathlib.Path, len(os.sched_getaffinity(0))
    add("--build", type=path, default=ROOT / "build", help="where Unstride was built")
    add("--output", type=path, help="default: the folder experiments of the build")
    add("--layers-file", type=path, default=layer_table.DEFAULT, metavar="CSV")
    add("--threads", type=int, default=processors, help="of the kernels")
    add("--jobs", type=int, default=processors, help="generators at a time")
    add("--rounds", type=int, default=5, help="turns of every kernel on each layer (default: 5)")
    add("--seconds", type=float, default=seconds, help=f"length of a turn (default: {seconds})")
    return parser


def autoscheduler_options():
    """A parser of the options that all commands have which run autoschedulers."""
    parser = argparse.ArgumentParser(add_help=False, parents=[common_options(seconds=0.15)])
    add = parser.add_argument
    time_help = "of an autoscheduler on a layer (default: 120)"
    opencl_help = "take times of schedules for GPUs with OpenCL, where there is no CUDA"
    add("--isa", help="no higher instruction set; default: the highest that there is here")
    add("--time-limit", type=float, default=120, metavar="SECONDS", help=time_help)
    add("--memory-limit", type=float, default=8, metavar="GIB", help="of the same (default: 8)")
    add("--time-opencl", action="store_true", help=opencl_help)
    return parser


def add_compare(commands, common):
    """Adds the command `compare`."""
    parser = commands.add_parser("compare", parents=[common], help="autoschedulers with hand-written schedules")
    add, plugin = parser.add_argument, "NAME[@cpu|@gpu]=LIBRARY[,PARAMETER=VALUE...]"
    plugin_help = "an autoscheduler of your own; may be given several times"
    add("--layers", metavar="NAMES", help="only these layers, separated by commas")
    add("--layouts", metavar="NAMES", help="only this layout")
    add("--schedulers", metavar="NAMES", help="only these: " + ", ".join(s.name for s in SCHEDULERS))
    add("--devices", metavar="NAMES", help="only cpu, or gpu")
    add("--plugin", action="append", default=[], metavar=plugin, help=plugin_help)
    add("--thorough", action="store_true", help="also forms and parameters that seldom end well")
    add("--fresh", action="store_true", help="forget what was found before")


def add_search(commands, common):
    """Adds the command `search`."""
    what = "many random schedules of Adams2019 or Anderson2021 for a layer, as a dataset"
    parser = commands.add_parser("search", parents=[common], help=what)
    add, schedulers = parser.add_argument, ("Adams2019", "Anderson2021")
    samples_help = "of the dataset, those that are there included (default: 32)"
    dropout_help = "chance in percent that a sample takes the best of all choices (default: 1)"
    add("--layer", required=True)
    add("--layout", choices=LAYOUTS, default="ncdhw")
    add("--scheduler", choices=schedulers, default="Adams2019")
    add("--samples", type=int, default=32, help=samples_help)
    add("--dropout", type=int, default=1, help=dropout_help)


def add_retrain(commands, common):
    """Adds the command `retrain`."""
    what = "the cost model of Adams2019 on all samples, and schedules before and after"
    parser = commands.add_parser("retrain", parents=[common], help=what)
    parser.add_argument("--epochs", type=int, default=50)


def add_tiles(commands):
    """Adds the command `tiles`."""
    what = "all register tiles that fit, to tell which lines schedules/catalog.txt lacks, and which never win"
    parser = commands.add_parser("tiles", parents=[common_options(seconds=0.03)], help=what)
    add = parser.add_argument
    isa_help = "of the kernels; one that does not run here is compiled alone (default: the highest that there is here)"
    add("--layers", metavar="NAMES", help="only these layers, separated by commas")
    add("--layouts", metavar="NAMES", help="only this layout")
    add("--families", metavar="NAMES", help="only these: " + ", ".join(FAMILIES))
    add("--tiles", metavar="SIZES", help="only these new ones, channels x columns, as 16x5,8x8")
    add("--isa", help=isa_help)
    add("--type", choices=TYPES, default="f32", help="of elements (default: f32)")
    add("--compile-only", action="store_true", help="time nothing")
    add("--fresh", action="store_true", help="forget the times that were found before")


def parse_arguments(description):
    """The command and its options, with their defaults filled in."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    common = autoscheduler_options()
    add_compare(commands, common)
    add_search(commands, common)
    add_retrain(commands, common)
    add_tiles(commands)
    add_planner(commands)
    return parser.parse_args()


def chosen_schedulers(arguments):
    """The autoschedulers that the options name, and the plugins; exits for one that there is not."""
    try:
        plugins = [parse_plugin(text) for text in arguments.plugin]
    except ValueError as error:
        sys.exit(f"experiments.py: --plugin: {error}")
    names = names_of(arguments.schedulers, [s.name for s in SCHEDULERS], "autoscheduler")
    devices = names_of(arguments.devices, ("cpu", "gpu"), "device")
    return [s for s in SCHEDULERS if s.name in names and s.device in devices] + plugins


@contextlib.contextmanager
def exits_for(*errors):
    """Ends the program with the words of one of these errors."""
    try:
        yield
    except errors as error:
        sys.exit(f"experiments.py: {error}")


def prepare(arguments):
    """The layers of the table, by name. It also fills in the folder for the output. Raises OSError and ValueError."""
    arguments.output = arguments.output or arguments.build / "experiments"
    return {layer.name: layer for layer in layer_table.read(arguments.layers_file)}


def run_tiles(arguments):
    """The command `tiles`. Raises OSError, ValueError and WorkerError."""
    layers = prepare(arguments)
    chosen = [layers[name] for name in names_of(arguments.layers, layers, "layer")]
    layouts = names_of(arguments.layouts, LAYOUTS, "layout")
    families = names_of(arguments.families, FAMILIES, "family") if arguments.families else []
    if arguments.isa:
        names_of(arguments.isa, [isa.name for isa in ISAS.values() if isa.device == "cpu"], "instruction set")
    TileSearch(arguments, layouts, families).run(chosen)


def run_autoschedulers(arguments):
    """The commands about autoschedulers, which share a document and a report. Raises OSError, ValueError and
    WorkerError."""
    layers, setup = prepare(arguments), ExperimentSetup(arguments)
    comparison = Comparison(setup, getattr(arguments, "fresh", False))
    try:
        if arguments.command == "compare":
            schedulers = chosen_schedulers(arguments)
            for name in names_of(arguments.layers, layers, "layer"):
                for layout in names_of(arguments.layouts, LAYOUTS, "layout"):
                    comparison.compare(layers[name], layout, schedulers, arguments.thorough)
        elif arguments.command == "search":
            (name,) = names_of(arguments.layer, layers, "layer")
            search(setup, layers[name])
        else:
            retrain(comparison, layers)
    except KeyboardInterrupt:
        print(STOPPED, flush=True)
    write_experiments(comparison.document, arguments.output / "experiments.html")
    print(f"wrote {arguments.output / 'experiments.json'} and {arguments.output / 'experiments.html'}")


RUNS = {"tiles": run_tiles, "planner": run_planner}  # of commands that have nothing to do with autoschedulers


def main(description):
    """Runs bench/experiments.py, whose description begins the help."""
    arguments = parse_arguments(description)
    try:
        with exits_for(OSError, ValueError, WorkerError):
            RUNS.get(arguments.command, run_autoschedulers)(arguments)
    except KeyboardInterrupt:
        print(STOPPED, flush=True)
