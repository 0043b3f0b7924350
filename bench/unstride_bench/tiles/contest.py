"""Times the kernels of tiles on a layer, in turns: first the catalog's, then new ones beside the best of these."""

import statistics

from unstride_bench.autoschedulers.candidates import CandidateError
from unstride_bench.kernel_families import FAMILIES
from unstride_bench.turns import name_to_force
from unstride_bench.worker_process import WorkerError

# What is estimated to take so many times as long as the fastest is not tried.
ESTIMATE_MARGIN = 2
# After its first round, its second one and so on, a kernel has to be within so many times the least time. The least of
# its times counts, as whatever else runs meanwhile only makes a kernel slower.
MARGINS = (1.3, 1.15, 1.1)
# So many kernels of the catalog have all turns, whatever happens, as new ones are compared with them.
BEST_OF_CATALOG = 2
# A call that takes so many times as long as a turn is the only one of it. This leaves room for the first call of all,
# which packs the weights.
PATIENCE = 3
# At most so many new kernels are measured again, if they were so many times as fast as the best of the catalog.
CHALLENGERS, CHALLENGE = 4, 1.03


class LayerContest:
    """What takes turns on the layer that a worker has loaded in a layout, with elements of a type."""

    def __init__(self, worker, layout, dtype, rounds, seconds):
        """A turn has so many seconds, or a single call where that takes much longer."""
        self.worker, self.rounds = worker, rounds
        self.place = {"layout": layout, "dtype": dtype}
        self.turn = {**self.place, "seconds": seconds, "least": 1, "patience": PATIENCE * seconds}

    def planned(self):
        """The planner's choice: a name, or two joined by "+"."""
        return self.worker.ask("expect", variants=[], **self.place)["planned"]

    def promising(self, names):
        """(those of some variants that take the layer and are not estimated to be slow, those that are)."""
        expected = self.worker.ask("expect", variants=list(names), **self.place)["seconds"]
        most = ESTIMATE_MARGIN * min(expected.values(), default=0)
        slow = [name for name, seconds in expected.items() if seconds > most]
        return [name for name in expected if name not in slow], slow

    def race(self, names, kept=(), rounds=None):
        """The least seconds of each turn, by name; those that fall behind have no more turns, except the `kept`.
        Raises CandidateError for one that fails."""
        times, racing = {name: [] for name in names}, list(names)
        for number in range(rounds or self.rounds):
            for name in racing:
                times[name].append(min(self.ask("time", name, **self.turn)["samples"]))
            margin = MARGINS[min(number, len(MARGINS) - 1)]
            least = min((min(times[name]) for name in racing), default=0)
            racing = [name for name in racing if name in kept or min(times[name]) <= margin * least]
        return times

    def is_wrong(self, name, beside):
        """Whether a variant's output differs in any bit from that of another one which rounds alike. Raises
        CandidateError if it fails."""
        return self.ask("check", name, beside=beside, **self.place)["difference"] != 0

    def ask(self, do, name, **request):
        """The worker's answer about a variant. Raises CandidateError in place of WorkerError."""
        try:
            return self.worker.ask(do, variant=name_to_force(name), **request)
        except WorkerError as error:
            raise CandidateError(name, str(error)) from None


def gain(best, other):
    """How many times as fast as `best` the other is, from the seconds of their turns in the same rounds."""
    return statistics.median(b / o for b, o in zip(best, other, strict=False))


def add_kernel(worker, kernel, folder):
    """Makes a compiled kernel of a folder one of a worker's variants, for any layer."""
    tile = kernel.tile
    facts = {"family": tile.family, "stride_x": kernel.stride_x, "block": tile.block, "columns": tile.columns}
    place = {"layout": tile.layout, "isa": tile.isa, "dtype": tile.dtype}
    library = str((folder / f"{kernel.name}.so").resolve())
    worker.ask("add", library=library, name=kernel.name, autoscheduled=False, **place, **facts)


def measure(contest, catalog, added, folder):
    """What a contest finds on its layer: a record of tiles.json, which bench/README.md describes.

    `catalog` and `added` are kernels of its layout, and those that were compiled to `folder`. Only kernels that sum as
    the planner's choice does take part, as it never chooses another one for the layer. Nothing is timed where none of
    the added ones does. Raises CandidateError for a kernel that fails.
    """
    planned = contest.planned()
    sums = sums_of(planned, catalog)
    new = [kernel for kernel in added if sums_like(kernel, sums)]
    record = {"planned": planned, "sums": sums, "kernels": [kernel.name for kernel in new], "slow": [], "wrong": []}
    record.update(catalog={}, added={}, again={})
    if not new:
        return record
    names = [kernel.name for kernel in catalog if sums_like(kernel, sums)]
    names, record["slow"] = contest.promising(names)
    pair = [planned] if "+" in planned else []
    times = contest.race([*names, *pair], kept=pair)
    record["catalog"] = {name: statistics.median(seconds) for name, seconds in times.items()}
    best = sorted(names, key=record["catalog"].get)[:BEST_OF_CATALOG]
    # Once there are new kernels the planner may choose them, so two kernels that share the layer are timed before.
    share = min([1.0, *(1 / gain(times[best[0]], times[name]) for name in pair)])

    for kernel in new:
        add_kernel(contest.worker, kernel, folder)
    promising, slow = contest.promising([*(kernel.name for kernel in new), *best])
    names = [name for name in promising if name not in best]
    record["slow"] += slow
    times = contest.race([*names, *best], kept=best)
    record["added"] = gains_over(best, times, names, share)
    challengers = [name for name in names if record["added"][name] > CHALLENGE]
    challengers = sorted(challengers, key=record["added"].get, reverse=True)[:CHALLENGERS]
    record["wrong"] = [name for name in challengers if contest.is_wrong(name, best[0])]
    challengers = [name for name in challengers if name not in record["wrong"]]
    if challengers:
        times = contest.race([*challengers, *best], kept=[*challengers, *best], rounds=2 * contest.rounds)
        record["again"] = gains_over(best, times, challengers, share)
    return record


def sums_of(planned, catalog):
    """In which way the planner's choice sums, if it is of these kernels; else None, as it is of another instruction
    set then."""
    first = planned.split("+")[0]
    return next((FAMILIES[kernel.tile.family].sums for kernel in catalog if kernel.name == first), None)


def sums_like(kernel, sums):
    """Whether a kernel sums in this way."""
    return FAMILIES[kernel.tile.family].sums == sums


def gains_over(best, times, names, share):
    """How many times as fast as the best of the catalog some variants were, by name. Two kernels that share the layer
    may have taken only a `share` of the time of the best single one."""
    fastest = min(best, key=lambda name: statistics.median(times[name]))
    return {name: share * gain(times[fastest], times[name]) for name in names}
