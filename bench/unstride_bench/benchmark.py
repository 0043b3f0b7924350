"""One run of the benchmark: the processes that take turns, and the document that becomes its JSON."""

import datetime
import json
import sys

from unstride_bench.compiled_kernels import cpu_kernel_figures, cuda_kernel_figures
from unstride_bench.json_files import save_json
from unstride_bench.layer_loading import Loader
from unstride_bench.layer_table import LAYOUTS
from unstride_bench.machine_facts import machine_facts, unstride_versions
from unstride_bench.peers import PEERS, environment_of, peer_command
from unstride_bench.short_turns import ShortTurns
from unstride_bench.source_tree import ROOT
from unstride_bench.turns import add_round, take_turn
from unstride_bench.unstride_command import ceiling_of, list_variants
from unstride_bench.variant_scan import scan_variants
from unstride_bench.worker_process import Worker, WorkerError

# The parts of the document that have rows for each layer.
PARTS = ("results", "gradients", "bf16", "layer_kernels", "variants", "epilogues", "types")
OTHER_FIGURES = ("code", "gpus", "gpu_code")  # what is not timed here
SETTINGS = ("threads", "isa", "only", "rounds", "seconds", "variants")  # the options that results depend on
MACHINE_LIMITS = ("peak_gflops", "bandwidth_gbs", "clock_ghz")


def chosen_peers(options):
    """The peers that --peers and --peer-names ask for. To tell of the goals takes no slower form of another peer."""
    if not options.peers:
        return []
    names = [peer.name for peer in PEERS if not (options.only and peer.faster_form)]
    if options.only == "gradients":
        names = [peer.name for peer in PEERS if peer.gradients]
    if options.peer_names:
        names = options.peer_names.split(",")
    peers = [peer for peer in PEERS if peer.name in names]
    if len(peers) != len(names):
        sys.exit("--peer-names: there is no such peer")
    return peers


def worker_commands(options, peers):
    """The command and the environment of each process, by its name."""
    threads, ceiling = str(options.threads), ceiling_of(options.isa)
    ours = [str(options.build / "bin/unstride_bench_worker"), threads], ceiling
    commands = {"unstride": ours, "unstride_bf16": ours}
    for peer in peers:
        environment = environment_of(peer, options.threads, options.isa)
        commands[peer.name] = peer_command(peer, options.peers, options.threads), environment
    if options.layer_kernels:
        commands["layer_kernels"] = [str(options.layer_kernels), threads], ceiling
    return commands


def is_for_layer(row):
    """Whether the planner took a kernel that unstride_add_layer made, which has a name of its own before the layout."""
    return any(not name.startswith(row["layout"] + "_") for name in row["variant"].split("+"))


