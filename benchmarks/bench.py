"""A whole run of the benchmarks, from names to files."""

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
from benchmarks.peers import DEFAULT, known, on_gpu
from benchmarks.report import Report, new_files
from benchmarks.results import Result
from benchmarks.worker import Worker
from benchmarks.workloads import WORKLOADS, Workload

QUICK_IMAGES, QUICK_REPEATS, REPEATS = 2000, 3, 9


def bench(
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
    """Measure, print, and write a page, a picture and JSON; the page and the JSON after every workload.

    workloads, peers: their names; all where there are none. grow: the workloads over batch size; where none are named,
    one hidden layer over batch size and width. quick: few images, few repeats.
    threads: of each peer; by default as many as there are cores.
    minutes: how long it may take; repeats, and then workloads, are left out for that.
    out: the folder to write to. name: of the files; by default the kind of machine and the time.

    Raises ValueError for names that there are not, and where nothing could be timed; FileExistsError where the files
    are there already.
    """
    until = time.monotonic() + 60 * minutes if minutes else math.inf
    nets = known_workloads(workloads)
    groups = growth.workloads(nets if workloads else ()) if grow else {"Workloads": nets}
    if quick:
        groups = {
            what: [w.shortened(QUICK_IMAGES) for w in group[:: 3 if grow else 1]] for what, group in groups.items()
        }
    chosen = known(peers or (growth.PEERS if grow else DEFAULT))
    threads = threads or cores()
    repeats = repeats or (QUICK_REPEATS if quick else REPEATS)
    settings = {"repeats": repeats, "threads": threads, "quick": quick} | ({"minutes": minutes} if minutes else {})
    here = machine.describe()
    paths = new_files(out, name or machine.file_name(here, on_gpu=any(map(on_gpu, chosen))))
    title = "How training throughput grows" if grow else "Training throughput"

    todo = growth.coarse_first(groups) if grow else groups["Workloads"]
    timed, reasons = None, []
    try:
        with Console(stderr=True).status("starting") as status:
            measuring = measure_all(todo, chosen, threads=threads, repeats=repeats, until=until, say=status.update)
            for speed, results, skipped in measuring:
                done = {what: [results[w] for w in group if w in results] for what, group in groups.items()}
                measured = {what: found for what, found in done.items() if found}
                report = Report(title, here | speed._asdict(), settings, measured, grow, skipped)
                reasons = report.remarks()
                if any(result.timings for result in report.results):
                    timed = report
                    timed.write(paths)
    except KeyboardInterrupt as stop:
        if timed is None:
            raise
        show(timed, paths)
        raise KeyboardInterrupt("stopped by hand; what was measured by then is there") from stop
    if timed is None:
        raise ValueError("nothing could be timed: " + "; ".join(reasons))
    show(timed, paths)


def show(report: Report, paths: Mapping[str, Path]) -> None:
    """Draw the picture, and print the tables."""
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


class Measured(NamedTuple):
    """How fast the machine is, what was measured, and the names of what there was no time for."""

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
) -> Iterator[Measured]:
    """Every workload by every peer, each of these in a process of its own; yields all there is after each workload.

    until: the time of ``time.monotonic`` at which to be done. The workloads share what is left of it evenly, and none
    begins when less is left than any has taken.
    """
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(threads)) for name in peers}
        for_floor = stack.enter_context(Worker(threads))
        say("how fast this machine is")
        speed = for_floor.call(floor.measure_machine, threads, any(map(on_gpu, peers)))
        results: dict[Workload, Result] = {}
        skipped, least = [], 0.0
        for i, workload in enumerate(workloads):
            began = time.monotonic()
            if began + least > until:
                skipped.append(workload.name)
            else:
                share = (until - began) / (len(workloads) - i)
                results[workload] = measure(workload, workers, for_floor, speed, repeats, say, began + share)
                took = time.monotonic() - began
                least = min(least or took, took)
            yield Measured(speed, results, skipped)


def known_workloads(names: Sequence[str]) -> list[Workload]:
    """The workloads of these names, all where there is none. Raises ValueError for a name that there is not."""
    for name in names:
        if name not in WORKLOADS:
            raise ValueError(f'there is no workload "{name}"{nearest(name, WORKLOADS)}')
    return [WORKLOADS[name] for name in names or WORKLOADS]
