"""What the planner's choices lose: the regret, which is the time of its choice over that of the fastest variant."""

import dataclasses
import math

from unstride_bench.worker_process import WorkerError


@dataclasses.dataclass(frozen=True)
class Judgement:
    """The planner's choice for a layer and layout, beside the fastest variant that was measured."""

    layer: str
    layout: str
    chosen: str
    fastest: str
    regret: float  # None if the choice was not measured


def judge_case(case, chosen, times):
    """The judgement of one case, of which there are times by variant."""
    fastest = min(times, key=times.get)
    regret = times[chosen] / times[fastest] if chosen in times else None
    return Judgement(*case, chosen, fastest, regret)


def judge(worker, layers, measured):
    """The judgements of all cases of these layers that were measured, planned for the machine that they were measured
    on, which need not be this one."""
    judgements = []
    for (name, layout), times in measured.cases().items():
        if name in layers:
            request = {"layer": layers[name].text, "layout": layout, "machines": [measured.machine]}
            chosen = worker.ask("plan", **request)["plans"][0]["variant"]
            judgements.append(judge_case((name, layout), chosen, times))
    return judgements


def summary_of(judgements):
    """A line: how many choices are nearly the fastest, and what all lose."""
    regrets = [j.regret for j in judgements if j.regret]
    if not regrets:
        return "nothing was measured"
    mean = math.exp(sum(map(math.log, regrets)) / len(regrets))
    within = [sum(r <= limit for r in regrets) for limit in (1.05, 1.15)]
    words = f"within 5 %: {within[0]} of {len(regrets)}, within 15 %: {within[1]}, geometric mean {mean:.3f}"
    unknown = len(judgements) - len(regrets)
    return words + f", largest {max(regrets):.2f}" + (f"; {unknown} choices were not measured" if unknown else "")


def report_of(judgements, most=1.05):
    """Lines about the cases that lose more than `most`, the worst first, and the summary."""
    lines = [
        f"{j.layer:13} {j.layout}  {j.regret:.2f}  {j.chosen}, fastest {j.fastest}"
        for j in sorted(judgements, key=lambda j: -(j.regret or 0))
        if j.regret and j.regret > most
    ]
    return "\n".join([*lines, summary_of(judgements)])


def parts_of(worker, layers, measured):
    """What the planner expects of each variant that was measured, by case and variant: the worker's answers. A variant
    that this machine cannot run is left out."""
    parts = {}
    for (name, layout), times in measured.cases().items():
        if name not in layers:
            continue
        for variant in times:
            forced = {} if "+" in variant else {"variant": variant}
            request = {"layer": layers[name].text, "layout": layout, "machines": [measured.machine], **forced}
            try:
                answer = worker.ask("plan", **request)["plans"][0]
            except WorkerError:
                continue
            if answer["variant"] == variant:
                parts.setdefault((name, layout), {})[variant] = answer
    return parts
