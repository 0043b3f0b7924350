"""The fit of the planner's constants for a microarchitecture: how long stores and staging take beside multiply-adds.

The constants are the columns `storing` and `staging` of runtime/src/device/microarchitectures.cpp.
"""

import math

NEAR = 1.5  # variants that take more times as long as the fastest of their case have no part in the fit
LEAST_STEP = 0.005
MOST = 4  # times as large or as small as they are: constants that do not matter to the times must not run away


def expected_seconds(answer, storing, staging):
    """What the planner would expect with other constants, in parts of those that it has."""
    stores, staged = answer["stores"], answer["staging"]
    return answer["seconds"] - stores - staged + stores * storing + staged * staging


def error_of(times, parts, storing, staging):
    """The mean square of what the logarithms of times differ from what is expected, within each case: the planner only
    has to put the variants of a case in the right order, so that a factor which all of them share does not count."""
    total, count = 0, 0
    for case, answers in parts.items():
        least = min(times[case].values())
        near = [name for name in answers if times[case][name] <= NEAR * least]
        logs = [math.log(times[case][n] / expected_seconds(answers[n], storing, staging)) for n in near]
        mean = sum(logs) / len(logs) if logs else 0
        total += sum((log - mean) ** 2 for log in logs)
        count += len(logs)
    return total / max(count, 1)


def bounded(factor):
    """A factor that does not go beyond what is sensible."""
    return min(max(factor, 1 / MOST), MOST)


def fit(times, parts):
    """The factors for stores and staging with the least error, by search along each in turn with ever smaller steps."""
    best, step = [1.0, 1.0], 0.5
    least = error_of(times, parts, *best)
    while step > LEAST_STEP:
        better = False
        for i in range(2):
            for factor in (math.exp(step), math.exp(-step)):
                tried = [bounded(value * factor) if j == i else value for j, value in enumerate(best)]
                error = error_of(times, parts, *tried)
                if error < least:
                    best, least, better = tried, error, True
        step = step if better else step / 2
    return tuple(best)


def choices(parts, storing, staging):
    """The variant of each case that is expected to take the least time."""
    return {
        case: min(answers, key=lambda name: expected_seconds(answers[name], storing, staging))
        for case, answers in parts.items()
    }
