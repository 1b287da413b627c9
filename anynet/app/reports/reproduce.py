"""Everything the reports did, done again: runs, repeated runs and searches, and a page for each report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tqdm import tqdm

from anynet.app.config import Config, config_of
from anynet.app.reports.compare import compare_all
from anynet.app.reports.gradient_checks import gradient_page
from anynet.app.reports.pages import report_page, summary_page
from anynet.app.reports.reading import reports
from anynet.app.reports.report import GridSearch, Report
from anynet.app.reports.runs import Task, is_done, outcome, run_all
from anynet.app.search.space import Grid
from anynet.app.search.space import points as grid_points
from anynet.core.checks import nearest
from anynet.data.sources import find

GRADIENT_CHECKS = "gradient-checks"
FIRST_SEED = 42
QUICK = {"epochs": 2, "train": "1000", "val": "500"}
QUICK_SEEDS, QUICK_VALUES = 2, 2


def reproduce(
    names: Sequence[str],
    out: Path,
    *,
    base: Mapping[str, Any],
    quick: bool,
    jobs: int,
    together: int,
    note: str,
) -> None:
    """Make the runs that are not there yet, and the pages of all.

    names: of reports, or "gradient-checks" for what all of them begin with; none for everything.
    out: a folder, a new one or one to go on with.
    base: settings that all runs share, such as data and backend.
    quick: only few images, epochs, seeds and values, to see that everything works; no gradient checks.
    jobs, together: how many processes, and how many runs each of them trains at once.
    note: what to call the images on the pages.

    Raises ValueError for an unknown report, FileExistsError for a folder whose runs have other settings.
    """
    known = reports()
    for name in names:
        if name not in (*known, GRADIENT_CHECKS):
            raise ValueError(f'there is no report "{name}"{nearest(name, [*known, GRADIENT_CHECKS])}')
    if base["data"] == "auto":  # once for all, so that no two runs see different images
        base = {**base, "data": find("auto")[0]}
    tasks = {name: tasks_of(report, out / "runs" / name, base, quick=quick) for name, report in known.items()}
    chosen = [name for name in known if name in names or not names]
    if GRADIENT_CHECKS in names or not (names or quick or (out / GRADIENT_CHECKS / "index.html").exists()):
        gradient_page(base["data"], out / GRADIENT_CHECKS, note)
    everything = [task for name in chosen for runs in tasks[name].values() for task in runs]
    _make(everything, out, jobs, together)
    heading = "Quick: few images and epochs, so that no figure means anything. " if quick else ""
    rows = {}
    for name, report in known.items():
        if name in chosen or all(is_done(task) for runs in tasks[name].values() for task in runs):
            outcomes = {key: [outcome(task.folder) for task in runs] for key, runs in tasks[name].items()}
            rows[name] = compare_all(report, outcomes)
            if name in chosen:
                report_page(report, out / name, outcomes, rows[name], heading=heading, note=note)
    summary_page(out, rows, heading=heading, note=note)


def _make(tasks: Sequence[Task], out: Path, jobs: int, together: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    there = sum(map(is_done, tasks))
    try:
        with FileLock(out / ".lock", timeout=0), tqdm(total=len(tasks), initial=there, unit="run", disable=None) as bar:
            for task in run_all(tasks, jobs, together):
                bar.set_postfix_str("/".join(task.folder.parts[-3:]))
                bar.update()
    except Timeout:
        raise ValueError(f"{out}: another process is at work in it; wait for it, or choose another --out") from None


def tasks_of(report: Report, folder: Path, base: Mapping[str, Any], *, quick: bool) -> dict[str, list[Task]]:
    """The runs of each configuration, by its name, and of each point of a search, by the search's name and values."""
    tasks: dict[str, list[Task]] = {}

    def add(name: str, settings: Mapping[str, Any], seeds: int, *, net: bool) -> None:
        if quick:
            on_test = {"val": "test_batch"} if settings["val"] == "test_batch" else {}
            settings, seeds = {**settings, **QUICK, **on_test}, min(seeds, QUICK_SEEDS)
        tasks[name] = [
            Task(_config({**settings, **base, "seed": seed}, report), folder / name / f"seed-{seed}", net and i == 0)
            for i, seed in enumerate(range(FIRST_SEED, FIRST_SEED + seeds))
        ]

    for name, configuration in report.configurations.items():
        add(name, configuration.settings, configuration.seeds, net=True)
    for name, search in report.searches.items():
        for point in points(search, QUICK_VALUES if quick else None):
            add(point_name(name, point), {**search.settings, **point}, 1, net=False)
    return tasks


def points(search: GridSearch, values: int | None = None) -> list[dict[str, Any]]:
    """All combinations of a search's values, or of the first few of each setting."""
    return grid_points({name: Grid(tuple(choices[:values])) for name, choices in search.over.items()}, None, 0, 0)


def point_name(search: str, point: Mapping[str, Any]) -> str:
    """ "coarse/lr=0.1,l2=0.01" """
    return f"{search}/{','.join(f'{name}={value}' for name, value in point.items())}"


def _config(settings: Mapping[str, Any], report: Report) -> Config:
    return config_of(settings, f"{report.name}.toml")
