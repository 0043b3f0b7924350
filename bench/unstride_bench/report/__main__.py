"""Makes the report of bench/bench.py or bench/experiments.py anew, from the JSON that they wrote.

In the folder bench:

    python -m unstride_bench.report bench.json bench.html
    python -m unstride_bench.report bench.json tables.md     tables of docs/performance.md or docs/autoschedulers.md
"""

import json
import pathlib
import sys

from unstride_bench.report.html_pages import write_experiments, write_report
from unstride_bench.report.markdown_tables import write_experiments_markdown, write_markdown


def main():
    """Writes the file that the command line names, in the form of its suffix."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    document, target = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
    page, tables = write_report, write_markdown
    if "schedules" in document:
        page, tables = write_experiments, write_experiments_markdown
    (tables if target.suffix == ".md" else page)(document, target)


main()
