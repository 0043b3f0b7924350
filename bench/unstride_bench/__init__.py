"""The benchmark, which bench/bench.py and bench/experiments.py start. bench/README.md says how it measures."""
