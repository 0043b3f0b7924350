"""The command bench/bench.py: its options, and the way through the layers."""

import argparse
import math
import os
import pathlib
import sys
import time

from unstride_bench import layer_table
from unstride_bench.benchmark import PARTS, Benchmark
from unstride_bench.goals_run import GoalsRun
from unstride_bench.gradients_run import GradientsRun
from unstride_bench.layer_table import LAYOUTS
from unstride_bench.peers import CEILINGS, PEERS
from unstride_bench.report.benchmark_summary import Summary
from unstride_bench.report.goal_numbers import goal_numbers, goals_line
from unstride_bench.report.gradient_numbers import gradient_numbers, gradient_table, gradients_line
from unstride_bench.report.html_pages import write_report
from unstride_bench.report.number_texts import interval_text
from unstride_bench.source_tree import ROOT
from unstride_bench.worker_process import WorkerError

RUNS = {"goals": GoalsRun, "gradients": GradientsRun}  # what --only asks for
MINUTES_OF_RUNS = 15
VARIANTS_HELP = "which variants to compare: those with vector instructions (default), all, or none"
ONLY_HELP = """measure only what tells of the project's goals: the planner's choice in f32 and bf16 beside the peers,
and in f32 beside the best variant; or only forward and the gradients beside PyTorch's; rounds go to the ratios that are
the least certain, so --rounds, --seconds and --variants have no effect"""
MINUTES_HELP = "begin no layer after this time (default: no limit); with --only, the time for all (default: 15)"
LAYER_KERNELS_HELP = "a worker with kernels for layers of the table; default: that of the build, if it is there"


def parse_options(description):
    """The options of the command line, with their defaults filled in."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, path = parser.add_argument, pathlib.Path
    add("--build", type=path, default=ROOT / "build", help="where Unstride was built")
    add("--peers", metavar="PYTHON", help="measure peers too, run by this Python")
    add("--peer-names", metavar="NAMES", help="only these peers: " + ", ".join(p.name for p in PEERS))
    add("--only", choices=tuple(RUNS), help=ONLY_HELP)
    add("--layers", metavar="NAMES", help="only these layers, separated by commas")
    add("--layers-file", type=path, default=layer_table.DEFAULT, metavar="CSV")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)))
    isa_help = "no higher instruction set, for Unstride and the peers that can"
    add("--isa", choices=sorted(CEILINGS), help=isa_help)
    add("--rounds", type=int, default=3, help="turns of everyone on each layer (default: 3)")
    add("--seconds", type=float, default=0.3, help="length of a turn (default: 0.3)")
    add("--variants", choices=("fast", "all", "planned"), default="fast", help=VARIANTS_HELP)
    add("--layer-kernels", type=path, metavar="WORKER", help=LAYER_KERNELS_HELP)
    add("--minutes", type=float, help=MINUTES_HELP)
    add("--json", type=path, help="default: bench.json in the build folder")
    add("--html", type=path, help="the report; default: beside the JSON")
    add("--resume", action="store_true", help="keep the layers that are in the JSON already")
    options = parser.parse_args()
    options.json = options.json or options.build / "bench.json"
    options.html = options.html or options.json.with_suffix(".html")
    if options.minutes is None:
        options.minutes = MINUTES_OF_RUNS if options.only else math.inf
    layer_kernels = options.build / "bin/unstride_bench_layer_kernels"
    if not options.layer_kernels and layer_kernels.exists():
        options.layer_kernels = layer_kernels
    return options


def chosen_layers(options):
    """The layers that --layers names, or all of the table; exits if there is no such layer."""
    layers = layer_table.read(options.layers_file)
    if not options.layers:
        return layers
    by_name = {layer.name: layer for layer in layers}
    try:
        return [by_name[name] for name in options.layers.split(",")]
    except KeyError as error:
        sys.exit(f"--layers: there is no {error}")


def progress_line(document, layer, seconds):
    """A line about a layer: our times, and our speeds beside the fastest peer."""
    summary, words, fastest = Summary(document), [], ""
    speeds = {speed.layout: speed for speed in summary.against_any_layout() if speed.layer == layer.name}
    for layout in LAYOUTS:
        words.append(f"{layout} {1e3 * summary.seconds(layer.name, layout, 'unstride'):9.3f} ms")
        if speed := speeds.get(layout):
            words[-1] += f" {interval_text(speed.measured)}"
            fastest = f"   fastest peer: {summary.label(speed.who)} {speed.peer_layout}"
    rows = [row for row in document["results"] if row["layer"] == layer.name]
    failed = sorted({row["who"] for row in rows if "error" in row})
    if failed:
        fastest += "   failed: " + ", ".join(failed)
    return f"{layer.name:14} {'   '.join(words)}{fastest}   [{seconds:.0f} s]"


def measure_in_visits(benchmark, layers, until):
    """Measures what --only asks for, until the monotonic clock says `until`."""

    def report(layer, seconds):
        print(progress_line(benchmark.document, layer, seconds), flush=True)

    RUNS[benchmark.options.only](benchmark).run(layers, until, report)


def measure_layers(benchmark, layers, until):
    """Measures the layers that the document lacks, as long as there is time to begin one; saves after each."""
    document = benchmark.document
    benchmark.add_other_figures()
    done = {layer["name"] for layer in document["layers"]}
    for layer in layers:
        if layer.name in done:
            continue
        if time.monotonic() > until:
            print("no time for more layers; --resume measures the rest", flush=True)
            break
        start = time.monotonic()
        for part in PARTS:  # an interrupted run may have left rows of this layer
            document[part] = [row for row in document[part] if row["layer"] != layer.name]
        benchmark.measure(layer)
        benchmark.save()
        print(progress_line(document, layer, time.monotonic() - start), flush=True)


def main(description):
    """Runs bench/bench.py, whose description begins the help."""
    options = parse_options(description)
    layers = chosen_layers(options)
    until = time.monotonic() + 60 * options.minutes
    benchmark = Benchmark(options)
    try:
        benchmark.begin()
        (measure_in_visits if options.only else measure_layers)(benchmark, layers, until)
        benchmark.measure_machine()
    except KeyboardInterrupt:
        print("\nstopped; --resume goes on", flush=True)
    except WorkerError as error:
        sys.exit(f"unstride: {error}")
    finally:
        benchmark.close()
    if benchmark.document["layers"]:
        write_everything(benchmark)


def write_everything(benchmark):
    """Writes the JSON, with what belongs to the finished layers, and the report; says what they are, and the goals."""
    document, options = benchmark.document, benchmark.options
    finished = {layer["name"] for layer in document["layers"]}
    for part in PARTS:
        document[part] = [row for row in document[part] if row["layer"] in finished]
    summary = Summary(document)
    if options.only == "goals":
        document["goals"] = goal_numbers(summary)
    if options.only == "gradients":
        document["gradient_goals"] = gradient_numbers(summary)
    benchmark.save()
    experiments = os.path.relpath(options.build / "experiments", options.html.parent)
    write_report(document, options.html, experiments)
    print(f"wrote {options.json} and {options.html}")
    if options.only == "goals":
        print(goals_line(document["goals"], options.isa))
    if options.only == "gradients":
        print(gradient_table(summary))
        print(gradients_line(document["gradient_goals"], options.isa))
