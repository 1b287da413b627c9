"""Runs of a report: each is made once, even if the reproduction is interrupted."""

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from functools import cache
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from anynet.app.compile_warnings import show_in_one_line
from anynet.app.config import Config
from anynet.app.config_file import read_config
from anynet.app.experiment import fit_stack, prepare
from anynet.app.grouping import STACK_SIZE, group_configs
from anynet.app.keeping import draw_all
from anynet.app.model_card.own_cards import own_cards
from anynet.app.result_file import ADVICE, read_result
from anynet.app.run_folder import RunFolder, write_run
from anynet.app.run_result import run_result, write_failure
from anynet.core.checks import differences
from anynet.core.errors import FileError
from anynet.data import Batches
from anynet.data.sources import find
from anynet.training import Epoch, History
from anynet.training.load import NET_FILE


class Task(NamedTuple):
    """A run to be made.

    Attributes
    ----------
    config : Config
        Its settings.
    folder : Path
        Its run folder.
    net : bool
        If True, save the net, its plots, analysis and model card too.
    """

    config: Config
    folder: Path
    net: bool


class Outcome(NamedTuple):
    """Results of a finished run.

    Attributes
    ----------
    folder : Path
        Its run folder.
    result : dict
        Content of ``result.json``; for a run that diverged, "diverged" is the reason.
    history
        One row per epoch.
    """

    folder: Path
    result: dict[str, Any]
    history: History


def run_tasks(
    tasks: Iterable[Task],
    jobs: int,
    stack_size: int = STACK_SIZE,
    on_start: Callable[[Sequence[Task]], None] = lambda stack: None,
) -> Iterator[Task]:
    """Make the runs that are not finished, and yield each when it is.

    Unfinished runs of an earlier process are made again.

    Parameters
    ----------
    tasks : iterable of Task
        The runs.
    jobs : int
        Number of processes, one thread each; with 1, the runs are made in this process.
    stack_size : int
        Maximum number of runs that a process trains as one stack; fewer if there would be less stacks than processes.
    on_start : callable
        Called with the runs of a stack when a process begins it.

    Yields
    ------
    Task

    Raises
    ------
    FileExistsError
        If a run with other settings is in the folder; the message lists the differences.
    """
    missing = [task for task in tasks if not is_finished(task)]
    for task in missing:
        if (task.folder / "result.json").exists():
            different = differences(asdict(read_config(task.folder / "config.toml")), asdict(task.config))
            raise FileExistsError(
                f"{task.folder} holds a run with other settings: {different}; give the same settings, choose another "
                f"--out, or remove the folder"
            )
    stacks = [
        [missing[i] for i in group] for group in group_configs([t.config for t in missing], stack_size, at_least=jobs)
    ]
    if jobs == 1:
        for stack in stacks:
            on_start(stack)
            _run(stack)
            yield from stack
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # read by the processes that are started below, which use all cores
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start_process) as pool:
        futures = {pool.submit(_run_in_process, stack): stack for stack in stacks}
        waiting = iter(stacks)  # they are begun in their order, each when another has ended
        try:
            for stack in islice(waiting, jobs):
                on_start(stack)
            for future in as_completed(futures):
                future.result()
                yield from futures[future]
                for stack in islice(waiting, 1):
                    on_start(stack)
        except BrokenProcessPool:
            raise MemoryError("a process was killed, probably by the system; the same command continues") from None
        except BaseException:
            for process in active_children():  # SIGTERM is sent to this process alone, Control-C to all
                if process.pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGINT)
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _start_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # some programs send it to all: the parent interrupts this process
    show_in_one_line()
    end_with_parent()


def _run_in_process(tasks: Sequence[Task]) -> None:
    """Make runs in a process that Control-C, which all processes are sent, ends only while it makes some."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _run(tasks)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_with_parent() -> None:
    """End this process as soon as its parent ends, even if the parent is killed.

    Otherwise it would make runs that a later reproduction makes too, and then wait forever.
    """

    def watch() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def read_outcome(folder: Path) -> Outcome:
    """Read the results of a finished run from its folder. Raises FileError if its files are damaged or do not agree."""
    result, path = read_result(folder / "result.json"), folder / "history.csv"
    if "diverged" in result:  # maybe before the first epoch ended
        return Outcome(folder, result, History.read_csv(path) if path.exists() else History())
    history = History.read_csv(path)
    if len(history) != result["epochs"]:
        raise FileError(path, "", f"{result['epochs']} epochs, as in result.json", str(len(history)), ADVICE)
    best, last = history.best, history[-1]
    measured = {"best_epoch": best.epoch, "best_val_accuracy": best.val_accuracy}
    for key, value in (measured | {name: getattr(last, name) for name in ("train_accuracy", "val_accuracy")}).items():
        if result[key] != value:
            place, expected = f"key {key}", f"{value}, as in history.csv"
            raise FileError(folder / "result.json", place, expected, str(result[key]), ADVICE)
    return Outcome(folder, result, history)


def is_finished(task: Task) -> bool:
    """Return True if the run has been made with these settings."""
    return (task.folder / "result.json").exists() and read_config(task.folder / "config.toml") == task.config


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

        runs = fit_stack(experiments, add, progress=False)
        if len(runs) < len(tasks) or any(run.interrupted for run in runs):
            raise KeyboardInterrupt
        for task, folder, run in zip(tasks, folders, runs, strict=True):
            if run.diverged is not None:
                write_failure(task.folder, data.name, run.diverged)
                continue
            each = replace(run, seconds=run.seconds / len(runs))  # its share, so that the times of all runs add up
            if task.net:
                each.save(task.folder / NET_FILE)
                draw_all([*folder.pages(each), *folder.pictures(each)])
            # Last of what reproduction needs, because only runs without a result are made again.
            write_run(task.folder, each, run_result(each, official=data.official), net=False)
            if task.net:
                draw_all(own_cards(task.folder))
        if runs.interrupted:
            raise KeyboardInterrupt


@cache
def _images(source: str) -> tuple[str, Batches]:
    return find(source)
