"""Compares schedules that autoschedulers find for Unstride's algorithm with the hand-written ones, on a table of layers.

    bench/experiments.py compare                     every autoscheduler of Halide on every layer: about an hour
    bench/experiments.py compare --layers gcnet      and so on; --help lists the options
    bench/experiments.py compare --plugin Mine=libautoschedule_mine.so,depth=3
    bench/experiments.py search --layer gcnet --layout ncdhw --samples 100
    bench/experiments.py retrain                     the cost model of Adams2019, on the samples of all searches

Whatever an autoscheduler does within its limits, crash or stall or err, is a result. What is there already stays: a run that was
interrupted goes on where it ended. bench/README.md describes the files.
"""

import argparse
import os
import pathlib
import sys

import layer_table
from autoschedulers.comparison import Comparison
from autoschedulers.retraining import retrain
from autoschedulers.schedulers import SCHEDULERS, parse_plugin
from autoschedulers.search import search
from autoschedulers.setup import Setup
from report import write_experiments
from workers import BOTH, WorkerError

ROOT = pathlib.Path(__file__).parents[1]


def names_of(text, known, what):
    names = text.split(",") if text else list(known)
    for name in names:
        if name not in known:
            sys.exit(f"experiments.py: there is no {what} '{name}'; there are {', '.join(known)}")
    return names


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where Unstride was built")
    common.add_argument("--output", type=pathlib.Path, help="default: the folder experiments of the build")
    common.add_argument("--layers-file", type=pathlib.Path, default=layer_table.DEFAULT, metavar="CSV")
    common.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of the kernels")
    common.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="autoschedulers at a time")
    common.add_argument("--isa", help="no higher instruction set; default: the highest that there is here")
    common.add_argument(
        "--time-limit", type=float, default=120, metavar="SECONDS", help="of an autoscheduler on a layer (default: 120)"
    )
    common.add_argument("--memory-limit", type=float, default=8, metavar="GIB", help="of the same (default: 8)")
    common.add_argument(
        "--time-opencl",
        action="store_true",
        help="take times of schedules for GPUs with OpenCL, where there is no CUDA",
    )
    common.add_argument("--rounds", type=int, default=5, help="turns of every schedule on each layer (default: 5)")
    common.add_argument("--seconds", type=float, default=0.15, help="length of a turn (default: 0.15)")

    compare = commands.add_parser("compare", parents=[common], help="autoschedulers with hand-written schedules")
    compare.add_argument("--layers", metavar="NAMES", help="only these layers, separated by commas")
    compare.add_argument("--layouts", metavar="NAMES", help="only this layout")
    compare.add_argument("--schedulers", metavar="NAMES", help="only these: " + ", ".join(s.name for s in SCHEDULERS))
    compare.add_argument("--devices", metavar="NAMES", help="only cpu, or gpu")
    compare.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="NAME[@cpu|@gpu]=LIBRARY[,PARAMETER=VALUE...]",
        help="an autoscheduler of your own; may be given several times",
    )
    compare.add_argument("--thorough", action="store_true", help="also forms and parameters that seldom end well")
    compare.add_argument("--fresh", action="store_true", help="forget what was found before")

    one = commands.add_parser(
        "search", parents=[common], help="many random schedules of Adams2019 or Anderson2021 for a layer, as a dataset"
    )
    one.add_argument("--layer", required=True)
    one.add_argument("--layout", choices=BOTH, default="ncdhw")
    one.add_argument("--scheduler", choices=("Adams2019", "Anderson2021"), default="Adams2019")
    one.add_argument(
        "--samples", type=int, default=32, help="of the dataset, those that are there included (default: 32)"
    )
    one.add_argument(
        "--dropout",
        type=int,
        default=1,
        help="chance in percent that a sample takes the best of all choices (default: 1)",
    )

    model = commands.add_parser(
        "retrain", parents=[common], help="the cost model of Adams2019 on all samples, and schedules before and after"
    )
    model.add_argument("--epochs", type=int, default=50)
    arguments = parser.parse_args()
    arguments.output = arguments.output or arguments.build / "experiments"
    return arguments


def chosen_schedulers(arguments):
    try:
        plugins = [parse_plugin(text) for text in arguments.plugin]
    except ValueError as error:
        sys.exit(f"experiments.py: --plugin: {error}")
    names = names_of(arguments.schedulers, [s.name for s in SCHEDULERS], "autoscheduler")
    devices = names_of(arguments.devices, ("cpu", "gpu"), "device")
    return [s for s in SCHEDULERS if s.name in names and s.device in devices] + plugins


def main():
    arguments = parse_arguments()
    try:
        setup = Setup(arguments)
        layers = {layer.name: layer for layer in layer_table.read(arguments.layers_file)}
    except (OSError, ValueError) as error:
        sys.exit(f"experiments.py: {error}")
    comparison = Comparison(setup, getattr(arguments, "fresh", False))
    try:
        if arguments.command == "compare":
            schedulers = chosen_schedulers(arguments)
            for name in names_of(arguments.layers, layers, "layer"):
                for layout in names_of(arguments.layouts, BOTH, "layout"):
                    comparison.compare(layers[name], layout, schedulers, arguments.thorough)
        elif arguments.command == "search":
            (name,) = names_of(arguments.layer, layers, "layer")
            search(setup, layers[name])
        else:
            retrain(comparison, layers)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on", flush=True)
    except WorkerError as error:
        sys.exit(f"experiments.py: {error}")
    write_experiments(comparison.document, arguments.output / "experiments.html")
    print(f"wrote {arguments.output / 'experiments.json'} and {arguments.output / 'experiments.html'}")


if __name__ == "__main__":
    main()
