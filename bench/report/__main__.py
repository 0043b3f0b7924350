import json
import pathlib
import sys

from . import __doc__ as usage
from . import write_report
from .markdown import write_markdown

if len(sys.argv) != 3:
    sys.exit(usage)
document, target = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
(write_markdown if target.suffix == ".md" else write_report)(document, target)
