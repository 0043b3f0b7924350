"""What ptxas makes of the CUDA kernels: no spills, no stack, and so few registers that a multiprocessor has room for
four blocks.

ptx_test.py --ptxas PATH OBJECT...
"""

import argparse
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
from unstride_bench import ptx  # noqa: E402

ARCHITECTURES = ("sm_80", "sm_90")
MOST_REGISTERS = 128  # as schedules/catalog.txt says: a multiprocessor has 65536, and a block 128 threads
OPTIONS = argparse.Namespace()


class PtxTest(unittest.TestCase):
    def test_kernels(self):
        self.assertTrue(OPTIONS.objects)
        for path in OPTIONS.objects:
            for architecture in ARCHITECTURES:
                with self.subTest(pathlib.Path(path).stem, architecture=architecture):
                    figures = ptx.assemble(OPTIONS.ptxas, path, architecture)
                    print(f"{pathlib.Path(path).stem:40} {architecture}  {figures.registers:3} registers")
                    self.assertEqual((figures.stack_bytes, figures.spilled_bytes), (0, 0))
                    self.assertTrue(0 < figures.registers <= MOST_REGISTERS, figures)

    def test_occupancy(self):
        for registers, shared, expected in (
            (32, 0, 1),
            (64, 0, 0.5),
            (65, 0, 0.4375),
            (128, 0, 0.25),
            (32, 48 << 10, 0.1875),
        ):
            self.assertEqual(ptx.occupancy(ptx.Figures(registers, shared, 0, 0)), expected)

    def test_what_is_no_ptx(self):
        with self.assertRaises(ValueError):
            ptx.ptx_of(__file__)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ptxas", required=True)
    parser.add_argument("objects", nargs="+")
    OPTIONS = parser.parse_args()
    unittest.main(argv=["ptx_test.py"])
