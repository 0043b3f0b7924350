"""What has turns of its own, short ones: the planner's choice with each epilogue, and with elements of each type."""

import math
import statistics
import tempfile

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.worker_process import WorkerError

# What Unstride is asked to add to a layer, as the layer does it or in a pass of its own.
EPILOGUES = {
    "none": {},
    "leaky_relu": {"activation": "leaky_relu"},
    "leaky_relu_apart": {"activation": "leaky_relu", "apart": True},
    "residual": {"activation": "leaky_relu", "residual": True},
    "residual_apart": {"activation": "leaky_relu", "residual": True, "apart": True},
    "silu": {"activation": "silu"},
}

TYPES = ("f32", "f64", "f16", "bf16", "f16-f32", "bf16-f32")  # of elements: of input and output, or of each
PEER_TYPES = {"torch": ("f64", "f16", "bf16"), "openvino": ("f16", "bf16")}  # those that peers are measured with, too
PATIENCE = 2  # seconds: where a peer's call takes longer, it is the only one


class ShortTurns:
    """Turns on layers that the workers have ready."""

    def __init__(self, worker_of, rounds, seconds, names):
        """`worker_of` gives the worker of a name, of which there are `names`; `rounds` and `seconds` are those of the
        results."""
        self.worker_of, self.rounds, self.seconds = worker_of, rounds, seconds
        self.peers = [peer for peer in PEER_TYPES if peer in names]

    def in_turns(self, requests):
        """What workers find when they time these requests, by (worker, name): `seconds`, or why a peer `cannot`.

        Turns are shorter than those of the results, and there are more of them: ratios close to one are the question.
        """
        samples, failed = {key: [] for key in requests}, {}
        turn = {"seconds": self.seconds / 4, "least": 2}
        for _ in range(2 * self.rounds):
            for key, request in requests.items():
                if key in failed or sum(samples[key]) > request.get("patience", math.inf):
                    continue
                try:
                    samples[key] += self.worker_of(key[0]).ask("time", **turn, **request)["samples"]
                except WorkerError as error:
                    if key[0] == "unstride":
                        raise
                    failed[key] = {"cannot": str(error)}
        return {key: failed.get(key) or {"seconds": statistics.median(times)} for key, times in samples.items()}

    def epilogues(self, layer):
        """Rows with the times of the planner's choice with each epilogue."""
        rows = []
        for layout in LAYOUTS:
            requests = {("unstride", name): {"layout": layout, **request} for name, request in EPILOGUES.items()}
            seconds = {name: result["seconds"] for (_, name), result in self.in_turns(requests).items()}
            rows.append({"layer": layer.name, "layout": layout, "seconds": seconds})
        return rows

    def types(self, layer):
        """Rows with the times of the planner's choice with elements of each type, and those of peers; and how far
        outputs are from those of f64."""
        rows = []
        for layout in LAYOUTS:
            difference, peers = {}, {peer: {} for peer in self.peers}
            for name in TYPES:
                difference[name], loaded = self.check_type(layer, layout, name)
                for peer, result in loaded.items():
                    peers[peer][name] = result
            found = self.in_turns(self.type_requests(layout, peers))
            for peer, results in peers.items():
                for name, result in results.items():
                    result.update(found.get((peer, name), {}))
            seconds = {name: found["unstride", name]["seconds"] for name in TYPES}
            place = {"layer": layer.name, "layout": layout}
            rows.append({**place, "seconds": seconds, "difference": difference, "peers": peers})
        return rows

    def type_requests(self, layout, peers):
        """The requests for `in_turns`: Unstride's, and those of the peers that have a type ready."""
        requests = {("unstride", name): {"layout": layout, "dtype": name} for name in TYPES}
        for peer, results in peers.items():
            for name, result in results.items():
                if "cannot" not in result:
                    requests[peer, name] = {"layout": layout, "dtype": name, "patience": PATIENCE}
        return requests

    def check_type(self, layer, layout, name):
        """How far Unstride's output in a type is from that of f64; and, by peer, its own difference, after which it is
        ready to be timed, or why it `cannot`."""
        request = {"layout": layout, "dtype": name}
        asked = [peer for peer in self.peers if name in PEER_TYPES[peer]]
        if not asked:
            return self.worker_of("unstride").ask("check", **request)["difference"], {}
        loaded = {}
        with tempfile.TemporaryDirectory(prefix="unstride-bench-") as folder:
            difference = self.worker_of("unstride").ask("check", save=folder, **request)["difference"]
            for peer in asked:
                try:
                    answer = self.worker_of(peer).ask("load", layer=layer.text, data=folder, **request)
                    loaded[peer] = {"difference": answer["difference"]}
                except WorkerError as error:
                    loaded[peer] = {"cannot": str(error)}
        return difference, loaded
