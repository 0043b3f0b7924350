"""Experiments on a table of layers: schedules of autoschedulers beside hand-written ones, register tiles that the
catalog lacks beside those that it has, and the planner's choices beside all variants.

    bench/experiments.py compare                     every autoscheduler of Halide on every layer: about an hour
    bench/experiments.py compare --layers gcnet      and so on; --help lists the options
    bench/experiments.py compare --plugin Mine=libautoschedule_mine.so,depth=3
    bench/experiments.py search --layer gcnet --layout ncdhw --samples 100
    bench/experiments.py retrain                     the cost model of Adams2019, on the samples of all searches
    bench/experiments.py tiles                       all tiles that fit the registers: which the catalog lacks
    bench/experiments.py planner --measure           times of all variants, for --judge and --fit

Whatever an autoscheduler does within its limits, crash or stall or err, is a result. What is there already stays: a
run that was interrupted goes on where it ended. bench/README.md describes the files.
"""

from unstride_bench.experiments_command import main

if __name__ == "__main__":
    main(__doc__)
