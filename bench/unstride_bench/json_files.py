"""Files of JSON that are rewritten while others may read them."""

import json


def save_json(document, path):
    """Replaces a JSON file, and makes its folder if need be; whoever reads it meanwhile sees the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(document, indent=1) + "\n")
    partial.replace(path)
