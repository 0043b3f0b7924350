"""Runs CTest, and says at the end which tests were skipped, and why; then CTest's summary.

    python run-tests.py .venv/bin/ctest build --parallel 2

A test is skipped where it prints [SKIP] and the reason. Exit status: CTest's.
"""

import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

SUMMARY = re.compile(r"\d+% tests passed")
SKIPPED_LIST = "The following tests did not run:"


def run(command):
    """Prints what the command prints up to CTest's summary; returns the exit status, and the lines from there on."""
    summary = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            if summary or SUMMARY.match(line):
                summary.append(line.rstrip("\n"))
            else:
                print(line, end="", flush=True)
    return process.returncode, summary


def skipped_tests(junit):
    """The names of the tests that were skipped, with the reasons."""
    found = []
    for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        reasons = re.findall(r"^\[SKIP\] *(.*)$", case.findtext("system-out", ""), re.MULTILINE)
        if case.find("skipped") is not None and reasons:  # others lack a fixture or a program, which failed
            found.append((case.get("name"), "; ".join(reasons)))
    return found


def without_skipped_list(summary):
    """CTest's list names skipped tests without a reason."""
    kept, inside = [], False
    for line in summary:
        inside = line == SKIPPED_LIST or (inside and line.startswith("\t"))
        if not inside:
            kept.append(line)
    return "\n".join(kept).strip()


def main():
    ctest, build, *options = sys.argv[1:]
    junit = Path(build).absolute() / "tests.xml"
    junit.unlink(missing_ok=True)
    status, summary = run([ctest, "--test-dir", build, "--output-on-failure", "--output-junit", str(junit), *options])
    skipped = skipped_tests(junit) if junit.exists() else []
    if skipped:
        print("Skipped, for what this machine lacks:")
        print("\n".join(f"    {name}: {reason}" for name, reason in skipped) + "\n")
    print(without_skipped_list(summary), flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
