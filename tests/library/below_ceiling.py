#!/usr/bin/env python3
"""Runs a program below a ceiling of instruction sets, unless the ceiling leaves all that this processor has.

below_ceiling.py UNSTRIDE ISA PROGRAM [ARGUMENT...]
"""

import json
import os
import subprocess
import sys


def main():
    unstride, isa, *command = sys.argv[1:]
    environment = {**os.environ, "UNSTRIDE_MAX_ISA": ""}
    listed = subprocess.run([unstride, "list", "--json"], env=environment, stdout=subprocess.PIPE, check=True).stdout
    cpu = [v for v in json.loads(listed) if v["device"] == "cpu"]
    best = max((v for v in cpu if v["runs_here"]), key=lambda v: v["rank"])
    if best["rank"] <= next(v["rank"] for v in cpu if v["target"] == isa):
        print(f"[SKIP] the ceiling {isa} leaves all that this processor has: {best['target']}")
        return 0
    return subprocess.run(command, env={**os.environ, "UNSTRIDE_MAX_ISA": isa}).returncode


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main())