class Benchmark:
    """Measures layers one by one, and keeps what it found in `document`; bench/README.md describes its keys."""

    def __init__(self, options):
        self.options = options
        self.document = {"schema": 1, **{part: [] for part in (*PARTS, "layers", *OTHER_FIGURES)}, "experiments": None}
        self.peers = chosen_peers(options)
        self.commands = worker_commands(options, self.peers)
        self.workers = {}
        self.loader = Loader(self.worker, memory=not options.only)
        self.short_turns = ShortTurns(self.worker, options.rounds, options.seconds, self.commands)
        self.variants = [v for v in list_variants(options.build, options.isa) if v["dtype"] == "f32"]
        here = [v for v in self.variants if v["device"] == "cpu" and v["runs_here"]]
        fast = [v for v in here if v["fma"]] or here
        chosen = {"all": here, "fast": fast, "planned": []}[options.variants]
        self.candidates = [(v["layout"], v["name"]) for v in chosen]

    def worker(self, name):
        """The process of this name, which is started if it does not run."""
        if name not in self.workers or not self.workers[name].alive:
            self.workers[name] = Worker(*self.commands[name])
        return self.workers[name]

    def close(self):
        """Ends all processes."""
        for worker in self.workers.values():
            worker.close()

    def save(self):
        """Writes the document as it is now."""
        save_json(self.document, self.options.json)

    def begin(self):
        """Fills in what depends on no layer: settings, machine, versions, and peers."""
        self.begin_document()
        self.describe_machine()
        self.describe_peers()

    def add_other_figures(self):
        """Fills in what is known of this build, but not from timing: figures of the kernels, and other measurements."""
        document, build = self.document, self.options.build
        results_of_gpus = sorted((ROOT / "bench/gpu/results").glob("*.json"))
        document["gpus"] = [json.loads(path.read_text()) for path in results_of_gpus]
        experiments = build / "experiments/experiments.json"
        document["experiments"] = json.loads(experiments.read_text()) if experiments.exists() else None
        rows = [row for row in document["results"] + document["variants"] if row.get("variant")]
        measured = {name for row in rows for name in row["variant"].split("+")}
        on_gpus = [v["name"] for v in self.variants if v["device"] == "cuda"]
        document["code"] = cpu_kernel_figures(build / "runtime", sorted(measured))
        document["gpu_code"] = cuda_kernel_figures(build / "runtime", on_gpus)

    def begin_document(self):
        """Takes up the document of a run before, if --resume asks for it; exits if that had other settings."""
        options, document = self.options, self.document
        settings = {name: getattr(options, name) for name in SETTINGS}
        if options.resume and options.json.exists():
            document.update(json.loads(options.json.read_text()))
            if document["settings"] != settings:
                sys.exit(f"{options.json} was measured with other settings: {document['settings']}")
        document["settings"] = settings
        document["created"] = datetime.datetime.now().astimezone().isoformat(timespec="minutes")

    def describe_machine(self):
        """Measures the limits of the machine, says them, and warns if something else keeps it busy."""
        print("measuring the machine's peak and bandwidth", flush=True)
        facts = machine_facts()  # before the measurement adds to the load
        measured = self.measure_machine()
        self.document["machine"].update(facts)
        print(
            f"{measured['cpu']}, {measured['threads']} threads: {measured['peak_gflops']:.0f} GFLOP/s, "
            f"{measured['bandwidth_gbs']:.1f} GB/s, {measured['clock_ghz']:.2f} GHz",
            flush=True,
        )
        if measured["threads"] > facts["processors"] - facts["load_average"] + 0.5:
            print(f"warning: the machine is busy, its load is {facts['load_average']}", flush=True)

    def measure_machine(self):
        """What a worker finds now. In the document a limit is the most that was ever seen: other load makes it less."""
        measured, before = self.worker("unstride").ask("machine"), self.document.get("machine", {})
        for limit in MACHINE_LIMITS:
            measured[limit] = max(measured[limit], before.get(limit, 0))
        self.document["machine"] = {**before, **measured}
        return measured

    def describe_peers(self):
        """Adds how each peer is called, and the versions of all; says so where one cannot run at all."""
        document = self.document
        document["versions"] = unstride_versions(self.options.build)
        document["peers"] = {}
        for peer in self.peers:
            words = {"label": peer.label, "note": peer.note, "layouts": peer.layouts}
            document["peers"][peer.name] = {**words, "environment": self.commands[peer.name][1]}
            try:
                document["versions"].update(self.worker(peer.name).ask("versions"))
            except WorkerError as error:
                print(f"{peer.label} cannot run: {error}", flush=True)

    def measure(self, layer):
        """Adds all that there is to know about a layer to the document. Raises WorkerError if Unstride fails on it."""
        results = self.load_everywhere(layer)
        for row in results:
            self.document["layer_kernels" if row["who"] == "layer_kernels" else "results"].append(row)
        if self.candidates:
            planned = {row["layout"]: row["variant"] for row in results if row["who"] == "unstride"}
            turns = self.options.rounds, self.options.seconds / 2
            self.document["variants"] += scan_variants(self.worker, layer, self.candidates, planned, *turns)
        self.document["epilogues"] += self.short_turns.epilogues(layer)
        for _ in range(self.options.rounds):
            for row in results:
                if "error" not in row:
                    add_round(row, take_turn(self.worker, row, seconds=self.options.seconds, least=3))
        # Element types are the last, as they may cost a peer's process, which may take too long.
        self.document["types"] += self.short_turns.types(layer)
        self.add_layer(layer)
        self.unload()

    def load_everywhere(self, layer):
        """The first part of each result: the layer is ready in each library and layout, or there is an error."""
        layouts = {"unstride": LAYOUTS, **{peer.name: peer.layouts for peer in self.peers}}
        if self.options.layer_kernels:
            layouts["layer_kernels"] = LAYOUTS
        rows = [{"layer": layer.name, "layout": each, "who": who} for who in layouts for each in layouts[who]]
        self.loader.load(layer, rows)
        return [row for row in rows if row["who"] != "layer_kernels" or "error" in row or is_for_layer(row)]

    def unload(self):
        """Gives back the memory of the layer in all processes."""
        for worker in self.workers.values():
            if worker.alive:
                worker.ask("unload")

    def add_layer(self, layer):
        """Adds the layer that was loaded last to the document."""
        names = ("name", "summary", "source", "in_channels", "out_channels", "groups", "text")
        self.document["layers"].append({**{name: getattr(layer, name) for name in names}, **self.loader.figures})
