"""What the command line of a build, bin/unstride, says of itself."""

import json
import os
import subprocess


def ceiling_of(isa):
    """The environment in which Unstride takes no higher instruction set than this one; empty if `isa` is None."""
    return {"UNSTRIDE_MAX_ISA": isa} if isa else {}


def run_unstride(build, *arguments, isa=None):
    """What `unstride` prints with these arguments; raises ValueError with its words if it fails."""
    command, environment = [str(build / "bin/unstride"), *arguments], {**os.environ, **ceiling_of(isa)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return done.stdout


def list_variants(build, isa=None):
    """The forward's variants in `unstride list --json` of a build, with whether they run here below a ceiling."""
    listed = json.loads(run_unstride(build, "list", "--json", isa=isa))
    return [v for v in listed if v["operator"] == "forward"]


def version_of(build):
    """The version of a build, such as 0.1.0."""
    return run_unstride(build, "--version").strip().removeprefix("unstride ")
