"""One HTML file, with everything in it, from the JSON of bench/bench.py or bench/experiments.py.

python -m report bench.json bench.html      in the folder bench
python -m report bench.json tables.md       the tables of docs/performance.md or docs/autoschedulers.md
"""

import pathlib

import jinja2
from markupsafe import Markup

from . import charts
from .reasons import reasons
from .schedules import Schedules
from .summary import BOTH, Summary, geometric_mean, gpu_speeds

FOLDER = pathlib.Path(__file__).parent


def columns_of(summary):
    """(library, layout) of everything that was measured, ours first."""
    measured = {(r["who"], r["layout"]) for r in summary.document["results"]}
    return [(who, layout) for who in ("unstride", *summary.peers) for layout in BOTH if (who, layout) in measured]


def page_environment():
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["ms"] = lambda seconds: f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:.0f}"
    environment.globals["style"] = Markup((FOLDER / "report.css").read_text())
    return environment


def schedule_parts(document, folder):
    """What schedules.html.j2 shows of the JSON of bench/experiments.py; `folder` is where its files are, as a link."""
    schedules = Schedules(document)
    layouts = [layout for layout in BOTH if any(planned == layout for _, planned in schedules.planned)]
    return {
        "schedules": schedules,
        "schedule_folder": folder,
        "schedule_charts": {layout: Markup(charts.schedule_chart(schedules, layout)) for layout in layouts},
    }


def write_report(document, path, experiments="experiments"):
    """`experiments` is the folder of bench/experiments.py's files, as a link from the report."""
    summary = Summary(document)
    drawings = {
        "limit": charts.limit_chart(summary),
        "roofline": charts.roofline_chart(summary),
        "memory": charts.memory_chart(summary),
    }
    if summary.peers:
        drawings["speed"] = charts.speed_chart(summary)
    layouts = [layout for layout in BOTH if any(v["layout"] == layout for v in document["variants"])]
    found = document.get("experiments")
    page = (
        page_environment()
        .get_template("report.html.j2")
        .render(
            s=summary,
            d=document,
            goals=summary.goals(),
            losses=summary.losses(),
            columns=columns_of(summary),
            reasons=reasons(),
            gpus=[(gpu, gpu_speeds(gpu)) for gpu in document.get("gpus", [])],
            charts={name: Markup(svg) for name, svg in drawings.items()},
            geometric_mean=geometric_mean,
            variants={layout: Markup(charts.variant_chart(summary, layout)) for layout in layouts},
            **(schedule_parts(found, experiments) if found else {"schedules": None}),
        )
    )
    pathlib.Path(path).write_text(page)


def write_experiments(document, path):
    """The report of bench/experiments.py, from its JSON; the file lies beside that."""
    page = page_environment().get_template("experiments.html.j2").render(d=document, **schedule_parts(document, "."))
    pathlib.Path(path).write_text(page)
