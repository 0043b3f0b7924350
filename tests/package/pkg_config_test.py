"""Compiles a program as `c++ main.cpp $(pkg-config --cflags --libs MODULE)` does, and runs it.

    python pkg_config_test.py --prefix PREFIX --compiler c++ --source main.cpp --output app MODULE...
    python pkg_config_test.py --prefix PREFIX --compiler cc --standard c99 --source main.c --output app MODULE...

PREFIX is where Unstride is installed, which need not be where it was to be installed when it was configured.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path


def pkg_config(prefix, *arguments):
    folders = ":".join(str(file.parent) for file in prefix.rglob("unstride.pc"))
    environment = os.environ | {"PKG_CONFIG_PATH": folders}
    done = subprocess.run(["pkg-config", *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="+")
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--standard", default="c++17")
    parser.add_argument("--source", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    flags = pkg_config(arguments.prefix, "--cflags", "--libs", *arguments.modules)
    standard = f"-std={arguments.standard}"
    subprocess.run([arguments.compiler, standard, arguments.source, "-o", arguments.output, *flags], check=True)
    libraries = ":".join(str(file.parent) for file in arguments.prefix.rglob("libunstride.so"))
    environment = os.environ | {"LD_LIBRARY_PATH": libraries}
    subprocess.run([arguments.output.absolute()], check=True, env=environment)
    print(f"{' '.join(flags)}: {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
