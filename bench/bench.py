"""Measures Unstride, and peers beside it, on a table of layers; writes the numbers as JSON and a report as HTML.

    bench/bench.py                                   Unstride alone: every fast variant on every layer
    bench/bench.py --peers .venv-peers/bin/python    and the peers of workers.py, with that Python's packages
    bench/bench.py --layers-file mine.csv            layers of your own network, in the form of bench/layers.csv

All take turns, layer by layer and round by round, so that noise of the machine hits all alike. The JSON is written
after each layer, and --resume goes on where it ended. bench/README.md describes it.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import layer_table
import numpy as np
import ptx
from kernels import kernel_figures
from report import write_report
from turns import ShortTurns
from workers import BOTH, LIMITS, PEERS, Worker, WorkerError, environment_of, limit_of, save_json

ROOT = pathlib.Path(__file__).parents[1]
SCAN_SECONDS = 0.03  # for each variant; those within SCAN_MARGIN of the best are then measured as all else is
SCAN_MARGIN = 1.15
PARTS = (
    "results",
    "layer_kernels",
    "variants",
    "epilogues",
    "types",
)  # of the document, with a row for each thing that was measured on a layer


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where Unstride was built")
    parser.add_argument("--peers", metavar="PYTHON", help="measure peers too, run by this Python")
    parser.add_argument("--only", metavar="NAMES", help="only these peers: " + ", ".join(p.name for p in PEERS))
    parser.add_argument("--layers", metavar="NAMES", help="only these layers, separated by commas")
    parser.add_argument("--layers-file", type=pathlib.Path, default=layer_table.DEFAULT, metavar="CSV")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--isa", choices=sorted(LIMITS), help="no higher instruction set, for Unstride and the peers that can"
    )
    parser.add_argument("--rounds", type=int, default=3, help="turns of everyone on each layer (default: 3)")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn (default: 0.3)")
    parser.add_argument(
        "--variants",
        choices=("fast", "all", "planned"),
        default="fast",
        help="which variants to compare: those with vector instructions (default), all, or none",
    )
    parser.add_argument(
        "--layer-kernels",
        type=pathlib.Path,
        metavar="WORKER",
        help="a worker with kernels for layers of the table; default: that of the build, if it is there",
    )
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no layer after this time")
    parser.add_argument("--json", type=pathlib.Path, help="default: bench.json in the build folder")
    parser.add_argument("--html", type=pathlib.Path, help="the report; default: beside the JSON")
    parser.add_argument("--resume", action="store_true", help="keep the layers that are in the JSON already")
    arguments = parser.parse_args()
    arguments.json = arguments.json or arguments.build / "bench.json"
    arguments.html = arguments.html or arguments.json.with_suffix(".html")
    layer_kernels = arguments.build / "bin/unstride_bench_layer_kernels"
    if not arguments.layer_kernels and layer_kernels.exists():
        arguments.layer_kernels = layer_kernels
    return arguments


def output_of(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    return done.stdout.strip() if done.returncode == 0 else ""


def machine_facts():
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # no /etc/os-release
        system = "unknown"
    return {
        "processors": os.cpu_count(),
        "memory_bytes": memory,
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{system}, Linux {platform.release()}",
    }


def unstride_versions(build):
    commit = output_of("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    return {
        "unstride": output_of(str(build / "bin/unstride"), "--version").removeprefix("unstride ")
        + (f" ({commit})" if commit else ""),
        "python": platform.python_version(),
    }


def is_for_layer(row):
    """Whether the planner took a kernel that unstride_add_layer made, which has a name of its own before the layout."""
    return any(not name.startswith(row["layout"] + "_") for name in row["variant"].split("+"))


def forced(variant):
    """What to ask a worker for: two variants that share a layer are the planner's own choice."""
    return "" if "+" in variant else variant


