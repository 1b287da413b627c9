"""The order in which nets are trained: one alone; members in stacks, one after another or in parallel threads."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import accumulate, takewhile
from threading import Lock, local
from typing import Any

import numpy as np

from anynet.backends import DeviceMemory
from anynet.core.history import Epoch
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.checkpoints import CheckpointFolder, Checkpoints
from anynet.training.epochs import run_epochs
from anynet.training.errors import OutOfMemoryError, format_bytes, format_free_memory, raise_out_of_memory
from anynet.training.evaluate import BATCH_SIZE
from anynet.training.inputs import Inputs
from anynet.training.members import Member
from anynet.training.progress import Progress
from anynet.training.result import Run
from anynet.training.stack import LoopCache

OnEpoch = Callable[[Any], Any] | None

Stacks = Sequence[Sequence[int]]
"""Numbers of the members of each stack, which are consecutive."""

CACHED_PARAMETERS = 1 << 18
"""Number of parameters of the stack that a core trains fastest: more, with gradients and moments, leave its cache."""


def train_one(
    inputs: Inputs,
    member: Member,
    progress: Progress,
    on_epoch: OnEpoch,
    checkpoints: CheckpointFolder | None = None,
) -> Run:
    """Train and test one net.

    Parameters
    ----------
    inputs : Inputs
    member : Member
    progress : Progress
    on_epoch : callable or None
        Called with an `Epoch` after every epoch.
    checkpoints : CheckpointFolder, optional
        Where to go on from, and to write states to.

    Returns
    -------
    Run

    Raises
    ------
    DivergedError, OutOfMemoryError
    """

    def report(rows: dict[int, Epoch]) -> Collection[int]:
        if on_epoch is not None:
            on_epoch(rows[0])
        return ()

    split_by_memory([member], inputs)  # raises OutOfMemoryError
    with _explain_out_of_memory([member], inputs):
        if checkpoints is not None:
            checkpoints.stacks([[0]])
        loops, own = LoopCache(inputs), _own(checkpoints, 0, inputs)
        runs = run_epochs(
            loops, [member], stacked=False, strict=True, progress=progress, on_epoch=report, checkpoints=own
        )
        return runs[0]


def train_members(
    inputs: Inputs,
    members: Sequence[Member],
    progress: Progress,
    on_epoch: OnEpoch,
    checkpoints: CheckpointFolder | None = None,
) -> list[Run]:
    """Train and test members: in parallel threads if the backend is faster so, otherwise as many as fit in one stack.

    Parameters
    ----------
    inputs : Inputs
    members : sequence of Member
    progress : Progress
    on_epoch : callable or None
        Called after every epoch with a dict of `Epoch` by member number; may return numbers of members to drop.
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
    parts = split_by_memory(members, inputs)
    workers = min(inputs.backend.workers, len(parts[0]))
    if workers == 1:
        sizes = [len(part) for part in parts]
    else:
        most = max(1, min(CACHED_PARAMETERS // members[0].net.layout.size, len(parts[0]) // workers))
        sizes = [len(part) for part in np.array_split(np.arange(len(members)), math.ceil(len(members) / most))]
    stacks: Stacks = [range(stop - n, stop) for n, stop in zip(sizes, accumulate(sizes), strict=True)]
    if checkpoints is not None:
        stacks = checkpoints.stacks(stacks)
    with _explain_out_of_memory(parts[0], inputs):
        if workers == 1:
            return _train_in_sequence(inputs, members, stacks, progress, on_epoch, checkpoints)
        return _train_in_threads(inputs, members, stacks, workers, progress, on_epoch, checkpoints)


def split_by_memory(members: Sequence[Member], inputs: Inputs) -> list[Sequence[Member]]:
    """Split members into stacks that fit half of the free memory; a single net may take all of it.

    Parameters
    ----------
    members : sequence of Member
    inputs : Inputs

    Returns
    -------
    list of sequence of Member
        A single stack if the device does not tell its memory.

    Raises
    ------
    OutOfMemoryError
        If not even one net fits.
    """
    memory = inputs.backend.memory()
    if memory is None:
        return [members]
    each = member_bytes(*members[0][:2], inputs.settings.batch_size, inputs.settings.dtype)
    if each > memory.free:
        raise OutOfMemoryError(f"not enough memory: {_advice(members[:1], inputs, memory, memory.free)}")
    n = max(1, memory.free // 2 // each)
    return [members[i : i + n] for i in range(0, len(members), n)]


def member_bytes(net: Sequential, optimizer: Optimizer, batch_size: int, dtype: str) -> int:
    """Estimate the memory that one net takes in training, without images.

    The factors are the largest that were measured with any library. Recorded steps have arrays of their own: those of
    full batches, of the last batch and of each set of images that is evaluated.

    Parameters
    ----------
    net : Sequential
    optimizer : Optimizer
    batch_size : int
    dtype : str

    Returns
    -------
    int
        Bytes.
    """
    size, moments = net.layout.size, len(optimizer.init(np.zeros((1, 1))))
    widths = sum(n_out for _, n_out in (layer.features() for layer in net.named_layers().values()) if n_out is not None)
    return np.dtype(dtype).itemsize * (size * (15 + 5 * moments) + 4 * (batch_size + BATCH_SIZE) * widths)


@contextmanager
def _explain_out_of_memory(members: Sequence[Member], inputs: Inputs) -> Iterator[None]:
    """Context manager that adds sizes and advice if the training of this stack runs out of memory.

    It then took more than estimated, or than was free: half of the smaller of the two is what may fit.
    """
    memory = inputs.backend.memory()  # now, because it is full when it runs out
    needed = len(members) * member_bytes(*members[0][:2], inputs.settings.batch_size, inputs.settings.dtype)
    most = (needed if memory is None else min(needed, memory.free)) // 2
    with raise_out_of_memory(inputs.backend, lambda: _advice(members, inputs, memory, most)):
        yield


def _advice(members: Sequence[Member], inputs: Inputs, memory: DeviceMemory | None, most: int) -> str:
    """Return the memory that a stack needs, and changes with which it needs at most ``most`` bytes."""
    n, (net, optimizer, *_) = len(members), members[0]
    batch_size, dtype = inputs.settings.batch_size, inputs.settings.dtype
    none, one, each = (member_bytes(net, optimizer, size, dtype) for size in (0, 1, batch_size))
    ways, for_images = [], ""
    if n > 1 and most >= each:
        ways.append(f"{most // each} of them at a time (--stack-size, --seeds)")
    if (batch := (most // n - none) // (one - none)) > 0:
        ways.append(f"batches of {batch} (--batch-size)")
    if images := sum(loader.device_bytes for loader in (inputs.train, inputs.val, inputs.test)):
        for_images = f", the images {format_bytes(images)}"
        ways.append("streamed images (--memory-budget 0)")
    return (
        f"training {f'{n} nets as one stack, each ' if n > 1 else ''}{net} in batches of {batch_size} takes about "
        f"{format_bytes(n * each)}{for_images}, and {format_free_memory(inputs.backend, memory)}; what may fit: "
        f"{', '.join([*ways, 'a smaller net, another device'])}"
    )


def _train_in_sequence(
    inputs: Inputs,
    members: Sequence[Member],
    stacks: Stacks,
    progress: Progress,
    on_epoch: OnEpoch,
    checkpoints: CheckpointFolder | None,
) -> list[Run]:
    runs: list[Run] = []
    for stack in stacks:
        report = _with_member_numbers(on_epoch, stack[0])
        try:
            runs += run_epochs(
                LoopCache(inputs),
                [members[k] for k in stack],
                stacked=len(stack) > 1,
                strict=False,
                progress=progress,
                on_epoch=report,
                checkpoints=_own(checkpoints, stack[0], inputs),
            )
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
    on_epoch: OnEpoch,
    checkpoints: CheckpointFolder | None,
) -> list[Run]:
    own, lock = local(), Lock()

    def train_stack(stack: Sequence[int]) -> list[Run]:
        if not hasattr(own, "loops"):
            own.loops = LoopCache(inputs, len(stacks))
        numbered = _with_member_numbers(on_epoch, stack[0])

        def report(rows: dict[int, Epoch]) -> Collection[int]:
            with lock:
                return numbered(rows)

        runs = run_epochs(
            own.loops,
            [members[k] for k in stack],
            stacked=len(stack) > 1,
            strict=False,
            progress=progress,
            on_epoch=report,
            checkpoints=_own(checkpoints, stack[0], inputs),
        )
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


def _own(checkpoints: CheckpointFolder | None, first: int, inputs: Inputs) -> Checkpoints | None:
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


def _with_member_numbers(on_epoch: OnEpoch, first: int) -> Callable[[dict[int, Epoch]], Collection[int]]:
    """Return the callback for a stack whose members are counted from 0 there and from ``first`` by the caller."""

    def report(rows: dict[int, Epoch]) -> Collection[int]:
        numbered = {first + k: row for k, row in rows.items()}
        dropped = set((on_epoch(numbered) if on_epoch else None) or ())
        if not dropped <= numbered.keys():
            raise ValueError(
                f"on_epoch: expected numbers of members to drop, of {list(numbered)}, got {sorted(dropped)}"
            )
        return {k - first for k in dropped}

    return report
