"""unstride.torch passes mypy --strict with PyTorch's types, and gives a caller the types of results."""

from type_checks import STRICT, check_package_and_caller

# Some of PyTorch's own functions have no types.
WITH_TORCH = "untyped_calls_exclude = torch\n"
MODULES = ["", "._functional", "._kernels", "._modules", "._operators"]
CALLER = """
from typing import assert_type
import torch
import unstride.torch
x = torch.ones(1, 4, 5, 5)
assert_type(unstride.torch.conv_transpose(x, x, None, stride=(1, 2)), torch.Tensor)
layer = unstride.torch.ConvTranspose2d(4, 6, (3, 2), stride=2)
assert_type(layer.weight, torch.Tensor)
assert_type(unstride.torch.replace_(layer, lambda module, name: True).replaced, list[str])
assert_type(unstride.torch.restore_(layer), list[str])
unstride.torch.conv_transpose(x, x, stride="2")  # wrong
unstride.torch.replace_(x)  # wrong
unstride.torch.no_such_name  # wrong
"""


def test_package_and_caller(tmp_path):
    check_package_and_caller(tmp_path, STRICT + WITH_TORCH, [f"unstride.torch{name}" for name in MODULES], CALLER)
