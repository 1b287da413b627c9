"""Nets that are trained by the same steps."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.compiler import Loop
from anynet.core import random
from anynet.core.tree import flatten
from anynet.core.typing import Array
from anynet.data import Batch
from anynet.nn import Sequential
from anynet.nn.losses import Loss
from anynet.optim import Optimizer
from anynet.sklearn.net_fits import Course, NetFit, Samples
from anynet.training.errors import DivergedError
from anynet.training.members import common_optimizer
from anynet.training.rates import learning_rate
from anynet.training.step import Carry, Fixed, start, train_step


class Unchanged(NamedTuple):
    """Normalization of features that are to stay as they are."""

    def __call__(self, x: Array) -> Array:
        """Return the features."""
        return x


class FitStack:
    """Nets that are trained by the same steps.

    Parameters
    ----------
    fits : sequence of NetFit
    course : Course
    before : FitStack, optional
        Stack of the same course, whose loops are used again where steps are the same.

    Attributes
    ----------
    stacked : bool
        If False, there is one net, and arrays have no axis of members.
    """

    def __init__(self, fits: Sequence[NetFit], course: Course, before: "FitStack | None" = None) -> None:
        self._fits, self._course, self.stacked = fits, course, len(fits) > 1
        members = [fit.member for fit in fits]
        net, self._optimizer = members[0].net, common_optimizer(members)
        self._rows = len(fits[0].rows)
        sizes = divmod(self._rows, course.batch_size)
        self._full, self._steps = sizes[0], sizes[0] + (sizes[1] > 0)
        self._dtype = str(course.samples.x.dtype).split(".")[-1]
        keys, l2 = [fit.member.settings.seed for fit in fits], [fit.member.settings.l2 for fit in fits]
        self._own_batches = len({(fit.member.settings.seed, fit.rows.tobytes()) for fit in fits}) > 1
        key = np.stack([random.key(seed) for seed in keys])
        self._fixed = Fixed(
            Unchanged(),  # type: ignore[arg-type]
            self._put(l2) if any(l2) else None,
            course.backend.asarray(key if self.stacked else key[0]) if net.uses_rng else None,
        )
        rates = [m.optimizer.lr for m in members if not callable(m.optimizer.lr)]
        loops = {} if before is None else before._loops
        if (key_of_loop := replace(self._optimizer, lr=1.0)) not in loops:
            loops[key_of_loop] = course.backend.loop(_step_of(net, key_of_loop, course.loss, course.clip_norm))
        self._loops: dict[Optimizer, Loop] = loops
        self._loop = loops[key_of_loop]
        self._stacks = course.stacks if before is None else 1  # others become smaller at other epochs
        self._done = Counter[int]()  # steps by batch size
        self._constant = self._put(np.tile(rates, (self._steps, 1))) if len(rates) == len(members) else None

    def start(self) -> Carry:
        """Return the carry before the first step."""
        like, fits = self._put([0.0] * len(self._fits)), self._fits
        xp, carry = array_namespace(like), fits[0].carry
        if carry is None:
            starts = [fit.member.net.init(fit.member.settings.seed, like) for fit in fits]
            params, state = starts[0]
            if self.stacked:
                params = xp.stack([own for own, _ in starts])
                state = {name: xp.stack([held[name] for _, held in starts]) for name in state}
            carry = start(fits[0].member.net, self._optimizer, params, state)
        return carry._replace(diverged=xp.zeros_like(carry.diverged))

    def train_epoch(self, carry: Carry, epoch: int) -> Carry:
        """Return the carry after one more pass over the samples; its total is that of this epoch."""
        xp, course = array_namespace(carry.params), self._course
        order, rates = self._order(epoch), self._epoch_rates(epoch)
        carry = carry._replace(
            total=xp.zeros(carry.params.shape[:-1], dtype=carry.params.dtype, device=device(carry.params))
        )
        n, size, full = order.shape[0], course.batch_size, self._full
        for first, steps, width in ((0, full, size), (full, self._steps - full, n - full * size)):
            if steps:
                index = order[first * size : first * size + steps * width]
                index = index.reshape(steps, width, *order.shape[1:])
                index = np.ascontiguousarray(np.moveaxis(index, 1, -1))
                rows = course.backend.asarray(index), rates[first : first + steps, ...]
                self._done[width] += steps
                ahead = self._stacks * self._done[width] - steps  # as if all stacks had run in one loop up to now
                carry = self._loop(carry, (self._fixed, course.samples), rows, _ignore, before=ahead)
        return carry

    def read(self, carry: Carry) -> tuple[list[float], list[float]]:
        """Return the mean loss in the epoch, and the number of the first step that was not finite, of each net."""
        to_host = self._course.backend.to_host
        arrays = [array for array in (carry.total, carry.diverged) if array is not None]
        losses, steps = (np.reshape(to_host(array), -1).tolist() for array in arrays)
        return [loss / self._rows for loss in losses], steps

    def member(self, carry: Carry, k: int) -> Carry:
        """Return the carry of one net."""
        if not self.stacked:
            return carry
        leaves, rebuild = flatten(carry)
        chosen: Carry = rebuild([leaf if leaf.ndim == 0 else leaf[k, ...] for leaf in leaves])
        xp = array_namespace(carry.params)
        leaves, rebuild = flatten(chosen)
        alone: Carry = rebuild([xp.asarray(leaf, copy=True) for leaf in leaves])
        return alone

    def error(self, k: int, step: int, epoch: int) -> DivergedError:
        """Return the error of a net whose loss is not finite since this step of its training, counted from 1."""
        place = (step - 1) % self._steps
        rate = learning_rate(self._fits[k].member.optimizer, epoch, place, self._steps)
        return DivergedError(epoch + 1, place + 1, self._steps, rate)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if not self._own_batches:
            return self._fits[0].order(epoch)
        return np.stack([fit.order(epoch) for fit in self._fits], axis=-1)

    def _epoch_rates(self, epoch: int) -> Array:
        if self._constant is not None:
            return self._constant
        optimizers, steps = [fit.member.optimizer for fit in self._fits], self._steps
        return self._put([[learning_rate(each, epoch, i, steps) for each in optimizers] for i in range(steps)])

    def _put(self, numbers: Any) -> Array:
        """Return numbers, of nets on the last axis, on the device."""
        host = np.asarray(numbers, self._dtype)
        return self._course.backend.asarray(host if self.stacked else np.array(host[..., 0]))


def _step_of(*settings: Any) -> Callable[[Carry, Any, Any], Carry]:
    """Return the step of `_step`: the same for equal settings, so that it is recorded once for all trainings."""
    try:
        return _known_step(*settings)
    except TypeError:  # something of the user's has no hash
        return _step(*settings)


def _step(
    net: Sequential, optimizer: Optimizer, loss: Loss, clip_norm: float | None
) -> Callable[[Carry, Any, Any], Carry]:
    """Return a training step that gathers its own batch, by numbers of samples of shape (n,) or (K, n)."""
    update = train_step(net, loss, optimizer, clip_norm)

    def step(carry: Carry, shared: tuple[Fixed, Samples], row: tuple[Array, Array]) -> Carry:
        (fixed, samples), (index, lr) = shared, row
        weights = None if samples.weights is None else _rows(samples.weights, index)
        return update(carry, fixed, Batch(_rows(samples.x, index), _rows(samples.y, index), weights), lr)

    return step


_known_step = lru_cache(maxsize=32)(_step)


def _rows(array: Array, index: Array) -> Array:
    xp = array_namespace(array)
    if index.ndim == 1:
        return xp.take(array, index, axis=0)
    chosen = xp.take(array, xp.reshape(index, (-1,)), axis=0)
    return xp.reshape(chosen, (*index.shape, *array.shape[1:]))


def _ignore(steps: int) -> None:
    """Report no progress."""
