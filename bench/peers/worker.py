"""Runs layers in one other library for bench/bench.py, with the protocol of bench/README.md.

    worker.py MODULE THREADS

It needs the packages of bench/requirements-peers.txt. MODULE is one of this folder, with `versions()` and
`prepare(layer, layout, arrays, threads)`, whose layer has 1, 2 or 3 dimensions, and arrays as the operator of so many
takes them; it gives a function of no arguments, one forward, and one that makes an array (N, C, ...) of what the former
returns. With `dtype`, a fifth argument that not all modules have, the elements are of another type than f32. Peers
whose `gradients` is set in PEERS have `prepare_gradient(layer, layout, arrays, threads, operator)`, too, which gets the
gradient of the output as the fourth array.
"""

import ctypes
import gc
import importlib
import json
import os
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # the Python of the peers starts this file by its path
from unstride_bench import layer_table  # noqa: E402

# A process that was stopped has cold caches: calls to warm up go on for so long, and are no samples.
WARM_UP_SECONDS = 0.02

# How far an output may be off by type, over the largest one: sums of the longest layers round to 1e-6, and those of f16
# and bf16 may be kept in these types between taps.
TOLERANCE = {"f32": 1e-4, "f64": 1e-9, "f16": 2e-2, "bf16": 1e-1}
# The same of a gradient in f32, which may be a sum over millions of positions.
TOLERANCE_OF_GRADIENT = 1e-3

# One layer of a kind that every library takes: what it allocates once is no layer's memory.
WARM_UP = """\
name,batch,in_channels,out_channels,input_size,kernel_size,stride,padding,output_padding,dilation,groups,source
warm_up,1,32,32,4x4x4,2x2x2,2x2x2,0x0x0,0x0x0,1x1x1,1,none
"""


def status_bytes(name):
    """A number of /proc/self/status in bytes, such as that of VmRSS, or 0 if it is not there."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def give_back_memory():
    """Returns memory that nobody uses to the system, so that what is left belongs to layers."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def peak_resident_bytes(call):
    """The most memory of this process during a call, or None if the kernel does not say."""
    give_back_memory()
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again from VmRSS
    except OSError:
        return None
    call()
    return status_bytes("VmHWM")


def random_arrays(layer):
    """An input, a weight and a bias of f32 for a layer."""
    random = np.random.default_rng(1)
    shapes = layer.input_shape, (layer.in_channels, layer.out_channels // layer.groups, *layer.kernel_size)
    return [random.uniform(-1, 1, shape).astype(np.float32) for shape in (*shapes, (layer.out_channels,))]


class Worker:
    """One library, and the calls that are ready in it, by layout, and by type or, for gradients, by operator."""

    def __init__(self, name, threads):
        self.library = importlib.import_module(name)
        self.threads = threads
        self.calls = {}
        (layer,) = layer_table.parse(WARM_UP)
        call, _ = self.library.prepare(layer, "ncdhw", random_arrays(layer), threads)
        call()

    def answer(self, request):
        """The answer to a request; raises whatever the library raises."""
        return getattr(self, "do_" + request["do"])(request)

    def do_versions(self, request):
        """The versions of the library and of what it uses."""
        return self.library.versions()

    def do_load(self, request):
        """Makes a layer ready, and compares its output with the one that the request names."""
        (layer,) = layer_table.parse(request["layer"])
        layer, dtype = layer.lowered, request.get("dtype", "f32")
        if "operator" in request:
            return self.load_gradient(layer, request["layout"], request["operator"], pathlib.Path(request["data"]))
        give_back_memory()
        before = status_bytes("VmRSS")
        folder = pathlib.Path(request["data"])
        x, weight, bias = (np.load(folder / f"{name}.npy") for name in ("input", "weight", "bias"))
        arrays = [x.reshape(layer.input_shape), weight.reshape(*weight.shape[:2], *layer.kernel_size), bias]
        del x, weight, bias
        own_bytes = sum(array.nbytes for array in arrays) + 4 * int(np.prod(layer.output_shape))
        start = time.perf_counter()
        other_type = [dtype] if dtype != "f32" else []  # which not all libraries take
        call, to_array = self.library.prepare(layer, request["layout"], arrays, self.threads, *other_type)
        del arrays
        prepared = time.perf_counter()
        result = call()
        called = time.perf_counter()
        reply = {"load_seconds": called - start, "first_call_seconds": called - prepared}
        expected = np.load(folder / "output.npy", mmap_mode="r").reshape(layer.output_shape)
        found = to_array(result)
        if found.shape != expected.shape:
            raise ValueError(f"the output has shape {found.shape} instead of {expected.shape}")
        reply["difference"] = float(np.abs(found - expected).max() / np.abs(expected).max())
        if not reply["difference"] < TOLERANCE[dtype]:
            raise ValueError(f"the output differs by {reply['difference']:.1e} of its largest value")
        del result, found, expected
        if dtype == "f32" and request.get("memory", True):
            peak = peak_resident_bytes(call)
            reply["extra_bytes"] = None if peak is None else max(peak - before - own_bytes, 0)
        self.calls[request["layout"], dtype] = call
        return reply

    def load_gradient(self, layer, layout, operator, folder):
        """Makes a gradient of a layer ready, and compares it with the one in the folder."""
        names = ("input", "weight", "bias", "grad_output")
        x, weight, bias, grad_output = (np.load(folder / f"{name}.npy") for name in names)
        arrays = [x.reshape(layer.input_shape), weight.reshape(*weight.shape[:2], *layer.kernel_size), bias]
        arrays.append(grad_output.reshape(layer.output_shape))
        start = time.perf_counter()
        call, to_array = self.library.prepare_gradient(layer, layout, arrays, self.threads, operator)
        prepared = time.perf_counter()
        result = call()
        called = time.perf_counter()
        expected, found = np.load(folder / f"{operator}.npy").ravel(), to_array(result).ravel()
        difference = float(np.abs(found - expected).max() / np.abs(expected).max())
        if not difference < TOLERANCE_OF_GRADIENT:
            raise ValueError(f"the gradient differs by {difference:.1e} of its largest value")
        self.calls[layout, operator] = call
        seconds = {"load_seconds": called - start, "first_call_seconds": called - prepared}
        return {**seconds, "difference": difference}

    def do_time(self, request):
        """Times calls of a layer that is ready; only the first, if it takes longer than the request has patience."""
        call = self.calls[request["layout"], request.get("operator", request.get("dtype", "f32"))]
        times = []

        def measure(count):
            for _ in range(count):
                start = time.perf_counter()
                call()
                times.append(time.perf_counter() - start)

        gc.disable()
        measure(1)
        if times[0] <= request.get("patience", times[0]):
            while sum(times) < WARM_UP_SECONDS:
                measure(1)
            count = round(request["seconds"] / times[-1])
            times.clear()
            measure(min(max(count, request["least"]), 1000))
        gc.enable()
        return {"samples": times}

    def do_unload(self, request):
        """Forgets all layers."""
        self.calls.clear()
        getattr(self.library, "reset", lambda: None)()
        give_back_memory()
        return {}


def main():
    """Answers requests until standard input ends."""
    # Libraries may print: their standard output becomes standard error, so that it does not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        try:
            reply = worker.answer(json.loads(line))
        except Exception as error:  # what a library cannot do is a result, too
            reply = {"error": f"{type(error).__name__}: {error}"[:400]}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
