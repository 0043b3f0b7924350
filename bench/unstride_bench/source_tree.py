"""Where the project's own files are, some of which the benchmark reads: tables, documents, and results from GPUs."""

import pathlib

ROOT = pathlib.Path(__file__).parents[2]
