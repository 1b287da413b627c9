"""The runs of a report: made once each, whatever interrupts them."""

import csv
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from anynet import config as configs
from anynet.checks import differences
from anynet.config import Config
from anynet.data import Batches
from anynet.data.sources import find
from anynet.experiment import prepare
from anynet.run_folder import RunFolder
from anynet.training import DivergedError, Epoch


class Task(NamedTuple):
    """A run to be made, and the folder it goes into; ``net``: whether to keep the net and its pictures."""

    config: Config
    folder: Path
    net: bool


class Outcome(NamedTuple):
    """What a run left: result.json, which of a run that diverged holds the reason alone, and the history."""

    folder: Path
    result: dict[str, Any]
    history: list[Epoch]


def run_all(tasks: Iterable[Task], jobs: int) -> Iterator[Task]:
    """Make the runs that are not there yet; gives each when it is done.

    jobs: how many at a time, each in a process with one thread; 1 makes them here.

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
    if jobs == 1:
        for task in waiting:
            _run(task)
            yield task
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # what processes started from here on read; together they use all cores
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        futures = {pool.submit(_run, task): task for task in waiting}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
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
    history = []
    if (folder / "history.csv").exists():
        with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                history.append(Epoch(int(row["epoch"]), *(float(row[name]) for name in Epoch._fields[1:])))
    return Outcome(folder, result, history)


def is_done(task: Task) -> bool:
    """Whether a run of these settings is there."""
    return (task.folder / "result.json").exists() and configs.read(task.folder / "config.toml") == task.config


def _run(task: Task) -> None:
    shutil.rmtree(task.folder, ignore_errors=True)
    experiment = prepare(task.config, _images(task.config.data))
    with RunFolder(task.folder, task.config, experiment.data.name) as results:
        try:
            run = experiment.fit(results.add, progress=False)
        except DivergedError as error:
            results.fail(experiment.data.name, str(error))
            return
        if run.interrupted:
            raise KeyboardInterrupt
        results.finish(run, official=experiment.data.official, net=task.net)


@cache
def _images(source: str) -> tuple[str, Batches]:
    return find(source)
