"""Epoch after epoch, of one net or of several at once."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from tqdm import tqdm

from anynet.tracing.tree import flatten
from anynet.training.course import Course
from anynet.training.divergence import DivergedError, divergence
from anynet.training.history import Epoch
from anynet.training.loop import BatchLoop
from anynet.training.measure import Measure
from anynet.training.members import Member, common_optimizer
from anynet.training.run import Run, Snapshot
from anynet.training.step import Carry, Fixed, start, train_step
from anynet.typing import Array, Arrays


class Reached(NamedTuple):
    """What each of the nets has come to after its last whole epoch.

    last, best: parameters and running statistics of all nets, each after its own last and its own best epoch.
    diverged: why it stopped, where it did.
    """

    histories: list[list[Epoch]]
    last: tuple[Array, Arrays]
    best: tuple[Array, Arrays]
    diverged: list[DivergedError | None]


def train(
    course: Course,
    members: Sequence[Member],
    *,
    stacked: bool,
    bar: tqdm,
    on_epoch: Callable[[dict[int, Epoch]], None],
) -> list[Run]:
    """Train one net, or, ``stacked``, several at once, and test them.

    on_epoch: called after every epoch with the lines of the histories, by the nets' places among the members.

    A member whose cost is no longer finite keeps what it had after the epoch before; a net that is not stacked raises
    DivergedError. Control-C ends training after the last whole epoch, if there is one.
    """
    backend, epochs, steps = course.backend, course.epochs, course.steps

    def put(numbers: Any) -> Array:
        """Numbers with the members on the last axis, which one net does not have."""
        host = np.asarray(numbers, course.dtype)
        return backend.asarray(host if stacked else host[..., 0])

    net, optimizer, l2 = members[0].net, common_optimizer(members), [m.l2 for m in members]
    fixed = Fixed(course.normalization, put(l2) if any(l2) else None)
    train_epoch = BatchLoop(train_step(net, course.loss, optimizer), backend, course.augmentation)
    measure = Measure(net, course.loss, backend, *fixed)

    carry = start(net, optimizer, *_first(members, put([0.0]), stacked))
    weights = carry.params, carry.state
    reached = Reached([[] for _ in members], weights, weights, [None for _ in members])
    interrupted, began = False, time.perf_counter()
    try:
        for epoch in range(epochs):
            rates = np.asarray([[m.optimizer.schedule(epoch + i / steps) for m in members] for i in range(steps)])
            after = train_epoch(
                carry, fixed, course.batches(epoch), put(rates), lambda n: bar.update(n * course.batch_size * len(l2))
            )
            on_train, on_val = (measure(after.params, after.state, part) for part in (course.train, course.val))
            since = np.reshape(backend.to_host(after.diverged), -1)
            diverged = divergence(reached.diverged, since, on_train, epoch, rates)
            if not stacked and diverged[0]:
                raise diverged[0]
            sound = [error is None for error in diverged]
            carry = Carry(*choose(sound, after[:3], carry[:3]), *after[3:])
            seconds = time.perf_counter() - began
            rows = {
                k: Epoch(epoch + 1, float(rates[-1, k]), *on_train[k], *on_val[k], seconds)
                for k in range(len(members))
                if sound[k]
            }
            # At once, so that Control-C finds all or nothing of an epoch.
            reached = _reach(reached, rows, carry, diverged)
            if not rows:
                break
            loss, accuracy, validation = (
                sum(row[i] for row in rows.values()) / len(rows)
                for i in map(Epoch._fields.index, ("train_loss", "train_accuracy", "val_accuracy"))
            )
            bar.set_postfix_str(
                f"epoch {epoch + 1}/{epochs}: loss {loss:.3f}, accuracy {accuracy:.1%}, validation {validation:.1%}"
            )
            on_epoch(rows)
    except KeyboardInterrupt:
        if not any(reached.histories):
            raise
        interrupted = True
    test, best_test = (measure(*weights, course.test) for weights in (reached.last, reached.best))
    return [
        Run(
            net=member.net,
            backend=backend,
            dtype=course.dtype,
            seed=member.seed,
            dataset=course.data.name,
            classes=course.data.classes,
            history=history,
            last=Snapshot(len(history), *_part(reached.last, k, stacked)),
            best=Snapshot(_best(history), *_part(reached.best, k, stacked)),
            normalization=course.normalization,
            test=test[k],
            best_test=best_test[k],
            seconds=time.perf_counter() - began,
            interrupted=interrupted,
            diverged=reached.diverged[k],
        )
        for k, (member, history) in enumerate(zip(members, reached.histories, strict=True))
    ]


def choose(chosen: Sequence[bool], these: Any, others: Any) -> Any:
    """Containers of arrays with the chosen members of these and the other members of the others.

    Arrays without a member axis are these'.
    """
    if all(chosen):
        return these
    if not any(chosen):
        return others
    leaves, rebuild = flatten(these)
    return rebuild([_where(chosen, *pair) for pair in zip(leaves, flatten(others)[0], strict=True)])


def _where(chosen: Sequence[bool], this: Array, other: Array) -> Array:
    if this.ndim == 0:
        return this
    xp = array_namespace(this)
    mask = xp.asarray(chosen, device=device(this))
    return xp.where(xp.reshape(mask, (-1, *(1 for _ in this.shape[1:]))), this, other)


def _reach(reached: Reached, rows: dict[int, Epoch], carry: Carry, diverged: list[DivergedError | None]) -> Reached:
    histories = [[*history, rows[k]] if k in rows else history for k, history in enumerate(reached.histories)]
    now = carry.params, carry.state
    better = [k in rows and _best(history) == len(history) for k, history in enumerate(histories)]
    return Reached(histories, now, choose(better, now, reached.best), diverged)


def _best(history: Sequence[Epoch]) -> int:
    """The first epoch with the highest validation accuracy, counted from 1; 0 where there is none."""
    return max(history, key=lambda row: row.val_accuracy).epoch if history else 0


def _first(members: Sequence[Member], like: Array, stacked: bool) -> tuple[Array, Arrays]:
    """The parameters and the state that each net starts with."""
    starts = [member.net.init(member.seed, like) for member in members]
    if not stacked:
        return starts[0]
    xp = array_namespace(like)
    return xp.stack([p for p, _ in starts]), {name: xp.stack([s[name] for _, s in starts]) for name in starts[0][1]}


def _part(weights: tuple[Array, Arrays], k: int, stacked: bool) -> tuple[Array, Arrays]:
    params, state = weights
    return (params[k, ...], {name: array[k, ...] for name, array in state.items()}) if stacked else weights
