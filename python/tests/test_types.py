"""The package and its stubs pass mypy --strict, tell what the module has, and give a caller the types of results."""

import pathlib
import subprocess
import sys

import unstride

# What stubtest says of everything that nanobind makes, as it has functions and a metaclass of its own.
OF_NANOBIND = (
    "is not a function",
    "is inconsistent, metaclass differs",
    "is a disjoint base at runtime, but isn't marked with @disjoint_base in the stub",
    '__init__ is inconsistent, stub does not have *args parameter "args"',
)
CONFIGURATION = """
[mypy]
strict = True
[mypy-dask.*]
follow_imports = skip
ignore_missing_imports = True
"""
CALLER = """
from typing import assert_type
import numpy as np
import unstride
x: np.ndarray = np.ones((1, 4, 5, 5), np.float32)
layer = unstride.ConvTranspose2d(4, 6, (3, 2), stride=2)
assert_type(layer(x, out=None), np.ndarray)
assert_type(layer.halo(x.shape, np.s_[0:2, 0:2]), tuple[slice, ...])
assert_type(layer.forward_block(x, [slice(2), slice(2)], x.shape), np.ndarray)
assert_type(layer.plan(x.shape).variant.name, str)
assert_type(unstride.conv_transpose(x, x, stride=(1, 2)), np.ndarray)
assert_type(unstride.__version__, str)
unstride.ConvTranspose2d("4", 6, 3)  # wrong
layer.halo(x.shape, [0, 1])  # wrong
unstride.no_such_name  # wrong
"""


WITHOUT_NUMPY = """
[mypy-numpy.*]
follow_imports = skip
"""


def mypy(folder, configuration, *arguments):
    """Runs mypy where it finds the package that the tests import, and returns its messages."""
    (folder / "mypy.ini").write_text(configuration)
    packages = pathlib.Path(unstride.__file__).parents[1]
    is_installed = packages.is_relative_to(sys.prefix)  # mypy finds it then, and wants no path
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={} if is_installed else {"MYPYPATH": str(packages), "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_package_and_caller(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER)
    found = mypy(tmp_path, CONFIGURATION, "mypy", "--no-error-summary", "-m", "unstride.dask", "-m", "caller")
    wrong = [f"caller.py:{number}" for number, line in enumerate(CALLER.splitlines(), 1) if line.endswith("# wrong")]
    errors = [line.split(": error:")[0] for line in found if ": error:" in line]
    assert list(dict.fromkeys(errors)) == wrong, "\n".join(found)


def test_stubs_are_what_the_module_has(tmp_path):
    # NumPy's own stubs take most of the time, and what they say does not matter here.
    stubtest = ["mypy.stubtest", "--concise", "--mypy-config-file", "mypy.ini", "unstride._core"]
    found = mypy(tmp_path, CONFIGURATION + WITHOUT_NUMPY, *stubtest)
    assert [line for line in found if not line.endswith(OF_NANOBIND)] == []
    assert "unstride._core.conv_transpose is not a function" in found  # it has looked
