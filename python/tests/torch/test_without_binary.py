"""A package without _ops.so, and PyTorch below 2.10, have operators in Python that do the same."""

import os
import pathlib
import subprocess
import sys

import unstride

PROGRAM = """
import torch, unstride.torch
from torch.nn import functional
from unstride.torch import _operators
assert not _operators.IS_COMPILED
torch.manual_seed(0)
for dtype in (torch.float32, torch.float64):
    for memory_format in (torch.contiguous_format, torch.channels_last_3d):
        given = [torch.randint(-2, 3, size).to(dtype) for size in ((2, 4, 5, 6, 7), (4, 3, 3, 3, 3), (6,))]
        given[0] = given[0].to(memory_format=memory_format)
        given = [tensor.requires_grad_() for tensor in given]
        calls = [f(*given, 2, 1, 1, 2) for f in (unstride.torch.conv_transpose, functional.conv_transpose3d)]
        grad_output = torch.randint_like(calls[0], -2, 3)
        results = [(output, *torch.autograd.grad(output, given, grad_output)) for output in calls]
        for ours, theirs in zip(*results, strict=True):
            assert torch.equal(ours, theirs) and ours.dtype is theirs.dtype
x, w = (torch.randn(size, dtype=torch.float64, requires_grad=True) for size in ((1, 2, 4), (2, 2, 3)))
geometry = [2], [1], [0], 1, [1]
grad_output = torch.randn(1, 2, 7, dtype=torch.float64)
torch.library.opcheck(_operators.forward_op, (x, w, None, *geometry))
torch.library.opcheck(_operators.backward_op, (grad_output, x, w, *geometry, [True, False, True]))
assert torch.autograd.gradgradcheck(lambda x, w: unstride.torch.conv_transpose(x, w, None, 2, 1), (x, w))
compiled = torch.compile(lambda x, w: unstride.torch.conv_transpose(x, w) + 1, backend="aot_eager", fullgraph=True)
torch.testing.assert_close(compiled(x, w), functional.conv_transpose1d(x, w) + 1)
unstride.torch.forget_layers()
print("done")
"""


def test_operators_in_python(tmp_path):
    package = pathlib.Path(unstride.__file__).parent
    (tmp_path / "unstride/torch").mkdir(parents=True)
    for file in package.rglob("*"):
        if file.is_file() and file.name != "_ops.so" and "__pycache__" not in file.parts:
            (tmp_path / "unstride" / file.relative_to(package)).symlink_to(file)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
