"""The search for register tiles: every one that fits, compiled, timed beside the catalog's, and judged."""
