"""Writes the MRI volume of examples/demo.py as examples/train reads it, which is without compression.

python mri_volume.py OUTPUT.nii
"""

import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from demo import MRI  # noqa: E402

if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(gzip.decompress(MRI.read_bytes()))
