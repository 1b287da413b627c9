"""The order in which nets are trained: one alone; members in stacks, one after another or in parallel threads."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import accumulate, takewhile
from threading import local

import numpy as np

from anynet.core.epoch import Epoch
from anynet.training.callback_list import Answer
from anynet.training.capacity import explain_out_of_memory, split_by_memory
from anynet.training.checkpoint_folder import CheckpointFolder
from anynet.training.checkpoints import Checkpoints
from anynet.training.epochs import run_epochs
from anynet.training.inputs import Inputs
from anynet.training.loop_cache import LoopCache
from anynet.training.members import Member
from anynet.training.progress import Progress
from anynet.training.rank_checkpoints import SpareFolder
from anynet.training.run import Run

Report = Callable[[dict[int, Epoch]], Answer]
"""Function that is called after every epoch of one net or a stack, with its rows by number of the member."""

Stacks = Sequence[Sequence[int]]
"""Numbers of the members of each stack, which are consecutive."""

Folder = CheckpointFolder | SpareFolder
"""The folder of checkpoints, on the first rank and on another."""

CACHED_PARAMETERS = 1 << 18
"""Number of parameters of the stack that a core trains fastest: more, with gradients and moments, leave its cache."""


def train_one(
    inputs: Inputs,
    member: Member,
    progress: Progress,
    report: Report,
    checkpoints: Folder | None = None,
) -> Run:
    """Train and test one net.

    Parameters
    ----------
    inputs : Inputs
    member : Member
    progress : Progress
    report : callable
        Called after every epoch; the net has number 0.
    checkpoints : CheckpointFolder, optional
        Where to go on from, and to write states to.

    Returns
    -------
    Run

    Raises
    ------
    DivergedError, OutOfMemoryError
    """
    split_by_memory([member], inputs)  # raises OutOfMemoryError
    with explain_out_of_memory([member], inputs):
        if checkpoints is not None:
            checkpoints.stacks([[0]])
        loops, own = LoopCache(inputs), _own(checkpoints, 0, inputs)
        runs = run_epochs(
            loops, [member], stacked=False, strict=True, progress=progress, report=report, checkpoints=own
        )
        return runs[0]


def train_members(
    inputs: Inputs,
    members: Sequence[Member],
    progress: Progress,
    report: Report,
    checkpoints: Folder | None = None,
) -> list[Run]:
    """Train and test members: in parallel threads if the backend is faster so, otherwise as many as fit in one stack.

    Parameters
    ----------
    inputs : Inputs
    members : sequence of Member
    progress : Progress
    report : callable
        Called after every epoch, by any thread.
    checkpoints : CheckpointFolder, optional
        Where to go on from, with the same stacks, and to write states to.

    Returns
    -------
    list of Run
        Without the last ones if Control-C comes before their first epoch is completed.

    Raises
    ------
    OutOfMemoryError
    """
    workers, stacks = choose_stacks(inputs, members)
    if checkpoints is not None:
        stacks = checkpoints.stacks(stacks)
    return train_stacks(inputs, members, stacks, workers, progress, report, checkpoints)


def choose_stacks(inputs: Inputs, members: Sequence[Member], ranks: int = 1) -> tuple[int, Stacks]:
    """Return the number of threads to train members in on each of so many ranks, and the stacks."""
    parts = split_by_memory(members, inputs)
    workers = min(inputs.backend.workers, len(parts[0]))
    together = workers * ranks
    if together == 1:
        sizes = [len(part) for part in parts]
    else:
        most = max(1, min(CACHED_PARAMETERS // members[0].net.layout.size, len(parts[0]) // workers))
        if workers == 1:
            most = min(len(parts[0]), math.ceil(len(members) / ranks))
        rounds = math.ceil(len(members) / most / together)  # of stacks, so that all workers end at about the same time
        n_stacks = min(rounds * together, len(members))
        sizes = [len(part) for part in np.array_split(np.arange(len(members)), n_stacks)]
    return workers, [range(stop - n, stop) for n, stop in zip(sizes, accumulate(sizes), strict=True)]


def train_stacks(
    inputs: Inputs,
    members: Sequence[Member],
    stacks: Stacks,
    workers: int,
    progress: Progress,
    report: Report,
    checkpoints: Folder | None,
) -> list[Run]:
    """Train and test the members of some stacks in so many threads; as `train_members` otherwise."""
    if not stacks:
        return []
    with explain_out_of_memory(split_by_memory(members, inputs)[0], inputs):
        if workers == 1:
            return _train_in_sequence(inputs, members, stacks, progress, report, checkpoints)
        return _train_in_threads(inputs, members, stacks, workers, progress, report, checkpoints)


def _train_in_sequence(
    inputs: Inputs,
    members: Sequence[Member],
    stacks: Stacks,
    progress: Progress,
    report: Report,
    checkpoints: Folder | None,
) -> list[Run]:
    runs: list[Run] = []
    for stack in stacks:
        try:
            runs += _train_stack(LoopCache(inputs), members, stack, progress, report, checkpoints)
        except KeyboardInterrupt:
            if not runs:
                raise
            break
        if any(run.interrupted for run in runs):
            break
    return runs


def _train_in_threads(
    inputs: Inputs,
    members: Sequence[Member],
    stacks: Stacks,
    workers: int,
    progress: Progress,
    report: Report,
    checkpoints: Folder | None,
) -> list[Run]:
    own, loops = local(), LoopCache(inputs, len(stacks))

    def train_stack(stack: Sequence[int]) -> list[Run]:
        if not hasattr(own, "loops"):
            own.loops = loops.for_thread()
        runs = _train_stack(own.loops, members, stack, progress, report, checkpoints)
        if any(run.interrupted for run in runs):
            progress.stop.set()
        return runs

    with inputs.backend.one_thread_each(), ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(train_stack, stack) for stack in stacks]
        with suppress(KeyboardInterrupt):
            wait(futures, return_when=FIRST_EXCEPTION)
        progress.stop.set()  # for stacks that are still in training
        pool.shutdown(cancel_futures=True)
    return _collect(futures)


def _train_stack(
    loops: LoopCache,
    members: Sequence[Member],
    stack: Sequence[int],
    progress: Progress,
    report: Report,
    checkpoints: Folder | None,
) -> list[Run]:
    return run_epochs(
        loops,
        [members[k] for k in stack],
        stacked=len(stack) > 1,
        strict=False,
        progress=progress,
        report=_with_member_numbers(report, stack[0]),
        checkpoints=_own(checkpoints, stack[0], loops.inputs),
    )


def _own(checkpoints: Folder | None, first: int, inputs: Inputs) -> Checkpoints | None:
    """Return the checkpoints of the stack whose first member has this number."""
    return None if checkpoints is None else checkpoints.of_stack(first, inputs.backend)


def _collect(futures: Sequence[Future[list[Run]]]) -> list[Run]:
    """Return the runs ahead of the first stack that was stopped before its first epoch; raise other errors."""
    errors = [KeyboardInterrupt() if future.cancelled() else future.exception() for future in futures]
    for error in errors:
        if error is not None and not isinstance(error, KeyboardInterrupt):
            raise error
    whole = list(takewhile(lambda k: errors[k] is None, range(len(futures))))
    if not whole:
        raise KeyboardInterrupt
    return [run for k in whole for run in futures[k].result()]


def _with_member_numbers(report: Report, first: int) -> Report:
    """Return the function for a stack whose members are counted from 0 there and from ``first`` by the caller."""

    def shifted(rows: dict[int, Epoch]) -> Answer:
        answer = report({first + k: row for k, row in rows.items()})
        return Answer(*({k - first for k in numbers} for numbers in answer))

    return shifted
