"""Reproduction of the reports: runs, repeated runs and searches, and a page for each report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from anynet.app.config_file import make_config
from anynet.app.reports.compare import compare_all
from anynet.app.reports.gradient_checks import gradient_page
from anynet.app.reports.reading import reports
from anynet.app.reports.report_contents import GridSearch, Report
from anynet.app.reports.report_page import report_page, summary_page
from anynet.app.reports.tasks import Task, is_finished, read_outcome, run_tasks
from anynet.app.space import Point, combinations
from anynet.core.checks import nearest
from anynet.core.meter import Meter, announce
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
    stack_size: int,
    note: str,
) -> None:
    """Make the runs that are not finished, and write the pages.

    Parameters
    ----------
    names : sequence of str
        Names of reports, or "gradient-checks"; if empty, everything.
    out : Path
        Folder for runs and pages, new or to be continued.
    base : mapping from str
        Settings that all runs share, such as data and backend.
    quick : bool
        Use few images, epochs, seeds and values, and leave out the gradient checks.
    jobs : int
        Number of processes.
    stack_size : int
        Maximum number of runs that a process trains as one stack.
    note : str
        Description of the images on the pages.

    Raises
    ------
    FileExistsError
        If a run with other settings is in the folder.
    ValueError
        If there is no such report, or another process works in the folder.
    """
    known = reports()
    for name in names:
        if name not in (*known, GRADIENT_CHECKS):
            raise ValueError(f'there is no report "{name}"{nearest(name, [*known, GRADIENT_CHECKS])}')
    if base["data"] == "auto":  # resolved once, so that all runs use the same images
        base = {**base, "data": find("auto")[0]}
    tasks = {name: tasks_of(report, out / "runs" / name, base, quick=quick) for name, report in known.items()}
    chosen = [name for name in known if name in names or not names]
    if GRADIENT_CHECKS in names or not (names or quick or (out / GRADIENT_CHECKS / "index.html").exists()):
        gradient_page(base["data"], out / GRADIENT_CHECKS, note)
    everything = [task for name in chosen for runs in tasks[name].values() for task in runs]
    _make(everything, out, jobs, stack_size)
    announce("writing the pages")
    heading = "Quick test: few images and epochs, so the results mean nothing. " if quick else ""
    rows = {}
    for name, report in known.items():
        if name in chosen or all(is_finished(task) for runs in tasks[name].values() for task in runs):
            outcomes = {key: [read_outcome(task.folder) for task in runs] for key, runs in tasks[name].items()}
            rows[name] = compare_all(report, outcomes)
            if name in chosen:
                report_page(report, out / name, outcomes, rows[name], heading=heading, note=note)
    summary_page(out, rows, heading=heading, note=note)


def _make(tasks: Sequence[Task], out: Path, jobs: int, stack_size: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    done = sum(map(is_finished, tasks))

    def show(stack: Sequence[Task]) -> None:
        name = "/".join(stack[0].folder.parts[-3:])
        text = f"training {name}" + (f" and {len(stack) - 1} more" if len(stack) > 1 else "")
        meter.show(text, f"training {name}", name)
        meter.say(f"{done}/{len(tasks)} runs: {text}")

    try:
        with FileLock(out / ".lock", timeout=0), Meter(total=len(tasks), initial=done, unit="run") as meter:
            for _ in run_tasks(tasks, jobs, stack_size, show):
                done += 1
                meter.bar.update()
            meter.say(f"{done}/{len(tasks)} runs")
    except Timeout:
        raise ValueError(
            f"{out}: another process is working in this folder; wait for it, or choose another --out"
        ) from None


def tasks_of(report: Report, folder: Path, base: Mapping[str, Any], *, quick: bool) -> dict[str, list[Task]]:
    """Return the runs of each configuration and of each point of a search.

    Parameters
    ----------
    report : Report
        The report.
    folder : Path
        Folder for its runs.
    base : mapping from str
        Settings that all runs share.
    quick : bool
        As for `reproduce`.

    Returns
    -------
    dict from str to list of Task
        By name of the configuration, or as returned by `point_name`.
    """
    tasks: dict[str, list[Task]] = {}

    def add(name: str, settings: Mapping[str, Any], seeds: int, *, net: bool) -> None:
        if quick:
            on_test = {"val": "test_batch"} if settings["val"] == "test_batch" else {}
            settings, seeds = {**settings, **QUICK, **on_test}, min(seeds, QUICK_SEEDS)
        config = make_config({**settings, **base}, f"{report.name}.toml")
        tasks[name] = [
            Task(replace(config, seed=seed), folder / name / f"seed-{seed}", net and seed == FIRST_SEED)
            for seed in range(FIRST_SEED, FIRST_SEED + seeds)
        ]

    for name, configuration in report.configurations.items():
        add(name, configuration.settings, configuration.seeds, net=True)
    for name, search in report.searches.items():
        for point in points(search, QUICK_VALUES if quick else None):
            add(point_name(name, point), {**search.settings, **point}, 1, net=False)
    return tasks


def points(search: GridSearch, values: int | None = None) -> list[Point]:
    """Return all combinations of a search's values, or of the first few of each setting."""
    return combinations({name: choices[:values] for name, choices in search.over.items()})


def point_name(search: str, point: Mapping[str, Any]) -> str:
    """Return the name of a point, such as "coarse/lr=0.1,l2=0.01"."""
    return f"{search}/{','.join(f'{name}={value}' for name, value in point.items())}"
