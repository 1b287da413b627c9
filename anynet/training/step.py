"""One training step and one evaluation: pure functions of arrays, which a backend may compile.

Nothing here reads an array on the host: no float(x), no bool(x).
"""

from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace, device

from anynet.core.typing import Array, Arrays
from anynet.data.loader import Batch
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.nn.l2 import add_l2_gradient
from anynet.nn.losses import Loss, correct
from anynet.optim import Optimizer


class Carry(NamedTuple):
    """What goes from one step to the next, for one net or for K members.

    params: shape (..., P). state: running statistics. moments: the optimizer's state.
    step: how many steps were made, shape (...).
    diverged: the step, counted from 1, whose loss was the first not to be finite; 0 while all were; shape (...).
    """

    params: Array
    state: Arrays
    moments: Arrays
    step: Array
    diverged: Array


def start(net: Sequential, optimizer: Optimizer, params: Array, state: Arrays) -> Carry:
    """The carry before the first step."""
    count = array_namespace(params).zeros(params.shape[:-1], dtype=params.dtype, device=device(params))
    return Carry(params, state, optimizer.init(params), count, count)


class Fixed(NamedTuple):
    """What all training steps share. l2: penalty λ, an array of shape () or (K,), or None."""

    normalization: Normalization
    l2: Array | None


TrainStep = Callable[[Carry, Fixed, Batch, Array], Carry]


def train_step(net: Sequential, loss: Loss, optimizer: Optimizer) -> TrainStep:
    """``step(carry, fixed, batch, lr)`` returns the carry after one update.

    lr: learning rate, an array of shape () or (K,).
    """

    def step(carry: Carry, fixed: Fixed, batch: Batch, lr: Array) -> Carry:
        params = carry.params
        logits, cache, state = net.forward(params, carry.state, fixed.normalization(batch.images), train=True)
        value, dlogits = loss(logits, batch.labels)
        grads = net.parameter_gradients(params, cache, dlogits)
        if fixed.l2 is not None:
            grads = add_l2_gradient(net.layout, grads, params, fixed.l2)
        params, moments = optimizer.update(params, grads, carry.moments, lr)
        xp, count = array_namespace(params), carry.step + 1
        fine = xp.isfinite(value) | (carry.diverged > 0)
        return Carry(params, state, moments, count, xp.where(fine, carry.diverged, count))

    return step


class Trained(NamedTuple):
    """What is measured: a net's parameters and running statistics, and how its images are normalised."""

    params: Array
    state: Arrays
    normalization: Normalization


class Totals(NamedTuple):
    """Sums over the samples seen, each of shape (...)."""

    loss: Array
    correct: Array


def no_totals(params: Array, labels: Array) -> Totals:
    """The totals before the first batch; samples are counted in integers like the labels'."""
    xp = array_namespace(params)
    none = xp.zeros(params.shape[:-1], dtype=params.dtype, device=device(params))
    return Totals(none, xp.astype(none, labels.dtype))


EvaluationStep = Callable[[Totals, Trained, Batch, None], Totals]


def evaluation_step(net: Sequential, loss: Loss) -> EvaluationStep:
    """``step(totals, trained, batch, None)`` returns the totals with the batch's, by running statistics."""

    def step(totals: Totals, trained: Trained, batch: Batch, row: None) -> Totals:
        images = trained.normalization(batch.images)
        logits, _, _ = net.forward(trained.params, trained.state, images, train=False)
        value, _ = loss(logits, batch.labels)
        return Totals(totals.loss + value * images.shape[0], totals.correct + correct(logits, batch.labels))

    return step
