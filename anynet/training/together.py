"""All nets of a training: one; or members in stacks, one after another or each on a core of its own."""

import math
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import accumulate, takewhile
from threading import Lock, local
from typing import Any

import numpy as np

from anynet.core.history import Epoch
from anynet.training.capacity import groups, in_memory
from anynet.training.epochs import train
from anynet.training.inputs import Inputs
from anynet.training.members import Member
from anynet.training.progress import Progress
from anynet.training.run import Run
from anynet.training.stack import Loops

OnEpoch = Callable[[Any], Any] | None

CACHED = 1 << 18
"""Parameters that a core trains fastest at a time: more of them, with their gradients and moments, leave its cache."""


def train_alone(inputs: Inputs, net: Member, progress: Progress, on_epoch: OnEpoch) -> Run:
    """Train and test one net; ``on_epoch`` takes an ``Epoch``. Raises DivergedError."""

    def report(rows: dict[int, Epoch]) -> Collection[int]:
        if on_epoch is not None:
            on_epoch(rows[0])
        return ()

    groups([net], inputs)  # raises OutOfMemoryError
    with in_memory([net], inputs):
        return train(Loops(inputs), [net], stacked=False, strict=True, progress=progress, on_epoch=report)[0]


def train_members(inputs: Inputs, members: Sequence[Member], progress: Progress, on_epoch: OnEpoch) -> list[Run]:
    """Train and test members: beside each other where the backend is faster so, or else as many at once as fit.

    on_epoch: takes a dict of ``Epoch`` by number of member, and may return numbers of members to drop.

    Returns their runs, without the last ones where Control-C came before their first epoch was done.
    """
    parts = groups(members, inputs)
    workers = min(inputs.backend.workers, len(parts[0]))
    with in_memory(parts[0], inputs):
        if workers == 1:
            return _one_after_another(inputs, parts, progress, on_epoch)
        most = max(1, min(CACHED // members[0].net.layout.size, len(parts[0]) // workers))
        stacks = np.array_split(np.arange(len(members)), math.ceil(len(members) / most))
        return _beside(inputs, [[members[k] for k in stack] for stack in stacks], workers, progress, on_epoch)


def _one_after_another(
    inputs: Inputs, parts: Sequence[Sequence[Member]], progress: Progress, on_epoch: OnEpoch
) -> list[Run]:
    runs: list[Run] = []
    for part in parts:
        report = _numbered(on_epoch, len(runs))
        try:
            runs += train(Loops(inputs), part, stacked=True, strict=False, progress=progress, on_epoch=report)
        except KeyboardInterrupt:
            if not runs:
                raise
            break
        if any(run.interrupted for run in runs):
            break
    return runs


def _beside(
    inputs: Inputs, parts: Sequence[Sequence[Member]], workers: int, progress: Progress, on_epoch: OnEpoch
) -> list[Run]:
    own, lock = local(), Lock()

    def train_part(first: int, part: Sequence[Member]) -> list[Run]:
        if not hasattr(own, "loops"):
            own.loops = Loops(inputs)
        numbered = _numbered(on_epoch, first)

        def report(rows: dict[int, Epoch]) -> Collection[int]:
            with lock:
                return numbered(rows)

        stacked = len(part) > 1
        runs = train(own.loops, part, stacked=stacked, strict=False, progress=progress, on_epoch=report)
        if any(run.interrupted for run in runs):
            progress.stop.set()
        return runs

    with inputs.backend.one_thread_each(), ThreadPoolExecutor(workers) as pool:
        firsts = accumulate(map(len, parts), initial=0)
        futures = [pool.submit(train_part, first, part) for first, part in zip(firsts, parts, strict=False)]
        with suppress(KeyboardInterrupt):
            wait(futures, return_when=FIRST_EXCEPTION)
        progress.stop.set()  # for what is still in training
        pool.shutdown(cancel_futures=True)
    return _results(futures)


def _results(futures: Sequence[Future[list[Run]]]) -> list[Run]:
    """What those ahead of the first that was stopped before its first epoch came to. Raises what went wrong."""
    errors = [KeyboardInterrupt() if future.cancelled() else future.exception() for future in futures]
    for error in errors:
        if error is not None and not isinstance(error, KeyboardInterrupt):
            raise error
    whole = list(takewhile(lambda k: errors[k] is None, range(len(futures))))
    if not whole:
        raise KeyboardInterrupt
    return [run for k in whole for run in futures[k].result()]


def _numbered(on_epoch: OnEpoch, first: int) -> Callable[[dict[int, Epoch]], Collection[int]]:
    """The same for a part of the members, which are counted from 0 there.

    Raises ValueError where numbers of others are returned.
    """

    def report(rows: dict[int, Epoch]) -> Collection[int]:
        lines = {first + k: row for k, row in rows.items()}
        dropped = set((on_epoch(lines) if on_epoch else None) or ())
        if not dropped <= lines.keys():
            raise ValueError(
                f"on_epoch: expected to be given back numbers of members to drop, of {list(lines)}, "
                f"got {sorted(dropped)}"
            )
        return {k - first for k in dropped}

    return report
