"""The libraries that Unstride is compared with, and how each is called at its best."""

import dataclasses

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.source_tree import ROOT


@dataclasses.dataclass(frozen=True)
class Peer:
    """A library, as one of its ways to be called."""

    name: str
    label: str  # in the report
    module: str  # the file of bench/peers that calls it
    layouts: tuple  # those that it takes
    environment: dict  # variables of its process
    note: str  # in the report: how it is called
    gradients: bool = False  # whether its module can prepare a gradient
    faster_form: str = ""  # the peer that computes the same with the same library, and with less around it


# glibc gives large blocks back at once, and every call pays for the page faults of its fresh output; this keeps them.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
    "MALLOC_TOP_PAD_": str(1 << 28),
}

# fmt: off
PEERS = (
    Peer("torch_installed", "PyTorch as installed", "torch_eager", ("ncdhw",), {},
         "torch.nn.ConvTranspose3d in inference mode, its default layout and allocator",
         faster_form="torch"),
    Peer("torch", "PyTorch eager", "torch_eager", LAYOUTS, KEEP_MEMORY,
         "the same with an allocator that keeps memory between calls; contiguous and channels_last_3d",
         gradients=True),
    Peer("torch_compiled", "PyTorch compiled", "torch_compiled", LAYOUTS, KEEP_MEMORY,
         "torch.compile with frozen weights, memory kept",
         faster_form="torch_prepacked"),
    Peer("torch_prepacked", "PyTorch oneDNN prepacked", "torch_prepacked", LAYOUTS, KEEP_MEMORY,
         "oneDNN's operator of PyTorch with packed weights, memory kept; gives channels last for either input"),
    Peer("openvino", "OpenVINO", "openvino_cpu", LAYOUTS, {},
         "CPU plugin, latency hint, one stream, f32, input and output preallocated; ndhwc stated as tensor layout"),
    Peer("onnxruntime", "ONNX Runtime", "onnxruntime_cpu", ("ncdhw",), {},
         "CPU provider, input and output bound to memory; ONNX knows no other layout"),
)

# The variables that keep a peer below one of Unstride's instruction sets; peers have no names for those that are not
# here. ONNX Runtime has no such setting.
CEILINGS = {
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2",
             "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "avx512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
               "ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512"},
}
# fmt: on


def environment_of(peer, threads, isa):
    """The variables of a peer's process that has so many threads and, if `isa` is not None, a ceiling."""
    count = str(threads)
    return {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, **CEILINGS.get(isa, {}), **peer.environment}


def peer_command(peer, python, threads):
    """The command of a peer's process, for the Python that has its packages."""
    return [python, str(ROOT / "bench/peers/worker.py"), peer.module, str(threads)]
