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
    thorough: bool = False  # whether it seldom ends well, so that only --thorough asks for it

    @property
    def label(self):
        """The parameters and the form in words, which tells the settings of a scheduler apart."""
        words = [f"{name}={pathlib.Path(str(value)).name}" for name, value in self.parameters]
        return ", ".join(words + [self.form] * (self.form != "static")) or "default"


def setting(form="static", *, thorough=False, **parameters):
    """A setting with these parameters of the scheduler."""
    return Setting(tuple(parameters.items()), form, thorough)


@dataclasses.dataclass(frozen=True)
class Scheduler:
    """An autoscheduler for one device."""

    name: str
    library: str  # a path, or the name of a file beside Halide's libraries
    device: str  # cpu, or gpu: CUDA, and OpenCL to check the result
    settings: tuple


# On this operator Adams2019 takes more than 8 GiB with its default beam of 32, and Anderson2021 more than a minute with
# the same; docs/autoschedulers.md has the details.
# fmt: off
SCHEDULERS = (
    Scheduler("Mullapudi2016", "libautoschedule_mullapudi2016.so", "cpu", (
        setting(),
        setting(balance=10),
        setting(last_level_cache_size=1 << 19),
        setting("static, in place", thorough=True),
        setting("dynamic", thorough=True))),
    Scheduler("Adams2019", "libautoschedule_adams2019.so", "cpu", (
        setting(beam_size=1),
        setting(beam_size=1, disable_subtiling=1),
        setting(thorough=True),
        setting("static, in place", thorough=True, beam_size=1),
        setting("dynamic", thorough=True, beam_size=1))),
    Scheduler("Li2018", "libautoschedule_li2018.so", "cpu", (
        setting(),
        setting("static, in place", thorough=True),
        setting("dynamic", thorough=True))),
    Scheduler("Mullapudi2016 (GPU)", "libautoschedule_mullapudi2016.so", "gpu", (
        setting(experimental_gpu_schedule=1),
        setting("static, in place", experimental_gpu_schedule=1))),
    Scheduler("Li2018 (GPU)", "libautoschedule_li2018.so", "gpu", (
        setting(),
        setting("static, in place"))),
    Scheduler("Anderson2021", "libautoschedule_anderson2021.so", "gpu", (
        setting(beam_size=1),
        setting("static, in place", thorough=True, beam_size=1),
        setting(thorough=True))),
)
# fmt: on

# Failures that issues at github.com/halide/Halide describe: a pattern in "AUTOSCHEDULER: STATUS: MESSAGE", and the
# issue's number.
ISSUES = (
    ("Ran out of legal states", 8308),
    ("doesn't compute .* one of the consumers", 8278),
    ("at_or_inside_block", 8256),
    ("zero parallel tilings", 8246),
    ("Adams2019: (time|memory) limit", 8577),
    ("inside three other GPU block loops", 8650),
)


def issue_of(record):
    """The number of the issue of Halide that describes a failure, or None."""
    text = f"{record['scheduler']}: {record['status']}: {record['message']}"
    return next((number for pattern, number in ISSUES if re.search(pattern, text)), None)


def parse_plugin(text):
    """A scheduler of one's own, from NAME[@cpu|@gpu]=LIBRARY[,PARAMETER=VALUE...]. Raises ValueError."""
    match = re.fullmatch(r"(?P<name>\w+)(@(?P<device>cpu|gpu))?=(?P<library>[^,]+)(?P<parameters>(,\w+=[^,]*)*)", text)
    if not match:
        raise ValueError(f"'{text}' is not of the form NAME[@cpu|@gpu]=LIBRARY[,PARAMETER=VALUE...]")
    if not pathlib.Path(match["library"]).is_file():
        raise ValueError(f"there is no file {match['library']}")
    parameters = dict(pair.split("=", 1) for pair in match["parameters"].split(",") if pair)
    library = str(pathlib.Path(match["library"]).resolve())
    return Scheduler(match["name"], library, match["device"] or "cpu", (setting(**parameters),))
