import json
import pathlib
import sys

from . import __doc__ as usage
from . import write_report

if len(sys.argv) != 3:
    sys.exit(usage)
write_report(json.loads(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2])
