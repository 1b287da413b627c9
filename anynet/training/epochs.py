"""The loop over epochs, of one net or of a stack of members."""

import math
import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.compiler import execution
from anynet.core.history import Epoch, History
from anynet.core.typing import Array, Arrays
from anynet.training.errors import DivergedError
from anynet.training.evaluate import Metrics
from anynet.training.members import Member
from anynet.training.progress import Progress
from anynet.training.result import Run, Snapshot
from anynet.training.stack import LoopCache, Stack, choose, member_weights, take
from anynet.training.step import Carry


class Completed(NamedTuple):
    """State of every member after its last completed epoch.

    Attributes
    ----------
    histories : list of History
    last, best : tuple of array and dict of arrays
        Parameters and running statistics of all members, after the last and after the best epoch of each.
    diverged : list of DivergedError or None
        Why a member stopped, if its cost was no longer finite.
    """

    histories: list[History]
    last: tuple[Array, Arrays]
    best: tuple[Array, Arrays]
    diverged: list[DivergedError | None]


def run_epochs(
    loops: LoopCache,
    members: Sequence[Member],
    *,
    stacked: bool,
    strict: bool,
    progress: Progress,
    on_epoch: Callable[[dict[int, Epoch]], Collection[int]],
) -> list[Run]:
    """Train and test one net or a stack of members.

    Control-C ends training after the last completed epoch, if there is one.

    Parameters
    ----------
    loops : LoopCache
    members : sequence of Member
    stacked : bool
        If False, there is one member and arrays have no axis of members.
    strict : bool
        If True, a cost that is no longer finite raises DivergedError. Otherwise the member keeps its state of the
        epoch before.
    progress : Progress
    on_epoch : callable
        Called after every epoch with the new rows of the histories by member number; returns numbers of members to
        drop.

    Returns
    -------
    list of Run
        One for each member.

    Raises
    ------
    DivergedError
        If `strict`.
    KeyboardInterrupt
        If Control-C comes before the first epoch is completed.
    """
    inputs, places, dropped = loops.inputs, list(range(len(members))), set[int]()
    epochs, batch_size = inputs.settings.epochs, inputs.settings.batch_size
    stack = whole = Stack(loops, members, stacked=stacked)
    carry = stack.start()
    weights = carry.params, carry.state
    completed = Completed([History() for _ in members], weights, weights, [None for _ in members])
    interrupted, began = False, time.perf_counter()
    try:
        for epoch in range(epochs):

            def tick(steps: int, each: int = batch_size * len(places)) -> None:
                progress.update(steps * each)

            rates = stack.rates(epoch)
            after = stack.train_epoch(carry, stack.fixed, inputs.batches(epoch), stack.put(rates), tick)
            results = [stack.evaluate(after.params, after.state, images) for images in (inputs.train, inputs.val)]
            (on_train, on_val), (since,) = stack.evaluate.read(results, after.diverged)
            diverged = _find_diverged([completed.diverged[k] for k in places], since, on_train, epoch, rates)
            for error in diverged if strict else ():
                if error is not None:
                    raise error
            finite = [error is None for error in diverged]
            carry = Carry(*choose(finite, after[:3], carry[:3]), *after[3:])
            seconds = time.perf_counter() - began
            rows = {
                k: Epoch(epoch + 1, float(rates[-1, i]), *on_train[i], *on_val[i], seconds)
                for i, k in enumerate(places)
                if finite[i]
            }
            # One assignment, so that Control-C finds all or nothing of an epoch.
            completed = _add_epoch(completed, rows, carry, dict(zip(places, diverged, strict=True)))
            if not rows:
                break
            loss, accuracy, validation = (
                sum(row[i] for row in rows.values()) / len(rows)
                for i in map(Epoch._fields.index, ("train_loss", "train_accuracy", "val_accuracy"))
            )
            progress.show(
                f"epoch {epoch + 1}/{epochs}: loss {loss:.3f}, accuracy {accuracy:.1%}, validation {validation:.1%}"
            )
            now = set(on_epoch(rows))
            left = epochs - epoch - 1
            if now and left:
                dropped |= now
                kept = [k for k in rows if k not in now]
                progress.shorten((len(places) - len(kept)) * left * inputs.steps * batch_size)
                if not kept:
                    break
                carry = take([places.index(k) for k in kept], carry)
                places, stack = kept, Stack(loops, [members[k] for k in kept], stacked=stacked)
    except KeyboardInterrupt:
        if not any(completed.histories):
            raise
        interrupted = True
    tested = [whole.evaluate(*weights, inputs.test) for weights in (completed.last, completed.best)]
    (test, best_test), _ = whole.evaluate.read(tested)
    return [
        Run(
            net=member.net,
            backend=inputs.backend,
            dtype=inputs.settings.dtype,
            seed=member.settings.seed,
            dataset=inputs.data.name,
            classes=inputs.data.classes,
            history=history,
            last=Snapshot(len(history), *member_weights(completed.last, k, stacked=stacked)),
            best=Snapshot(history.best.epoch if history else 0, *member_weights(completed.best, k, stacked=stacked)),
            normalization=inputs.normalization,
            test=test[k],
            best_test=best_test[k],
            seconds=time.perf_counter() - began,
            execution=execution(stack.train_epoch.run),
            interrupted=interrupted,
            dropped=k in dropped,
            diverged=completed.diverged[k],
        )
        for k, (member, history) in enumerate(zip(members, completed.histories, strict=True))
    ]


def _add_epoch(
    completed: Completed, rows: dict[int, Epoch], carry: Carry, diverged: dict[int, DivergedError | None]
) -> Completed:
    """Return the state with one more epoch of the members that are in training, which `diverged` and `carry` have."""
    histories = [
        History([*history, rows[k]]) if k in rows else history for k, history in enumerate(completed.histories)
    ]
    now, places = (carry.params, carry.state), list(diverged)
    if len(places) < len(histories):
        there = [k in diverged for k in range(len(histories))]
        now = choose(there, take([places.index(k) if there[k] else 0 for k in range(len(there))], now), completed.last)
    better = [k in rows and history.best is rows[k] for k, history in enumerate(histories)]
    errors = [diverged.get(k, error) for k, error in enumerate(completed.diverged)]
    return Completed(histories, now, choose(better, now, completed.best), errors)


def _find_diverged(
    known: Sequence[DivergedError | None],
    diverged: NDArray[np.floating],
    on_train: Sequence[Metrics],
    epoch: int,
    rates: NDArray[np.float64],
) -> list[DivergedError | None]:
    """Return an error for each member whose cost is no longer finite: a known one, or of this epoch, from 0.

    `diverged` is that of the carry, `on_train` measured after the epoch, and `rates` has shape (steps, members).
    """
    found = list(known)
    for k, (since, after) in enumerate(zip(diverged, on_train, strict=True)):
        if found[k] is None and (since or not math.isfinite(after.cost)):
            step = int(since) - epoch * len(rates) if since else len(rates)
            found[k] = DivergedError(epoch + 1, step, len(rates), float(rates[step - 1, k]))
    return found
