"""The package and its stubs pass mypy --strict, tell what the module has, and give a caller the types of results."""

from type_checks import STRICT, check_package_and_caller, run_mypy

# What stubtest says of everything that nanobind makes, as it has functions and a metaclass of its own.
OF_NANOBIND = (
    "is not a function",
    "is inconsistent, metaclass differs",
    "is a disjoint base at runtime, but isn't marked with @disjoint_base in the stub",
    'is inconsistent, stub does not have *args parameter "args"',
)
CALLER = """
from typing import assert_type
import numpy as np
import unstride
x: np.ndarray = np.ones((1, 4, 5, 5), np.float32)
layer = unstride.ConvTranspose2d(4, 6, (3, 2), stride=2)
assert_type(layer(x, out=None), np.ndarray)
assert_type(layer.halo(x.shape, np.s_[0:2, 0:2]), tuple[slice, ...])
assert_type(layer.forward_block(x, [slice(2), slice(2)], x.shape, residual=x), np.ndarray)
assert_type(layer.plan(x.shape).variant.name, str)
assert_type(unstride.conv_transpose(x, x, stride=(1, 2)), np.ndarray)
assert_type(unstride.__version__, str)
unstride.ConvTranspose2d("4", 6, 3)  # wrong
layer.halo(x.shape, [0, 1])  # wrong
unstride.no_such_name  # wrong
"""
# dask has no types, and NumPy's take most of the time of stubtest, where what they say does not matter.
WITHOUT_DASK = """
[mypy-dask.*]
follow_imports = skip
ignore_missing_imports = True
"""
WITHOUT_NUMPY = """
[mypy-numpy.*]
follow_imports = skip
"""


def test_package_and_caller(tmp_path):
    check_package_and_caller(tmp_path, STRICT + WITHOUT_DASK, ["unstride.dask"], CALLER)


def test_stubs_are_what_the_module_has(tmp_path):
    options = ["--concise", "--mypy-config-file", "mypy.ini", "unstride._core"]
    found = run_mypy(tmp_path, STRICT + WITHOUT_DASK + WITHOUT_NUMPY, "mypy.stubtest", *options)
    assert [line for line in found if not line.endswith(OF_NANOBIND)] == []
    assert "unstride._core.conv_transpose is not a function" in found  # it has looked
