#!/usr/bin/env python3
"""Cross-compiles the project in part/ for ARM with 64 bits, and runs its tests in QEMU.

Usage: part_test.py --cmake CMAKE --build FOLDER [OPTION...]

The other options are those with which CMake configures the project.
"""

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEEDED = ["aarch64-linux-gnu-g++", "qemu-aarch64-static"]


def obstacle(machine, programs):
    """Why nothing can be tested on a machine that has these programs, and whether that is a fault; or nothing.

    It is one where `make test` installs what is needed (cmake/install-packages.sh).
    """
    if machine in ("aarch64", "arm64"):
        return "this is ARM, where all tests run its kernels", False
    missing = [program for program in NEEDED if program not in programs]
    if missing:
        return f"there is no {' and no '.join(missing)}", machine == "x86_64" and "apt-get" in programs
    return None


def self_test():
    compiler, emulator = NEEDED
    for machine, programs, expected in (
        ("x86_64", [*NEEDED, "apt-get"], None),
        ("riscv64", NEEDED, None),
        ("x86_64", [compiler, "apt-get"], (f"there is no {emulator}", True)),
        ("x86_64", [compiler], (f"there is no {emulator}", False)),
        ("riscv64", ["apt-get"], (f"there is no {compiler} and no {emulator}", False)),
        ("aarch64", [*NEEDED, "apt-get"], ("this is ARM, where all tests run its kernels", False)),
    ):
        found = obstacle(machine, programs)
        if found != expected:
            sys.exit(f"self-test: on {machine} with {programs}: {found} instead of {expected}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--build", required=True)
    arguments, options = parser.parse_known_args()

    self_test()
    found = obstacle(platform.machine(), [program for program in [*NEEDED, "apt-get"] if shutil.which(program)])
    if found:
        reason, is_fault = found
        if is_fault:
            sys.exit(f"{reason}, which `make test` installs")
        print(f"[SKIP] {reason}")
        return

    # Flags of the environment are those for this machine.
    environment = {name: value for name, value in os.environ.items() if name not in ("CXXFLAGS", "LDFLAGS")}
    # The library does little in these tests, so that it takes longer to compile the better it is optimized.
    configure = [arguments.cmake, "-S", ROOT / "tests/arm/part", "-B", arguments.build, *options]
    configure += ["--toolchain", ROOT / "cmake/aarch64-linux-gnu.cmake"]
    configure += ["-D", "CMAKE_BUILD_TYPE=Release", "-D", "CMAKE_CXX_FLAGS_RELEASE=-O1"]
    check = [arguments.cmake, "--build", arguments.build, "--parallel", "1", "--target", "check"]
    for command in (configure, check):
        sys.stdout.flush()
        if subprocess.run(command, env=environment, check=False).returncode:
            sys.exit("the part for ARM cannot be built, or fails")


if __name__ == "__main__":
    main()
