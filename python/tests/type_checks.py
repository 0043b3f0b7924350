"""How tests of types run mypy on the package."""

import pathlib
import subprocess
import sys

import unstride

STRICT = """
[mypy]
strict = True
"""
_PACKAGES = pathlib.Path(unstride.__file__).parents[1]
_IS_INSTALLED = _PACKAGES.is_relative_to(sys.prefix)


def run_mypy(folder, configuration, tool, *arguments):
    """Runs mypy or mypy.stubtest on the package that the tests import, and returns its messages."""
    (folder / "mypy.ini").write_text(configuration)
    environment = {}
    if not _IS_INSTALLED:
        environment["MYPYPATH"] = str(_PACKAGES)
    if not _IS_INSTALLED and tool == "mypy.stubtest":
        # It imports the package. mypy itself would take what is here for installed, and keep its errors to itself.
        environment["PYTHONPATH"] = str(_PACKAGES)
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def check_package_and_caller(folder, configuration, modules, caller):
    """Checks modules of the package, and a program in which just the lines that end with "# wrong" are wrong."""
    (folder / "caller.py").write_text(caller)
    options = [option for module in [*modules, "caller"] for option in ("-m", module)]
    found = run_mypy(folder, configuration, "mypy", "--no-error-summary", *options)
    wrong = [f"caller.py:{number}" for number, line in enumerate(caller.splitlines(), 1) if line.endswith("# wrong")]
    errors = [line.split(": error:")[0] for line in found if ": error:" in line]
    assert list(dict.fromkeys(errors)) == wrong, "\n".join(found)
