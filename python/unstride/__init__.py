"""Transposed convolution in one, two and three dimensions, with the semantics of torch.nn.ConvTranspose1d, 2d and 3d.

    import numpy, unstride
    output = unstride.conv_transpose(input, weight, bias, stride=2, padding=1)      # arrays of NumPy's, or DLPack's
    layer = unstride.ConvTranspose3d(64, 32, kernel_size=2, stride=2)               # keeps its weights packed
    output = layer(input)
    grad_weight = layer.weight_gradient(input, grad_output)

Outputs have the same bits on every run, and for any number of threads.
"""

from ._core import (
    ConvTranspose,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    Plan,
    Variant,
    WisdomReport,
    conv_transpose,
    conv_transpose_backward,
    default_wisdom_path,
    devices,
    forget_wisdom,
    load_wisdom,
    max_isa,
    num_threads,
    read_wisdom,
    set_max_isa,
    set_num_threads,
    variants,
    wisdom_text,
)
from ._core import version as __version__

__all__ = [
    "ConvTranspose",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Plan",
    "Variant",
    "WisdomReport",
    "__version__",
    "conv_transpose",
    "conv_transpose_backward",
    "default_wisdom_path",
    "devices",
    "forget_wisdom",
    "load_wisdom",
    "max_isa",
    "num_threads",
    "read_wisdom",
    "set_max_isa",
    "set_num_threads",
    "variants",
    "wisdom_text",
]
