"""Installs the wheel of build/wheels in an environment of its own, and runs the tests of the package there.

    python wheel_check.py build [python-with-torch]

The Python is the one that the wheel was built for, and has auditwheel and abi3audit. The wheel has to be small, with
all kernels of the catalog and all that tools for types look for, and need no newer system and no other interface of
Python than its name says. With a Python that has PyTorch, the tests of unstride.torch run, too.
"""

import json
import os
import platform
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 40e6
TAG = "cp311-cp311" if sys.version_info < (3, 12) else "cp312-abi3"


def rows_of(table, columns):
    """The rows of a table in schedules/ that have so many columns."""
    lines = (ROOT / "schedules" / table).read_text().splitlines()
    rows = [line.partition("#")[0].split() for line in lines]
    return [row for row in rows if len(row) == columns]


def catalog():
    """The number of variants in schedules/catalog.txt for each instruction set and kind of GPU of this processor."""
    here = {"x86_64": "x86-64", "aarch64": "aarch64"}.get(platform.machine(), "other")
    counts = {}
    for isa, device, processor, *_ in rows_of("isas.txt", 9):
        if processor == here:
            in_catalog = isa if device == "cpu" else "gpu"
            counts[isa] = sum(
                len(strides.split(",")) * len(known.split(",")) * len(types.split(","))
                for _, _, _, strides, known, isa_of_row, types in rows_of("catalog.txt", 7)
                if isa_of_row == in_catalog
            )
    return counts


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def check_contents(wheel, has_torch):
    assert wheel.stat().st_size < LARGEST, f"{wheel} has {wheel.stat().st_size} bytes"
    names = zipfile.ZipFile(wheel).namelist()
    needed = ["__init__.py", "_core.pyi", "py.typed", "dask.py", "torch/__init__.py", "libunstride_python.so"]
    for name in [*needed, *(["torch/_ops.so"] if has_torch else [])]:
        assert f"unstride/{name}" in names, f"{wheel} lacks {name}"
    (module,) = (name for name in names if name.startswith("unstride/_core.") and name.endswith(".so"))
    assert ("abi3" in module) == ("abi3" in wheel.name), f"{wheel.name} has {module}"


def check_interfaces(wheel, has_torch):
    shown = json.loads(run(sys.executable, "-m", "auditwheel", "show", "--json", wheel, capture_output=True).stdout)
    libraries = [name for name in shown["external_libs"] if not (has_torch and name.startswith("libtorch"))]
    assert not libraries, f"{wheel} needs libraries that neither it nor every system has: {libraries}"
    assert shown["sym_tag"].startswith("manylinux"), f"{wheel} is for {shown['sym_tag']} alone"
    print(f"{wheel} is for {shown['sym_tag']}")
    if "abi3" in wheel.name:
        run(sys.executable, "-m", "abi3audit", "--strict", "--summary", wheel)


def main():
    build, torch = Path(sys.argv[1]), sys.argv[2:]
    (wheel,) = (build / "wheels").glob(f"unstride-*-{TAG}-*.whl")
    check_contents(wheel, bool(torch))
    check_interfaces(wheel, bool(torch))

    environment = build / "wheel-venv"
    venv.create(environment, clear=True, with_pip=True)
    python = environment / "bin/python"
    pinned = [
        line
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line.startswith(("numpy==", "ml_dtypes==", "pytest==", "mypy=="))
    ]
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, *pinned)
    code = "import collections, unstride; print(dict(collections.Counter(v.isa for v in unstride.variants())))"
    found = run(python, "-I", "-c", code, capture_output=True, env={"PATH": ""}).stdout  # and so without a compiler
    assert eval(found) == catalog(), f"{wheel} has {found}, and the catalog {catalog()}"
    tests = sorted((ROOT / "python/tests").glob("test_*.py"))
    run(python, "-I", "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *tests)
    for with_torch in torch:
        installed = build / "wheel-torch"
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", installed, wheel)
        run(
            *(with_torch, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", ROOT / "python/tests/torch"),
            env={**os.environ, "PYTHONPATH": str(installed)},
        )
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB, variants: {found.strip()}")


if __name__ == "__main__":
    main()
