"""The autoschedulers that bench/experiments.py compares, and how each is asked for a schedule."""

import dataclasses
import pathlib
import re

# Parameters of the generator that give the algorithm in another form; bench/README.md says what each is good for.
FORMS = {"static": {}, "static, in place": {"in_place": "true"}, "dynamic": {"estimates_only": "true"}}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One way to ask: the scheduler's parameters beside `parallelism`, and the form of the algorithm."""

    parameters: tuple = ()  # (name, value) pairs
    form: str = "static"
    thorough: bool = False  # of those that seldom end well, which only --thorough asks for

    @property
    def label(self):
        words = [f"{name}={pathlib.Path(str(value)).name}" for name, value in self.parameters]
        return ", ".join(words + [self.form] * (self.form != "static")) or "default"


def setting(form="static", thorough=False, **parameters):
    return Setting(tuple(parameters.items()), form, thorough)


@dataclasses.dataclass(frozen=True)
class Scheduler:
    """An autoscheduler for one device."""

    name: str
    library: str  # a path, or the name of a file beside Halide's libraries
    device: str  # cpu, or gpu: CUDA, and OpenCL to check the result
    settings: tuple


# What a search of its default effort does with this operator is in docs/autoschedulers.md: in short, Adams2019 with its beam of 32 takes
# more than 8 GiB, and Anderson2021 with its beam of 32 more than a minute.
SCHEDULERS = (
    Scheduler(
        "Mullapudi2016",
        "libautoschedule_mullapudi2016.so",
        "cpu",
        (
            setting(),
            setting(balance=10),
            setting(last_level_cache_size=1 << 19),
            setting("static, in place", True),
            setting("dynamic", True),
        ),
    ),
    Scheduler(
        "Adams2019",
        "libautoschedule_adams2019.so",
        "cpu",
        (
            setting(beam_size=1),
            setting(beam_size=1, disable_subtiling=1),
            setting(thorough=True),
            setting("static, in place", True, beam_size=1),
            setting("dynamic", True, beam_size=1),
        ),
    ),
    Scheduler(
        "Li2018",
        "libautoschedule_li2018.so",
        "cpu",
        (setting(), setting("static, in place", True), setting("dynamic", True)),
    ),
    Scheduler(
        "Mullapudi2016 (GPU)",
        "libautoschedule_mullapudi2016.so",
        "gpu",
        (setting(experimental_gpu_schedule=1), setting("static, in place", experimental_gpu_schedule=1)),
    ),
    Scheduler("Li2018 (GPU)", "libautoschedule_li2018.so", "gpu", (setting(), setting("static, in place"))),
    Scheduler(
        "Anderson2021",
        "libautoschedule_anderson2021.so",
        "gpu",
        (setting(beam_size=1), setting("static, in place", True, beam_size=1), setting(thorough=True)),
    ),
)

# Failures that issues of Halide know, at github.com/halide/Halide: patterns of an autoscheduler with a status and a message, and the issue's number.
ISSUES = (
    ("Ran out of legal states", 8308),
    ("doesn't compute .* one of the consumers", 8278),
    ("at_or_inside_block", 8256),
    ("zero parallel tilings", 8246),
    ("Adams2019: (time|memory) limit", 8577),
    ("inside three other GPU block loops", 8650),
)


def issue_of(record):
    """The number of the issue of Halide that knows a failure, or None."""
    text = f"{record['scheduler']}: {record['status']}: {record['message']}"
    return next((number for pattern, number in ISSUES if re.search(pattern, text)), None)


def parse_plugin(text):
    """A scheduler of one's own, from NAME[@cpu|@gpu]=LIBRARY[,PARAMETER=VALUE...]. Raises ValueError."""
    match = re.fullmatch(r"(?P<name>\w+)(@(?P<device>cpu|gpu))?=(?P<library>[^,]+)(?P<parameters>(,\w+=[^,]*)*)", text)
    if not match:
        raise ValueError(f"'{text}' is not of the form NAME[@cpu|@gpu]=LIBRARY[,PARAMETER=VALUE...]")
    if not pathlib.Path(match["library"]).is_file():
        raise ValueError(f"there is no file {match['library']}")
    pairs = [pair.split("=", 1) for pair in match["parameters"].split(",") if pair]
    return Scheduler(
        match["name"],
        str(pathlib.Path(match["library"]).resolve()),
        match["device"] or "cpu",
        (setting(**dict(pairs)),),
    )