class Run:
    """One measurement: the processes, and the document that becomes the JSON."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.document = {"schema": 1, **{part: [] for part in PARTS}, "layers": []}
        self.workers = {}
        threads, limit = str(arguments.threads), limit_of(arguments.isa)
        self.commands = {"unstride": ([str(arguments.build / "bin/unstride_bench_worker"), threads], limit)}
        self.peers = []
        if arguments.peers:
            names = arguments.only.split(",") if arguments.only else [peer.name for peer in PEERS]
            self.peers = [peer for peer in PEERS if peer.name in names]
            if len(self.peers) != len(names):
                sys.exit("--only: there is no such peer")
        for peer in self.peers:
            command = [arguments.peers, str(ROOT / "bench/peers/worker.py"), peer.module, threads]
            self.commands[peer.name] = command, environment_of(peer, arguments.threads, arguments.isa)
        if arguments.layer_kernels:
            self.commands["layer_kernels"] = [str(arguments.layer_kernels), threads], limit
        self.short_turns = ShortTurns(self.worker, arguments.rounds, arguments.seconds, self.commands)
        listed = json.loads(output_of(str(arguments.build / "bin/unstride"), "list", "--json", **limit))
        self.listed = [v for v in listed if v["dtype"] == "f32"]
        here = [v for v in self.listed if v["device"] == "cpu" and v["runs_here"]]
        fast = [v for v in here if v["fma"]] or here
        self.candidates = {"all": here, "fast": fast, "planned": []}[arguments.variants]

    def worker(self, name):
        if name not in self.workers or not self.workers[name].alive:
            self.workers[name] = Worker(*self.commands[name])
        return self.workers[name]

    def close(self):
        for worker in self.workers.values():
            worker.close()

    def begin(self):
        arguments, document = self.arguments, self.document
        settings = {
            "threads": arguments.threads,
            "isa": arguments.isa,
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "variants": arguments.variants,
        }
        if arguments.resume and arguments.json.exists():
            document.update(json.loads(arguments.json.read_text()))
            if document["settings"] != settings:
                sys.exit(f"{arguments.json} was measured with other settings: {document['settings']}")
        document["settings"] = settings
        document["created"] = datetime.datetime.now().astimezone().isoformat(timespec="minutes")
        print("measuring the machine's peak and bandwidth", flush=True)
        facts = machine_facts()
        measured = self.measure_machine()
        document["machine"].update(facts)
        print(
            "{cpu}, {threads} threads: {peak_gflops:.0f} GFLOP/s, {bandwidth_gbs:.1f} GB/s, {clock_ghz:.2f} GHz".format(
                **measured
            ),
            flush=True,
        )
        if measured["threads"] > document["machine"]["processors"] - document["machine"]["load_average"] + 0.5:
            print(f"warning: the machine is busy, its load is {document['machine']['load_average']}", flush=True)
        document["versions"] = unstride_versions(arguments.build)
        document["peers"] = {
            peer.name: {
                "label": peer.label,
                "note": peer.note,
                "layouts": peer.layouts,
                "environment": self.commands[peer.name][1],
            }
            for peer in self.peers
        }
        for peer in self.peers:
            try:
                document["versions"].update(self.worker(peer.name).ask("versions"))
            except WorkerError as error:
                print(f"{peer.label} cannot run: {error}", flush=True)
        document["gpus"] = [
            json.loads(path.read_text()) for path in sorted((ROOT / "bench/gpu/results").glob("*.json"))
        ]
        experiments = arguments.build / "experiments/experiments.json"
        document["experiments"] = json.loads(experiments.read_text()) if experiments.exists() else None
        objects = arguments.build / "runtime"
        document["code"] = kernel_figures(objects, [v["name"] for v in self.listed if v["device"] == "cpu"])
        document["gpu_code"] = ptx.kernel_figures(objects, [v["name"] for v in self.listed if v["device"] == "cuda"])

    def measure_machine(self):
        """A limit is the most that was ever seen: whatever else ran then, it made it less."""
        measured, before = self.worker("unstride").ask("machine"), self.document.get("machine", {})
        for limit in ("peak_gflops", "bandwidth_gbs", "clock_ghz"):
            measured[limit] = max(measured[limit], before.get(limit, 0))
        self.document["machine"] = {**before, **measured}
        return measured

    def scan(self, layer):
        """The times of all variants on a layer, shortly; then, in turns, of those that may be the best."""
        worker, rows = self.worker("unstride"), []
        planned = {
            r["layout"]: r["variant"]
            for r in self.document["results"]
            if r["layer"] == layer.name and r["who"] == "unstride" and "variant" in r
        }
        pairs = [{"layout": layout, "name": name} for layout, name in planned.items() if "+" in name]
        for variant in self.candidates + (pairs if self.candidates else []):
            request = {
                "layout": variant["layout"],
                "variant": forced(variant["name"]),
                "seconds": SCAN_SECONDS,
                "least": 1,
            }
            try:
                seconds = statistics.median(worker.ask("time", **request)["samples"])
            except WorkerError:
                continue  # this variant does not take this layer
            rows.append(
                {"layer": layer.name, "layout": variant["layout"], "variant": variant["name"], "seconds": seconds}
            )
        best = {layout: min((r["seconds"] for r in rows if r["layout"] == layout), default=0) for layout in BOTH}
        finals = [
            r
            for r in rows
            if r["seconds"] < SCAN_MARGIN * best[r["layout"]] or r["variant"] == planned.get(r["layout"])
        ]
        samples = {r["variant"]: [] for r in finals}
        for _ in range(self.arguments.rounds):
            for row in finals:
                samples[row["variant"]] += worker.ask(
                    "time",
                    layout=row["layout"],
                    variant=forced(row["variant"]),
                    least=3,
                    seconds=self.arguments.seconds / 2,
                )["samples"]
        for row in rows:
            row["planned"] = row["variant"] == planned.get(row["layout"])
            row["final"] = row["variant"] in samples
            if row["final"]:
                row["seconds"] = statistics.median(samples[row["variant"]])
        return rows

    def load(self, layer, who, layout, folder):
        """Makes a layer ready in one library; what is known about it then, as the start of its result."""
        row = {"layer": layer.name, "layout": layout, "who": who}
        try:
            if who in self.document["peers"]:
                return {**row, **self.worker(who).ask("load", layer=layer.text, layout=layout, data=str(folder))}
            first = who == "unstride" and layout == "ncdhw"  # with whose output all others are compared
            save = folder if first else folder / who / layout
            save.mkdir(parents=True, exist_ok=True)
            row.update(self.worker(who).ask("load", layer=layer.text, layout=layout, save=str(save)))
            expected, found = (np.load(path / "output.npy", mmap_mode="r") for path in (folder, save))
            row["difference"] = float(np.abs(found - expected).max() / np.abs(expected).max())
            if not first:
                shutil.rmtree(save)
        except WorkerError as error:
            row["error"] = str(error)
        return row

    def measure(self, layer):
        """Adds all that there is to know about a layer to the document."""
        results = []
        with tempfile.TemporaryDirectory(prefix="unstride-bench-") as folder:
            for who in self.commands:
                layouts = next((peer.layouts for peer in self.peers if peer.name == who), BOTH)
                results += [self.load(layer, who, layout, pathlib.Path(folder)) for layout in layouts]
        results = [row for row in results if row["who"] != "layer_kernels" or "error" in row or is_for_layer(row)]
        for row in results:
            self.document["layer_kernels" if row["who"] == "layer_kernels" else "results"].append(row)
        ours = [row for row in results if row["who"] == "unstride"]
        if any("error" in row for row in ours):
            raise WorkerError(next(row["error"] for row in ours if "error" in row))
        variants = self.scan(layer) if self.candidates else []
        self.document["variants"] += variants
        self.document["epilogues"] += self.short_turns.epilogues(layer)
        samples = [[] for _ in results]
        for _ in range(self.arguments.rounds):
            for row, times in zip(results, samples):
                self.take_turn(row, times)
        # The last, as it may cost a peer's process, which may take too long.
        self.document["types"] += self.short_turns.types(layer)
        for row, times in zip(results, samples):
            if "error" not in row:
                everything = sum(times, [])
                row["seconds"] = statistics.median(everything)
                row["fastest"], row["slowest"] = min(everything), max(everything)
                row["rounds"] = [statistics.median(turn) for turn in times]
                row["samples"] = len(everything)
        figures = {name: ours[0].pop(name) for name in ("flops", "compulsory_bytes")}
        for row in results:
            for name in figures:
                row.pop(name, None)
        for who in self.workers:
            if self.workers[who].alive:
                self.workers[who].ask("unload")
        self.document["layers"].append(
            {
                "name": layer.name,
                "summary": layer.summary,
                "source": layer.source,
                "in_channels": layer.in_channels,
                "out_channels": layer.out_channels,
                "groups": layer.groups,
                "text": layer.text,
                **figures,
            }
        )

    def take_turn(self, row, times):
        if "error" in row:
            return
        request = {"layout": row["layout"], "seconds": self.arguments.seconds, "least": 3}
        try:
            times.append(self.worker(row["who"]).ask("time", **request)["samples"])
        except WorkerError as error:
            row["error"] = str(error)

    def save(self):
        save_json(self.document, self.arguments.json)


def progress(document, layer, seconds):
    """A line about a layer: our times, and how many times as long the fastest peer takes."""
    rows = [row for row in document["results"] if row["layer"] == layer.name]
    peers = [row for row in rows if row["who"] != "unstride" and "seconds" in row]
    words = []
    for row in rows:
        if row["who"] == "unstride":
            words.append(f"{row['layout']} {1e3 * row['seconds']:9.3f} ms")
            if peers:
                words[-1] += f" {min(p['seconds'] for p in peers) / row['seconds']:6.2f}x"
    fastest = min(peers, key=lambda row: row["seconds"], default=None)
    if fastest:
        words.append(f"fastest peer: {document['peers'][fastest['who']]['label']} {fastest['layout']}")
    failed = sorted({row["who"] for row in rows if "error" in row})
    if failed:
        words.append("failed: " + ", ".join(failed))
    return f"{layer.name:14} {'   '.join(words)}   [{seconds:.0f} s]"


def main():
    arguments = parse_arguments()
    layers = layer_table.read(arguments.layers_file)
    if arguments.layers:
        by_name = {layer.name: layer for layer in layers}
        try:
            layers = [by_name[name] for name in arguments.layers.split(",")]
        except KeyError as error:
            sys.exit(f"--layers: there is no {error}")
    run = Run(arguments)
    begin = time.monotonic()
    try:
        run.begin()
        done = {layer["name"] for layer in run.document["layers"]}
        for layer in layers:
            if layer.name in done:
                continue
            if time.monotonic() - begin > 60 * arguments.minutes:
                print("no time for more layers; --resume measures the rest", flush=True)
                break
            start = time.monotonic()
            for part in PARTS:  # of a layer that was not finished
                run.document[part] = [row for row in run.document[part] if row["layer"] != layer.name]
            run.measure(layer)
            run.save()
            print(progress(run.document, layer, time.monotonic() - start), flush=True)
        run.measure_machine()
    except KeyboardInterrupt:
        print("\nstopped; --resume goes on", flush=True)
    except WorkerError as error:
        sys.exit(f"unstride: {error}")
    finally:
        run.close()
    if run.document["layers"]:
        finished = {layer["name"] for layer in run.document["layers"]}
        for part in PARTS:
            run.document[part] = [row for row in run.document[part] if row["layer"] in finished]
        run.save()
        write_report(
            run.document, arguments.html, os.path.relpath(arguments.build / "experiments", arguments.html.parent)
        )
        print(f"wrote {arguments.json} and {arguments.html}")


if __name__ == "__main__":
    main()
