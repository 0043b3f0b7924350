"""Measures Unstride, and peers beside it, on a table of layers; writes the numbers as JSON and a report as HTML.

    bench/bench.py                                   Unstride alone: every fast variant on every layer
    bench/bench.py --peers .venv-peers/bin/python    and the peers of peers.py, with that Python's packages
    ... --only goals                                 in 15 minutes: the speed beside peers, with intervals
    bench/bench.py --layers-file mine.csv            layers of your own network, in the form of bench/layers.csv

All take turns, layer by layer and round by round, so that noise of the machine hits all alike. The JSON is written
after each layer, and --resume goes on where it ended. bench/README.md describes it.
"""

from unstride_bench.benchmark_command import main

if __name__ == "__main__":
    main(__doc__)
