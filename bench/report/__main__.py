import json
import pathlib
import sys

from . import __doc__ as usage
from . import write_experiments, write_report
from .markdown import write_experiments_markdown, write_markdown

if len(sys.argv) != 3:
    sys.exit(usage)
document, target = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
page, tables = (
    (write_experiments, write_experiments_markdown) if "schedules" in document else (write_report, write_markdown)
)
(tables if target.suffix == ".md" else page)(document, target)
