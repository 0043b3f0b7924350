"""Ratios of times that were measured in turns: the one way in which the benchmark and its report compare two times."""

import dataclasses
import math
import statistics
import typing

CONFIDENCE = 0.95  # with which an interval contains what more and more rounds would give
REGRET = 1.05  # how many times as long as the best variant the planner's choice may take
FAR = 8  # where one time is so many times the other, one round tells enough


class Ratio(typing.NamedTuple):
    """The median of the ratios of single rounds."""

    value: float
    low: float  # the ends of its interval; None where there are too few rounds for one
    high: float
    rounds: int  # in which both had a turn

    @property
    def inverse(self):
        """The same ratio, the other way around."""
        return Ratio(1 / self.value, self.high and 1 / self.high, self.low and 1 / self.low, self.rounds)


def interval_of_median(values):
    """The ends of the interval between two of the values that contains the median of what they are samples of.

    It does so with a probability of CONFIDENCE at least, whatever their distribution: each value is below the median
    with probability 1/2, so that a binomial distribution tells how many are. (None, None) for less than six values.
    """
    ordered, count = sorted(values), len(values)
    outside, probability = 0, 2 * 0.5**count  # that at most `outside` values are below the median, or above it
    while outside < count / 2 and probability <= 1 - CONFIDENCE:
        outside += 1
        probability += 2 * math.comb(count, outside) * 0.5**count
    return (ordered[outside - 1], ordered[-outside]) if outside else (None, None)


def ratio_of(theirs, ours):
    """The ratio of the times of two rows of the document, whose `rounds` belong together one by one; in a round without
    a turn there is None. None if no round has both."""
    pairs = zip(theirs.get("rounds", ()), ours.get("rounds", ()), strict=False)
    ratios = [their / our for their, our in pairs if their and our]
    return Ratio(statistics.median(ratios), *interval_of_median(ratios), len(ratios)) if ratios else None


@dataclasses.dataclass
class Comparison:
    """A row of ours beside rows that may be faster: on which side of a threshold is the least ratio of theirs to ours?

    Noise counts against us, as of several that are about equal the one counts that seems to be the fastest.
    """

    ours: dict
    theirs: list
    threshold: float = 1.0
    # A row that takes 1 + margin times as long as the fastest is out of question after one round, and one that takes
    # 1 + margin / n times as long after n rounds.
    margin: float = 1.0
    least_rounds: int = 1  # before which the fastest row is not known, however much faster it is

    def ratios(self):
        """Pairs of a ratio and its row, for those of their rows that have one."""
        return [(ratio, row) for row in self.theirs if (ratio := ratio_of(row, self.ours))]

    def fastest(self):
        """The least ratio and its row, or None if there is none."""
        return min(self.ratios(), key=lambda pair: pair[0].value, default=None)

    def contenders(self):
        """Their rows that may be the fastest, and so need more turns; one that has failed gets no more."""
        able = [row for row in self.theirs if "error" not in row]
        fastest = self.fastest()
        if not fastest:
            return able
        least = fastest[0].value

        def may_be(row):
            ratio = ratio_of(row, self.ours)
            return not ratio or ratio.value <= least * (1 + self.margin / ratio.rounds)

        return [row for row in able if may_be(row)]

    def doubt(self):
        """How uncertain the least ratio is: the width of its interval over what it may be; up to 1 is certain enough.

        An interval may be half as wide as the ratio is away from the threshold, on the scale of logarithms, but that
        counts as 5 % at least and 20 % at most. So the rounds go to the ratios that are near the threshold.
        """
        contenders = self.contenders()
        if "rounds" not in self.ours or any(not ratio_of(row, self.ours) for row in contenders):
            return math.inf
        if not contenders:
            return 0.0
        ratio, _ = self.fastest()
        if ratio.rounds < self.least_rounds:
            return math.inf
        distance = abs(math.log(ratio.value / self.threshold))
        if ratio.low is None:
            return 0.0 if distance > math.log(FAR) else math.inf
        return math.log(ratio.high / ratio.low) / min(max(distance / 2, 0.025), 0.1)
