"""A whole run of the benchmarks, from names to files."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from anynet.backends import LIBRARIES
from anynet.checks import nearest
from benchmarks import floor, growth, machine, plots, tables
from benchmarks.environment import cores
from benchmarks.floor import Machine
from benchmarks.measure import measure
from benchmarks.peers import ANYNET, DEFAULT, PEERS
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
    out: Path,
    name: str | None,
) -> None:
    """Measure, print, and write a page, a picture and JSON.

    workloads, peers: their names; all where there are none. grow: over batch size and width instead of workloads.
    quick: few images, few repeats. threads: of each peer; by default as many as there are cores.
    out: the folder to write to. name: of the files; by default the kind of machine and the time.

    Raises ValueError for names that there are not, and where nothing could be timed; FileExistsError where the files
    are there already.
    """
    if grow and workloads:
        raise ValueError(f"--growth has nets of its own; leave out {', '.join(workloads)}")
    groups = growth.workloads() if grow else {"Workloads": known_workloads(workloads)}
    if quick:
        groups = {
            what: [w.shortened(QUICK_IMAGES) for w in group[:: 3 if grow else 1]] for what, group in groups.items()
        }
    chosen = known_peers(peers or (growth.PEERS if grow else DEFAULT))
    threads = threads or cores()
    repeats = repeats or (QUICK_REPEATS if quick else REPEATS)
    settings = {"repeats": repeats, "threads": threads, "quick": quick}
    here = machine.describe()
    paths = new_files(out, name or machine.file_name(here))

    with Console(stderr=True).status("starting") as status:
        speed, measured = measure_all(groups, chosen, threads=threads, repeats=repeats, say=status.update)
    results = [result for group in measured.values() for result in group]
    reasons = tables.left_out(results)
    if not any(result.timings for result in results):
        raise ValueError("nothing could be timed: " + "; ".join(reasons))

    title = "How training throughput grows" if grow else "Training throughput"
    figure = plots.growth(measured, title) if grow else plots.ratios(results, title)
    Report(title, here | speed._asdict(), settings, measured).write(paths, figure)
    console = Console()
    for table in (*map(tables.ratios, measured.values()), *map(tables.rates, () if grow else results)):
        console.print(table)
    for line in reasons:
        console.print(f"left out: {line}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"written to {paths['md']}", soft_wrap=True, highlight=False, markup=False)


def measure_all(
    groups: Mapping[str, Sequence[Workload]],
    peers: Iterable[str],
    *,
    threads: int,
    repeats: int,
    say: Callable[[str], None],
) -> tuple[Machine, dict[str, list[Result]]]:
    """How fast the machine is, and every workload by every peer, each of these in a process of its own."""
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(threads)) for name in peers}
        for_floor = stack.enter_context(Worker(threads))
        say("how fast this machine is")
        speed = for_floor.call(floor.measure_machine, threads)
        measured = {
            what: [measure(workload, workers, for_floor, speed, repeats, say) for workload in group]
            for what, group in groups.items()
        }
    return speed, measured


def known_workloads(names: Sequence[str]) -> list[Workload]:
    """The workloads of these names, all where there is none. Raises ValueError for a name that there is not."""
    for name in names:
        if name not in WORKLOADS:
            raise ValueError(f'there is no workload "{name}"{nearest(name, WORKLOADS)}')
    return [WORKLOADS[name] for name in names or WORKLOADS]


def known_peers(names: Sequence[str]) -> Sequence[str]:
    """The names again. Raises ValueError for one that there is not."""
    for name in names:
        library = re.split("[:+]", name.removeprefix(ANYNET))[0]
        if name not in PEERS and not (name.startswith(ANYNET) and library in LIBRARIES):
            raise ValueError(f'there is no peer "{name}"{nearest(name, DEFAULT)}')
    return names
