"""Run the throughput benchmark: from workload and peer names to output files."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from anynet.core.checks import nearest
from benchmarks import floor, growth, machine, plots, tables
from benchmarks.environment import cores
from benchmarks.floor import Machine
from benchmarks.measure import measure
from benchmarks.peers import DEFAULT, check_names, on_gpu
from benchmarks.report import Report, new_files
from benchmarks.results import Result
from benchmarks.worker import Worker
from benchmarks.workloads import WORKLOADS, Workload

QUICK_IMAGES, QUICK_REPEATS, REPEATS = 2000, 3, 9


def run(
    workloads: Sequence[str],
    peers: Sequence[str],
    *,
    grow: bool,
    quick: bool,
    threads: int | None,
    repeats: int | None,
    minutes: float | None,
    out: Path,
    name: str | None,
) -> None:
    """Measure, print tables, and write a page, a figure and JSON.

    The page and the JSON are rewritten after every workload.

    Parameters
    ----------
    workloads, peers : sequence of str
        Names; empty for all.
    grow : bool
        Vary the batch size of `workloads`; if there are none, vary batch size and width of one hidden layer.
    quick : bool
        Use few images and repeats.
    threads : int or None
        Threads per peer; by default the number of available cores.
    repeats : int or None
        Timed epochs.
    minutes : float or None
        Time limit.
    out : Path
        Output folder.
    name : str or None
        Base name of the output files; by default machine and time.

    Raises
    ------
    ValueError
        For unknown names, and if nothing could be timed.
    FileExistsError
        If an output file exists.
    """
    until = time.monotonic() + 60 * minutes if minutes else math.inf
    nets = find_workloads(workloads)
    groups = growth.workloads(nets if workloads else ()) if grow else {"Workloads": nets}
    if quick:
        step = 3 if grow else 1
        groups = {title: [w.shortened(QUICK_IMAGES) for w in group[::step]] for title, group in groups.items()}
    chosen = check_names(peers or (growth.PEERS if grow else DEFAULT))
    threads = threads or cores()
    repeats = repeats or (QUICK_REPEATS if quick else REPEATS)
    settings = {"repeats": repeats, "threads": threads, "quick": quick} | ({"minutes": minutes} if minutes else {})
    here = machine.describe()
    paths = new_files(out, name or machine.file_name(here, on_gpu=any(map(on_gpu, chosen))))
    title = "Training throughput over batch size and width" if grow else "Training throughput"

    ordered = growth.coarse_first(groups) if grow else groups["Workloads"]
    timed, remarks = None, []
    try:
        with Console(stderr=True).status("starting") as status:
            measuring = measure_all(ordered, chosen, threads=threads, repeats=repeats, until=until, say=status.update)
            for speed, results, skipped in measuring:
                done = {title: [results[w] for w in group if w in results] for title, group in groups.items()}
                measured = {title: group for title, group in done.items() if group}
                report = Report(title, here | speed._asdict(), settings, measured, grow, skipped)
                remarks = report.remarks()
                if any(result.timings for result in report.results):
                    timed = report
                    timed.write(paths)
    except KeyboardInterrupt as stop:
        if timed is None:
            raise
        show(timed, paths)
        raise KeyboardInterrupt("interrupted; the results so far are written") from stop
    if timed is None:
        raise ValueError("nothing could be timed: " + "; ".join(remarks))
    show(timed, paths)


def show(report: Report, paths: Mapping[str, Path]) -> None:
    """Draw the figure and print the tables."""
    drawn = plots.growth(report.groups, report.title) if report.grown else plots.ratios(report.results, report.title)
    report.draw(paths, drawn)
    console = Console()
    for table in (table for compared in report.summary().values() for table in compared):
        console.print(table)
    for table in map(tables.rates, () if report.grown else report.results):
        console.print(table)
    for line in report.remarks():
        console.print(f"left out: {line}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"written to {paths['md']}", soft_wrap=True, highlight=False, markup=False)


class Progress(NamedTuple):
    """Measurements so far.

    Attributes
    ----------
    speed : Machine
        Peak arithmetic rate and memory bandwidth.
    results : dict of Workload to Result
    skipped : list of str
        Names of workloads left out because of the time limit.
    """

    speed: Machine
    results: dict[Workload, Result]
    skipped: list[str]


def measure_all(
    workloads: Sequence[Workload],
    peers: Sequence[str],
    *,
    threads: int,
    repeats: int,
    until: float,
    say: Callable[[str], None],
) -> Iterator[Progress]:
    """Yield all measurements so far after each workload.

    Every peer has its own process. The workloads share the remaining time equally; a workload is skipped if less time
    is left than the fastest one took.

    Parameters
    ----------
    until : float
        Deadline, as a value of ``time.monotonic``.
    say : callable
        Function that shows a progress message.
    """
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(threads)) for name in peers}
        floor_worker = stack.enter_context(Worker(threads))
        say("measuring peak arithmetic rate and bandwidth")
        speed = floor_worker.call(floor.measure_machine, threads, any(map(on_gpu, peers)))
        results: dict[Workload, Result] = {}
        skipped, fastest = [], 0.0
        for i, workload in enumerate(workloads):
            began = time.monotonic()
            if began + fastest > until:
                skipped.append(workload.name)
            else:
                share = (until - began) / (len(workloads) - i)
                results[workload] = measure(workload, workers, floor_worker, speed, repeats, say, began + share)
                took = time.monotonic() - began
                fastest = min(fastest or took, took)
            yield Progress(speed, results, skipped)


def find_workloads(names: Sequence[str]) -> list[Workload]:
    """Return the named workloads, or all if `names` is empty. Raises ValueError for unknown names."""
    for name in names:
        if name not in WORKLOADS:
            raise ValueError(f'unknown workload "{name}"{nearest(name, WORKLOADS)}')
    return [WORKLOADS[name] for name in names or WORKLOADS]
