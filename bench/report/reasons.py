"""Why goals are missed, as docs/performance.md has it: the list after the line `Why goals are missed:`."""

import pathlib
import re

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/performance.md"
START = "Why goals are missed:"


def reasons(text=None):
    """(what, why) of each item of the list."""
    text = DOCUMENT.read_text() if text is None else text
    part = text.partition(f"\n{START}\n")[2].split("\n#")[0]
    items = re.findall(r"^- \*\*(.+?)\*\*(.*?)(?=^- |\Z)", part, re.DOTALL | re.MULTILINE)
    return [(what, " ".join(why.split()).removeprefix(": ")) for what, why in items]
