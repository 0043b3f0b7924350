"""torch.nn.ConvTranspose1d, 2d and 3d, and their function, on Unstride's kernels.

    import unstride.torch
    unstride.torch.replace_(model)                 # in place, and unstride.torch.restore_(model) undoes it
    layer = unstride.torch.ConvTranspose3d(64, 32, kernel_size=2, stride=2)
    output = unstride.torch.conv_transpose(input, weight, bias, stride=2)

What has no kernel goes to PyTorch, unless `strict` is set: tensors that are not on the CPU or not of type float32,
float64, float16 or bfloat16, subclasses of tensors, and forward-mode derivatives. Errors are those of PyTorch.
"""

try:
    import torch as _torch
except ImportError as _error:
    raise ImportError("unstride.torch needs PyTorch 2.6 or later: pip install torch") from _error

if tuple(int(_part) for _part in _torch.__version__.split(".")[:2]) < (2, 6):
    raise ImportError(f"unstride.torch needs PyTorch 2.6 or later, but this is {_torch.__version__}")

from ._functional import conv_transpose
from ._modules import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Replacement, replace_, restore_
from ._operators import forget_layers

__all__ = [
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Replacement",
    "conv_transpose",
    "forget_layers",
    "replace_",
    "restore_",
]
