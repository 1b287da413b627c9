"""Training of one net, or of several as a stack, each until it has converged."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.compiler import Loop
from anynet.core import random
from anynet.core.seeding import Purpose, generator
from anynet.core.tree import flatten
from anynet.core.typing import Array, Arrays
from anynet.data import Batch
from anynet.nn import Sequential
from anynet.nn.losses import Loss
from anynet.optim import Optimizer
from anynet.sklearn.convergence import Convergence
from anynet.training.errors import DivergedError
from anynet.training.members import Member, common_optimizer
from anynet.training.rates import learning_rate
from anynet.training.stack import take
from anynet.training.step import Carry, Fixed, start, train_step


class Unchanged(NamedTuple):
    """Normalization of features that are to stay as they are."""

    def __call__(self, x: Array) -> Array:
        """Return the features."""
        return x


class Samples(NamedTuple):
    """Samples to train on, on the device.

    Attributes
    ----------
    x : array, shape (N, n_in)
    y : array, shape (N,) or (N, m)
        Class numbers, or numbers to predict.
    weights : array, shape (N,), or None
    """

    x: Array
    y: Array
    weights: Array | None


@dataclass(frozen=True, kw_only=True)
class Course:
    """What nets that are trained as one stack have in common.

    Parameters
    ----------
    samples : Samples
    backend : Backend
    loss : callable
        As in `anynet.losses`.
    epochs, batch_size : int
    clip_norm : float or None
        Largest norm of the gradient.
    verbose : bool
        If True, print the loss of every epoch.
    """

    samples: Samples
    backend: Backend
    loss: Loss
    epochs: int
    batch_size: int
    clip_norm: float | None = None
    verbose: bool = False


@dataclass(kw_only=True)
class NetFit:
    """A net in training.

    Parameters
    ----------
    member : Member
        Net, optimizer, seed and penalty.
    rows : ndarray of int64
        Numbers of the samples to train on.
    convergence : Convergence
    carry : Carry, optional
        Where to go on from, for a net that is trained alone. Default: initial parameters of the seed.
    epoch : int
        Number of epochs before; part of the key of the batches' order.
    validate : callable, optional
        ``validate(params, state)`` returns the score by which convergence is judged, and after which the best
        parameters are kept. Default: the training loss is judged, and the last ones are kept.

    Attributes
    ----------
    losses : list of float
        Mean training loss in each epoch.
    scores : list of float
        What `validate` returned.
    error : DivergedError or None
        Why the training ended, if its loss was no longer finite.
    """

    member: Member
    rows: NDArray[np.int64]
    convergence: Convergence
    carry: Carry | None = None
    epoch: int = 0
    validate: Callable[[Array, Arrays], float] | None = None
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    error: DivergedError | None = None
    _best: tuple[Array, Arrays] | None = None

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the numbers of the samples in the order of an epoch of this training, counted from 0."""
        shuffled = generator(self.member.settings.seed, Purpose.ORDER, self.epoch + epoch).permutation(len(self.rows))
        return self.rows[shuffled]

    def add_epoch(self, loss: float, carry: Callable[[], Carry]) -> bool:
        """Add an epoch; return True if training is to end."""
        self.losses.append(loss)
        if self.validate is None:
            self.convergence.update(-loss)
        else:
            now = carry()
            self.scores.append(self.validate(now.params, now.state))
            if self.convergence.update(self.scores[-1]):
                self._best = now.weights
        return self.convergence.reached

    def end(self, carry: Carry) -> None:
        """Keep the parameters of the end, or the best ones."""
        self.epoch += len(self.losses)
        self.carry = carry
        if self._best is not None:
            self.carry = carry._replace(params=self._best[0], state=self._best[1])


