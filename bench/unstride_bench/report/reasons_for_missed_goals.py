"""Why goals are missed, as docs/performance.md has it: the list after the line `Why goals are missed:`."""

import re

from unstride_bench.source_tree import ROOT

DOCUMENT = ROOT / "docs/performance.md"
START = "Why goals are missed:"


def reasons(text=None):
    """The items of the list, in a text or else in the document, as pairs of what misses a goal and why."""
    text = DOCUMENT.read_text() if text is None else text
    part = text.partition(f"\n{START}\n")[2].split("\n#")[0]
    items = re.findall(r"^- \*\*(.+?)\*\*(.*?)(?=^- |\Z)", part, re.DOTALL | re.MULTILINE)
    return [(what, " ".join(why.split()).removeprefix(": ")) for what, why in items]
