"""Epoch after epoch, of one net or of several at once."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from anynet.core.history import Epoch, History
from anynet.core.typing import Array, Arrays
from anynet.training.divergence import DivergedError, divergence
from anynet.training.members import Member
from anynet.training.progress import Progress
from anynet.training.run import Run, Snapshot
from anynet.training.stack import Loops, Stack, choose, part, take
from anynet.training.step import Carry


class Reached(NamedTuple):
    """What each of the nets has come to after its last whole epoch.

    last, best: parameters and running statistics of all nets, each after its own last and its own best epoch.
    diverged: why it stopped, where it did.
    """

    histories: list[History]
    last: tuple[Array, Arrays]
    best: tuple[Array, Arrays]
    diverged: list[DivergedError | None]


def train(
    loops: Loops,
    members: Sequence[Member],
    *,
    stacked: bool,
    strict: bool,
    progress: Progress,
    on_epoch: Callable[[dict[int, Epoch]], Collection[int]],
) -> list[Run]:
    """Train one net, or, ``stacked``, several at once, and test them.

    on_epoch: called after every epoch with the lines of the histories, by the nets' places among the members; returns
        the places of those to drop.

    strict: whether a cost that is no longer finite raises DivergedError; otherwise the member keeps what it had after
        the epoch before.

    Control-C ends training after the last whole epoch, if there is one.
    """
    inputs, places, dropped = loops.inputs, list(range(len(members))), set[int]()
    epochs, batch_size = inputs.settings.epochs, inputs.settings.batch_size
    stack = whole = Stack(loops, members, stacked=stacked)
    carry = stack.start()
    weights = carry.params, carry.state
    reached = Reached([History() for _ in members], weights, weights, [None for _ in members])
    interrupted, began = False, time.perf_counter()
    try:
        for epoch in range(epochs):

            def tick(steps: int, each: int = batch_size * len(places)) -> None:
                progress.update(steps * each)

            rates = stack.rates(epoch)
            after = stack.train_epoch(carry, stack.fixed, inputs.batches(epoch), stack.put(rates), tick)
            measured = [stack.measure(after.params, after.state, images) for images in (inputs.train, inputs.val)]
            (on_train, on_val), (since,) = stack.measure.read(measured, after.diverged)
            diverged = divergence([reached.diverged[k] for k in places], since, on_train, epoch, rates)
            for error in diverged if strict else ():
                if error is not None:
                    raise error
            sound = [error is None for error in diverged]
            carry = Carry(*choose(sound, after[:3], carry[:3]), *after[3:])
            seconds = time.perf_counter() - began
            rows = {
                k: Epoch(epoch + 1, float(rates[-1, i]), *on_train[i], *on_val[i], seconds)
                for i, k in enumerate(places)
                if sound[i]
            }
            # At once, so that Control-C finds all or nothing of an epoch.
            reached = _reach(reached, rows, carry, dict(zip(places, diverged, strict=True)))
            if not rows:
                break
            loss, accuracy, validation = (
                sum(row[i] for row in rows.values()) / len(rows)
                for i in map(Epoch._fields.index, ("train_loss", "train_accuracy", "val_accuracy"))
            )
            progress.say(
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
        if not any(reached.histories):
            raise
        interrupted = True
    tested = [whole.measure(*weights, inputs.test) for weights in (reached.last, reached.best)]
    (test, best_test), _ = whole.measure.read(tested)
    return [
        Run(
            net=member.net,
            backend=inputs.backend,
            dtype=inputs.settings.dtype,
            seed=member.settings.seed,
            dataset=inputs.data.name,
            classes=inputs.data.classes,
            history=history,
            last=Snapshot(len(history), *part(reached.last, k, stacked=stacked)),
            best=Snapshot(history.best.epoch if history else 0, *part(reached.best, k, stacked=stacked)),
            normalization=inputs.normalization,
            test=test[k],
            best_test=best_test[k],
            seconds=time.perf_counter() - began,
            interrupted=interrupted,
            dropped=k in dropped,
            diverged=reached.diverged[k],
        )
        for k, (member, history) in enumerate(zip(members, reached.histories, strict=True))
    ]


def _reach(
    reached: Reached, rows: dict[int, Epoch], carry: Carry, diverged: dict[int, DivergedError | None]
) -> Reached:
    """With another epoch of the members that are still in training, those in ``diverged``."""
    histories = [History([*history, rows[k]]) if k in rows else history for k, history in enumerate(reached.histories)]
    now, places = (carry.params, carry.state), list(diverged)
    if len(places) < len(histories):
        there = [k in diverged for k in range(len(histories))]
        now = choose(there, take([places.index(k) if there[k] else 0 for k in range(len(there))], now), reached.last)
    better = [k in rows and history.best is rows[k] for k, history in enumerate(histories)]
    why = [diverged.get(k, error) for k, error in enumerate(reached.diverged)]
    return Reached(histories, now, choose(better, now, reached.best), why)
