"""The command bench/bench.py: its options, and the way through the layers."""

import argparse
import os
import pathlib
import sys
import time

from unstride_bench import layer_table
from unstride_bench.benchmark import PARTS, Benchmark
from unstride_bench.peers import CEILINGS, PEERS
from unstride_bench.report.html_pages import write_report
from unstride_bench.source_tree import ROOT
from unstride_bench.worker_process import WorkerError

VARIANTS_HELP = "which variants to compare: those with vector instructions (default), all, or none"
LAYER_KERNELS_HELP = "a worker with kernels for layers of the table; default: that of the build, if it is there"


def parse_options(description):
    """The options of the command line, with their defaults filled in."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, path = parser.add_argument, pathlib.Path
    add("--build", type=path, default=ROOT / "build", help="where Unstride was built")
    add("--peers", metavar="PYTHON", help="measure peers too, run by this Python")
    add("--only", metavar="NAMES", help="only these peers: " + ", ".join(p.name for p in PEERS))
    add("--layers", metavar="NAMES", help="only these layers, separated by commas")
    add("--layers-file", type=path, default=layer_table.DEFAULT, metavar="CSV")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)))
    isa_help = "no higher instruction set, for Unstride and the peers that can"
    add("--isa", choices=sorted(CEILINGS), help=isa_help)
    add("--rounds", type=int, default=3, help="turns of everyone on each layer (default: 3)")
    add("--seconds", type=float, default=0.3, help="length of a turn (default: 0.3)")
    add("--variants", choices=("fast", "all", "planned"), default="fast", help=VARIANTS_HELP)
    add("--layer-kernels", type=path, metavar="WORKER", help=LAYER_KERNELS_HELP)
    add("--minutes", type=float, default=float("inf"), help="begin no layer after this time")
    add("--json", type=path, help="default: bench.json in the build folder")
    add("--html", type=path, help="the report; default: beside the JSON")
    add("--resume", action="store_true", help="keep the layers that are in the JSON already")
    options = parser.parse_args()
    options.json = options.json or options.build / "bench.json"
    options.html = options.html or options.json.with_suffix(".html")
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
    """A line about a layer: our times, and how many times as long the fastest peer takes."""
    rows = [row for row in document["results"] if row["layer"] == layer.name]
    peers = [row for row in rows if row["who"] != "unstride" and "seconds" in row]
    fastest = min(peers, key=lambda row: row["seconds"], default=None)
    words = []
    for row in rows:
        if row["who"] == "unstride":
            words.append(f"{row['layout']} {1e3 * row['seconds']:9.3f} ms")
            if fastest:
                words[-1] += f" {fastest['seconds'] / row['seconds']:6.2f}x"
    if fastest:
        words.append(f"fastest peer: {document['peers'][fastest['who']]['label']} {fastest['layout']}")
    failed = sorted({row["who"] for row in rows if "error" in row})
    if failed:
        words.append("failed: " + ", ".join(failed))
    return f"{layer.name:14} {'   '.join(words)}   [{seconds:.0f} s]"


def measure_layers(benchmark, layers, minutes):
    """Measures the layers that the document lacks, as long as there is time to begin one; saves after each."""
    document, begin = benchmark.document, time.monotonic()
    benchmark.begin()
    done = {layer["name"] for layer in document["layers"]}
    for layer in layers:
        if layer.name in done:
            continue
        if time.monotonic() - begin > 60 * minutes:
            print("no time for more layers; --resume measures the rest", flush=True)
            break
        start = time.monotonic()
        for part in PARTS:  # an interrupted run may have left rows of this layer
            document[part] = [row for row in document[part] if row["layer"] != layer.name]
        benchmark.measure(layer)
        benchmark.save()
        print(progress_line(document, layer, time.monotonic() - start), flush=True)
    benchmark.measure_machine()


def main(description):
    """Runs bench/bench.py, whose description begins the help."""
    options = parse_options(description)
    layers = chosen_layers(options)
    benchmark = Benchmark(options)
    try:
        measure_layers(benchmark, layers, options.minutes)
    except KeyboardInterrupt:
        print("\nstopped; --resume goes on", flush=True)
    except WorkerError as error:
        sys.exit(f"unstride: {error}")
    finally:
        benchmark.close()
    document = benchmark.document
    if document["layers"]:
        finished = {layer["name"] for layer in document["layers"]}
        for part in PARTS:
            document[part] = [row for row in document[part] if row["layer"] in finished]
        benchmark.save()
        experiments = os.path.relpath(options.build / "experiments", options.html.parent)
        write_report(document, options.html, experiments)
        print(f"wrote {options.json} and {options.html}")
