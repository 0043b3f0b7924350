"""The shared library shows the functions of unstride/c.h and nothing else, and has all kernels.

shared_test.py LIBRARY HEADER UNSTRIDE, where UNSTRIDE is the command line."""

import ctypes
import json
import pathlib
import re
import subprocess
import sys
import unittest


class SharedTest(unittest.TestCase):
    library, header, unstride = "", pathlib.Path(), ""

    def symbols(self, *options):
        command = ["nm", "--dynamic", "--format=posix", *options, self.library]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        return {line.split()[0]: line.split()[1] for line in lines}

    def test_exports(self):
        declared = re.findall(r"^(?:\w+ )+\*?(unstride_\w+)\(", self.header.read_text("utf-8"), re.MULTILINE)
        self.assertGreater(len(declared), 20)
        exported = self.symbols("--defined-only")
        self.assertEqual(exported.pop("UNSTRIDE_0"), "A")  # the version itself
        self.assertEqual({*exported}, {f"{name}@@UNSTRIDE_0" for name in declared})
        self.assertEqual({*exported.values()}, {"T"})

    def test_needs_no_halide(self):
        self.assertEqual([name for name in self.symbols("--undefined-only") if "halide" in name.lower()], [])

    def test_has_all_kernels(self):
        count = ctypes.c_int64()
        self.assertEqual(ctypes.CDLL(self.library).unstride_variant_count(ctypes.byref(count)), 0)
        listed = subprocess.run([self.unstride, "list", "--json"], capture_output=True, text=True, check=True)
        self.assertEqual(count.value, len(json.loads(listed.stdout)))


if __name__ == "__main__":
    SharedTest.unstride = sys.argv.pop()
    SharedTest.header = pathlib.Path(sys.argv.pop())
    SharedTest.library = sys.argv.pop()
    unittest.main()
