"""torch.compile with frozen weights, which packs them for oneDNN ahead of time."""

import torch
import torch._dynamo
import torch._inductor.config
from torch_eager import calling, make_module, versions  # noqa: F401

torch._inductor.config.freezing = True


def prepare(layer, layout, arrays, threads):
    """Makes a layer ready; worker.py says what this takes and returns."""
    torch._inductor.config.cpp.threads = threads
    module, x = make_module(layer, layout, arrays, threads)
    return calling(torch.compile(module, fullgraph=True), x)


def reset():
    """Forgets what was compiled."""
    torch._dynamo.reset()  # or it stops compiling after a few layers
