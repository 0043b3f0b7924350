"""One HTML file, with everything in it, from the JSON of bench/bench.py or bench/experiments.py."""

import pathlib

import jinja2
from markupsafe import Markup

from unstride_bench.layer_table import LAYOUTS
from unstride_bench.report.benchmark_summary import Summary, geometric_mean, gpu_speeds
from unstride_bench.report.goal_numbers import cases
from unstride_bench.report.gradient_numbers import OPERATIONS, passes
from unstride_bench.report.heat_maps import schedule_chart, variant_chart
from unstride_bench.report.limit_charts import limit_chart, roofline_chart
from unstride_bench.report.number_texts import interval_text
from unstride_bench.report.peer_charts import memory_chart, speed_chart
from unstride_bench.report.reasons_for_missed_goals import reasons
from unstride_bench.report.schedule_summary import Schedules

FOLDER = pathlib.Path(__file__).parent


def columns_of(summary):
    """(library, layout) of everything that was measured, ours first."""
    measured = {(r["who"], r["layout"]) for r in summary.document["results"]}
    return [(who, layout) for who in ("unstride", *summary.peers) for layout in LAYOUTS if (who, layout) in measured]


def page_environment():
    """The templates of this folder, with what they call."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["ms"] = lambda seconds: f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:.0f}"
    environment.filters["interval"] = interval_text
    environment.globals["style"] = Markup((FOLDER / "report.css").read_text())
    return environment


def schedule_parts(document, folder):
    """What schedules.html.j2 shows of the JSON of bench/experiments.py; `folder` is where its files are, as a link."""
    schedules = Schedules(document)
    layouts = [layout for layout in LAYOUTS if any(planned == layout for _, planned in schedules.planned)]
    return {
        "schedules": schedules,
        "schedule_folder": folder,
        "schedule_charts": {layout: Markup(schedule_chart(schedules, layout)) for layout in layouts},
    }


def write_report(document, path, experiments="experiments"):
    """Writes the report of bench/bench.py, from its JSON; `experiments` is a link from there to the folder of
    bench/experiments.py."""
    summary = Summary(document)
    drawings = {
        "limit": limit_chart(summary),
        "roofline": roofline_chart(summary),
        "memory": memory_chart(summary),
    }
    if summary.peers:
        drawings["speed"] = speed_chart(summary)
    layouts = [layout for layout in LAYOUTS if any(v["layout"] == layout for v in document["variants"])]
    found = document.get("experiments")
    page = page_environment().get_template("report.html.j2").render(
        s=summary,
        d=document,
        goals=summary.goals(),
        losses=summary.losses(),
        cases=cases(summary),
        passes=passes(summary),
        operations=OPERATIONS,
        measures_memory=any(row.get("extra_bytes") is not None for row in document["results"]),
        columns=columns_of(summary),
        reasons=reasons(),
        gpus=[(gpu, gpu_speeds(gpu)) for gpu in document.get("gpus", [])],
        charts={name: Markup(svg) for name, svg in drawings.items()},
        geometric_mean=geometric_mean,
        variants={layout: Markup(variant_chart(summary, layout)) for layout in layouts},
        **(schedule_parts(found, experiments) if found else {"schedules": None}),
    )  # fmt: skip
    pathlib.Path(path).write_text(page)


def write_experiments(document, path):
    """Writes the report of bench/experiments.py, from its JSON; the file lies beside that."""
    page = page_environment().get_template("experiments.html.j2").render(d=document, **schedule_parts(document, "."))
    pathlib.Path(path).write_text(page)
