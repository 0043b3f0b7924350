#!/usr/bin/env python3
"""What cmake/run-tests.py says at the end, of a CTest that does as it is told."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN_TESTS = Path(__file__).parents[2] / "cmake/run-tests.py"

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="tests">
  <testcase name="sums" status="run"><system-out>fine</system-out></testcase>
  <testcase name="cuda" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
    <system-out>start
[SKIP] there is no GPU
All tests passed
</system-out>
  </testcase>
  <testcase name="lost" status="notrun">
    <skipped message="Unable to find executable"/>
    <system-out></system-out>
  </testcase>
</testsuite>
"""

OUTPUT = """1/3 Test #1: sums ... Passed
{percent}% tests passed{failures} out of 3

Total Test time (real) =   0.30 sec

The following tests did not run:
\t  2 - cuda (Skipped)
{tail}"""


class RunTestsTest(unittest.TestCase):
    def run_tests(self, output, status, junit=JUNIT):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            (folder / "output").write_text(output)
            (folder / "junit").write_text(junit)
            ctest = folder / "ctest"
            ctest.write_text(f"#!/bin/sh\ncat {folder}/output\ncp {folder}/junit {folder}/tests.xml\nexit {status}\n")
            ctest.chmod(0o755)
            return subprocess.run(
                [sys.executable, RUN_TESTS, ctest, folder], capture_output=True, text=True, check=False
            )

    def test_skipped_tests_have_reasons_and_the_summary_is_last(self):
        for failures in "", ", 0 tests failed":
            done = self.run_tests(OUTPUT.format(percent=100, failures=failures, tail=""), 0)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(
                done.stdout.splitlines()[-6:],
                [
                    "Skipped, for what this machine lacks:",
                    "    cuda: there is no GPU",
                    "",
                    f"100% tests passed{failures} out of 3",
                    "",
                    "Total Test time (real) =   0.30 sec",
                ],
            )
            self.assertIn("1/3 Test #1: sums", done.stdout)

    def test_failures_keep_ctest_s_list_and_status(self):
        tail = "\nThe following tests FAILED:\n\t  3 - lost (Not Run)\n"
        done = self.run_tests(OUTPUT.format(percent=67, failures=", 1 tests failed", tail=tail), 8)
        self.assertEqual(done.returncode, 8)
        self.assertEqual(done.stdout.splitlines()[-2:], ["The following tests FAILED:", "\t  3 - lost (Not Run)"])
        self.assertIn("    cuda: there is no GPU\n", done.stdout)
        self.assertNotIn("lost: ", done.stdout)

    def test_nothing_skipped_says_nothing(self):
        done = self.run_tests(OUTPUT.format(percent=100, failures="", tail=""), 0, junit="<testsuite/>")
        self.assertNotIn("Skipped, ", done.stdout)


if __name__ == "__main__":
    unittest.main()
