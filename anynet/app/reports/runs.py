"""The runs of a report: made once each, whatever interrupts them."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from anynet.app import config as configs
from anynet.app.config import Config
from anynet.app.experiment import fit_together, prepare
from anynet.app.grouping import TOGETHER, groups
from anynet.app.run_folder import RunFolder
from anynet.core.checks import differences
from anynet.data import Batches
from anynet.data.sources import find
from anynet.training import Epoch, History


class Task(NamedTuple):
    """A run to be made, and the folder it goes into; ``net``: whether to keep the net and its pictures."""

    config: Config
    folder: Path
    net: bool


class Outcome(NamedTuple):
    """What a run left: result.json, which of a run that diverged holds the reason alone, and the history."""

    folder: Path
    result: dict[str, Any]
    history: History


def run_all(tasks: Iterable[Task], jobs: int, together: int = TOGETHER) -> Iterator[Task]:
    """Make the runs that are not there yet; gives each when it is done.

    jobs: how many processes, each with one thread; 1 makes the runs here.
    together: how many runs a process trains at once, where their settings let it and no process is left without.

    A run is there when its result is. What another left unfinished is made anew.

    Raises FileExistsError, naming the folder and the differences, for one that is there with other settings.
    """
    waiting = [task for task in tasks if not is_done(task)]
    for task in waiting:
        if (task.folder / "result.json").exists():
            different = differences(asdict(configs.read(task.folder / "config.toml")), asdict(task.config))
            raise FileExistsError(
                f"{task.folder} was run with other settings: {different}. Give the settings it has, choose another "
                f"--out, or take the folder away to have it run again"
            )
    stacks = [[waiting[i] for i in group] for group in groups([t.config for t in waiting], together, at_least=jobs)]
    if jobs == 1:
        for stack in stacks:
            _run(stack)
            yield from stack
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # what processes started from here on read; together they use all cores
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        futures = {pool.submit(_run, stack): stack for stack in stacks}
        try:
            for future in as_completed(futures):
                future.result()
                yield from futures[future]
        except BrokenProcessPool:
            raise MemoryError("a process was killed, as systems do that run out; the same command goes on") from None
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def end_with_parent() -> None:
    """Let a pool's process end as soon as the one that started it does, killed or not.

    Else it would make runs that another, which took over, makes too, and then wait for ever.
    """

    def watch() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def outcome(folder: Path) -> Outcome:
    """Read what a run left."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    history = folder / "history.csv"
    return Outcome(folder, result, History.read_csv(history) if history.exists() else History())


def is_done(task: Task) -> bool:
    """Whether a run of these settings is there."""
    return (task.folder / "result.json").exists() and configs.read(task.folder / "config.toml") == task.config


def _run(tasks: Sequence[Task]) -> None:
    for task in tasks:
        shutil.rmtree(task.folder, ignore_errors=True)
    experiments = [prepare(task.config, _images(task.config.data)) for task in tasks]
    data = experiments[0].data
    with ExitStack() as stack:
        folders = [stack.enter_context(RunFolder(task.folder, task.config, data.name)) for task in tasks]

        def add(rows: dict[int, Epoch]) -> None:
            for k, row in rows.items():
                folders[k].add(row)

        runs = fit_together(experiments, add, progress=False)
        if runs.interrupted:
            raise KeyboardInterrupt
        for task, folder, run in zip(tasks, folders, runs, strict=True):
            if run.diverged is not None:
                folder.fail(data.name, str(run.diverged))
            else:  # each has its share of the time, so that those of all runs can be added
                folder.finish(replace(run, seconds=run.seconds / len(runs)), official=data.official, net=task.net)


@cache
def _images(source: str) -> tuple[str, Batches]:
    return find(source)
