"""Installs the wheel of build/wheels in an environment of its own, and runs the tests of the package there.

    python wheel_check.py build

The wheel has to be small, with all kernels of the catalog and all that tools for types look for.
"""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 40e6


def catalog():
    """The number of variants for each instruction set that schedules/catalog.txt has; those of gpu count for two."""
    counts = {}
    for line in (ROOT / "schedules/catalog.txt").read_text().splitlines():
        row = line.partition("#")[0].split()
        if len(row) == 6:
            _, _, _, strides, isa, types = row
            for name in ["cuda", "opencl"] if isa == "gpu" else [isa]:
                counts[name] = counts.get(name, 0) + len(strides.split(",")) * len(types.split(","))
    return counts


def main():
    build = Path(sys.argv[1])
    (wheel,) = (build / "wheels").glob("unstride-*.whl")
    assert wheel.stat().st_size < LARGEST, f"{wheel} has {wheel.stat().st_size} bytes"
    names = zipfile.ZipFile(wheel).namelist()
    for needed in "unstride/__init__.py", "unstride/_core.pyi", "unstride/py.typed":
        assert needed in names, f"{wheel} lacks {needed}"
    (module,) = (name for name in names if name.endswith(".so"))
    assert ("abi3" in module) == ("abi3" in wheel.name), f"{wheel.name} has {module}"

    environment = build / "wheel-venv"
    venv.create(environment, clear=True, with_pip=True)
    python = environment / "bin/python"
    pinned = [
        line
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line.startswith(("numpy==", "ml_dtypes==", "pytest=="))
    ]
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel, *pinned], check=True)
    code = "import collections, unstride; print(dict(collections.Counter(v.isa for v in unstride.variants())))"
    found = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True).stdout
    assert eval(found) == catalog(), f"{wheel} has {found}, and the catalog {catalog()}"
    subprocess.run(
        [python, "-I", "-m", "pytest", "--quiet", "-p", "no:cacheprovider", ROOT / "python/tests"], check=True
    )
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB, variants: {found.strip()}")


if __name__ == "__main__":
    main()