def train(fits: Sequence[NetFit], course: Course) -> None:
    """Train nets as one stack, until each has converged or has diverged, or the epochs are over.

    Members that ended are left out of the stack once half of it has.

    Parameters
    ----------
    fits : sequence of NetFit
        They get losses, carry and error. Their nets differ in initializers only, and their optimizers as members' may.
    course : Course
    """
    live = list(fits)
    stack = _Stack(live, course)
    carry = stack.start()
    ended: set[int] = set()  # places in the stack
    try:
        for epoch in range(course.epochs):
            after = stack.train_epoch(carry, epoch)
            losses, diverged = stack.read(after)
            carry = after
            for k, fit in enumerate(live):
                if k in ended:
                    continue
                last = epoch + 1 == course.epochs
                if diverged[k]:
                    fit.error = stack.error(k, int(diverged[k]), epoch)
                elif not fit.add_epoch(losses[k], lambda k=k: stack.member(carry, k)) and not last:  # type: ignore[misc]
                    continue
                ended.add(k)
                fit.end(stack.member(carry, k))
            if course.verbose:
                print(f"epoch {epoch + 1}/{course.epochs}: loss {', '.join(f'{loss:.6g}' for loss in losses)}")
            if len(ended) == len(live):
                return
            if 2 * len(ended) >= len(live):
                kept = [k for k in range(len(live)) if k not in ended]
                live, ended = [live[k] for k in kept], set()
                smaller = _Stack(live, course, stack)
                carry = take(kept, carry) if smaller.stacked else stack.member(carry, kept[0])
                stack = smaller
    except KeyboardInterrupt:
        if not all(fit.losses for fit in fits):
            raise
        warnings.warn("training was interrupted; the last whole epoch is kept", stacklevel=2)
        for k, fit in enumerate(live):
            if k not in ended:
                fit.end(stack.member(carry, k))


class _Stack:
    """Nets that are trained by the same steps. Loops are those of a stack before, where its steps are the same."""

    def __init__(self, fits: Sequence[NetFit], course: Course, before: "_Stack | None" = None) -> None:
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
        self._rates = [None if callable(m.optimizer.lr) else m.optimizer.lr for m in members]
        loops = {} if before is None else before._loops
        if (key_of_loop := replace(self._optimizer, lr=1.0)) not in loops:
            loops[key_of_loop] = course.backend.loop(_step_of(net, key_of_loop, course.loss, course.clip_norm))
        self._loops: dict[Optimizer, Loop] = loops
        self._loop = loops[key_of_loop]
        self._constant = self._put(np.tile(self._rates, (self._steps, 1))) if None not in self._rates else None

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
        zero = xp.zeros(carry.params.shape[:-1], dtype=like.dtype, device=device(like))
        return carry._replace(total=zero, diverged=xp.zeros_like(carry.diverged))

    def train_epoch(self, carry: Carry, epoch: int) -> Carry:
        """Return the carry after one more pass over the samples; its total is that of this epoch."""
        xp, course = array_namespace(carry.params), self._course
        order, rates = self._order(epoch), self._epoch_rates(epoch)
        carry = carry._replace(total=xp.zeros_like(carry.total))
        n, size, full = order.shape[0], course.batch_size, self._full
        for first, steps, width in ((0, full, size), (full, self._steps - full, n - full * size)):
            if steps:
                index = order[first * size : first * size + steps * width]
                index = index.reshape(steps, width, *order.shape[1:])
                index = np.ascontiguousarray(np.moveaxis(index, 1, -1))
                rows = course.backend.asarray(index), rates[first : first + steps, ...]
                carry = self._loop(carry, (self._fixed, course.samples), rows, _ignore)
        return carry

    def read(self, carry: Carry) -> tuple[list[float], list[float]]:
        """Return the mean loss in the epoch, and the number of the first step that was not finite, of each net."""
        to_host = self._course.backend.to_host
        losses, steps = (np.reshape(to_host(array), -1).tolist() for array in (carry.total, carry.diverged))
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
        x, y, weights = (None if array is None else _rows(array, index) for array in samples)
        return update(carry, fixed, Batch(x, y, weights), lr)

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
