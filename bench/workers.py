"""Processes that run layers in one library each, and take turns; and the file of what they found."""

import collections
import json
import os
import select
import signal
import subprocess
import tempfile


def save_json(document, path):
    """Replaces a JSON file; whoever reads it meanwhile sees the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(document, indent=1) + "\n")
    partial.replace(path)


class WorkerError(Exception):
    """What a worker answered instead of a result, or how it ended."""


class Worker:
    """A process that answers one line of JSON with one line, and is stopped between requests.

    A stopped process takes no time from the one whose turn it is, whatever its threads would do while they wait.
    """

    def __init__(self, command, environment=None, timeout=300):
        self.timeout = timeout
        self.errors = tempfile.TemporaryFile()
        # In a group of its own, so that Ctrl-C reaches only us, and that the kernel ends it should we be killed.
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            process_group=0,
        )
        self.received = b""

    def ask(self, do, **request):
        """The answer to a request; WorkerError if it is an error, comes too late or not at all."""
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.read_line())
            self.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # until it has stopped
        except (OSError, ValueError) as error:
            self.process.kill()
            self.process.wait()
            message = str(error) if isinstance(error, TimeoutError) else self.last_words()
            self.close()
            raise WorkerError(message) from None
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def read_line(self):
        while b"\n" not in self.received:
            if not select.select([self.process.stdout], [], [], self.timeout)[0]:
                raise TimeoutError(f"no answer in {self.timeout} s")
            block = os.read(self.process.stdout.fileno(), 1 << 20)
            if not block:
                raise ConnectionError("the process ended")
            self.received += block
        line, _, self.received = self.received.partition(b"\n")
        return line

    def last_words(self):
        """The last line that the process wrote to standard error, with how it ended."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        ended = f" (exit status {self.process.returncode})" if self.process.returncode != -signal.SIGKILL else ""
        return (lines[-1] if lines else "the process ended without a word") + ended

    @property
    def alive(self):
        return self.process.poll() is None

    def close(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


Peer = collections.namedtuple("Peer", "name label module layouts environment note")

# glibc gives large blocks back at once, and every call pays for the page faults of its fresh output; this keeps them.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
    "MALLOC_TOP_PAD_": str(1 << 28),
}
BOTH = ("ncdhw", "ndhwc")

PEERS = (
    Peer(
        "torch_installed",
        "PyTorch as installed",
        "torch_eager",
        ("ncdhw",),
        {},
        "torch.nn.ConvTranspose3d in inference mode, its default layout and allocator",
    ),
    Peer(
        "torch",
        "PyTorch eager",
        "torch_eager",
        BOTH,
        KEEP_MEMORY,
        "the same with an allocator that keeps memory between calls; contiguous and channels_last_3d",
    ),
    Peer(
        "torch_compiled",
        "PyTorch compiled",
        "torch_compiled",
        BOTH,
        KEEP_MEMORY,
        "torch.compile with frozen weights, memory kept",
    ),
    Peer(
        "torch_prepacked",
        "PyTorch oneDNN prepacked",
        "torch_prepacked",
        BOTH,
        KEEP_MEMORY,
        "oneDNN's operator of PyTorch with packed weights, memory kept; gives channels last for either input",
    ),
    Peer(
        "openvino",
        "OpenVINO",
        "openvino_cpu",
        BOTH,
        {},
        "CPU plugin, latency hint, one stream, f32, input and output preallocated; ndhwc stated as tensor layout",
    ),
    Peer(
        "onnxruntime",
        "ONNX Runtime",
        "onnxruntime_cpu",
        ("ncdhw",),
        {},
        "CPU provider, input and output bound to memory; ONNX knows no other layout",
    ),
)

# What limits a library to one of Unstride's instruction sets; of those that are not here, peers have no names. ONNX
# Runtime has no such setting.
LIMITS = {
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "avx512": {
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "ATEN_CPU_CAPABILITY": "avx512",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
    },
}


def limit_of(isa):
    """What limits Unstride to an instruction set, or to none if there is no name."""
    return {"UNSTRIDE_MAX_ISA": isa} if isa else {}


def environment_of(peer, threads, isa):
    return {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), **LIMITS.get(isa, {}), **peer.environment}
