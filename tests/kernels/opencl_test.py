"""What the OpenCL kernels of f64 compute with: doubles that no literal, function or conversion makes floats.

opencl_test.py OBJECT...
"""

import argparse
import pathlib
import re
import unittest

# A constant of so few bits is exact as a float. Others, rounded to a float, have more bits, but for one in 4096.
BITS_OF_A_FLOAT, BITS_OF_AN_EXACT_ONE = 24, 12
LOST = (1 << (BITS_OF_A_FLOAT - BITS_OF_AN_EXACT_ONE)) - 1
OPTIONS = argparse.Namespace()


def source_of(path):
    """The OpenCL C in an object, which Halide puts there as text that ends with a zero, without comments."""
    data = pathlib.Path(path).read_bytes()
    start = data.index(b"/*OpenCL C ")
    return re.sub(r"/\*.*?\*/", "", data[start : data.index(b"\0", start)].decode())


def inexact(source):
    """What of a source is less exact than a double."""
    floats = [bits for bits in re.findall(r"\bfloat_from_bits\((\d+)", source) if int(bits) & LOST]
    literals = re.findall(r"(?<![\w.])(?:\d+\.\d*|\.\d+|\d+[eE][-+]?\d)[\w.]*", source)
    functions = re.findall(r"\b(?:native|half|fast)_\w+", source)
    conversions = re.findall(r"\bconvert_float\w*|\(float\d*\)", source)
    return floats + literals + functions + conversions


class OpenClTest(unittest.TestCase):
    def test_doubles_are_exact(self):
        self.assertTrue(OPTIONS.objects)
        for path in OPTIONS.objects:
            with self.subTest(pathlib.Path(path).stem):
                source = source_of(path)
                self.assertIn("double", source)
                self.assertEqual(inexact(source), [])

    def test_what_is_inexact(self):
        for source in (
            "double a = (double) float_from_bits(1036831949);",
            "double a = 0.1f * b;",
            "double a = 1e-3;",
            "double a = .5;",
            "double a = native_recip(b);",
            "double a = (float) b;",
            "float4 a = convert_float4(b);",
        ):
            self.assertEqual(len(inexact(source)), 1, source)
        for source in (
            "double a = (double) float_from_bits(1065353216);",
            "double a = as_double((ulong)(4591870180066957722ul));",
            "int4 a = b.s0 + b.xy;",
            "double a = b + _12;",
        ):
            self.assertEqual(inexact(source), [], source)

    def test_what_is_no_opencl(self):
        with self.assertRaises(ValueError):
            source_of("/dev/null")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("objects", nargs="+")
    OPTIONS = parser.parse_args()
    unittest.main(argv=["opencl_test.py"])
