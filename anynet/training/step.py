"""One training step and one evaluation: pure functions of arrays, which a backend may compile.

Nothing here reads an array on the host: no float(x), no bool(x).
"""

from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace, device

from anynet.data.normalization import Normalization
from anynet.layers import Sequential
from anynet.losses import Loss, correct
from anynet.optimizers import Optimizer
from anynet.penalties import add_l2_gradient
from anynet.typing import Array, Arrays


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


TrainStep = Callable[[Carry, Normalization, Array, Array, Array, Array | None], Carry]


def train_step(net: Sequential, loss: Loss, optimizer: Optimizer) -> TrainStep:
    """``step(carry, normalization, images, labels, lr, l2)`` returns the carry after one update.

    images: uint8, shape (N, 3072). labels: integers, shape (N,).
    lr, l2: learning rate and penalty λ, arrays of shape () or (K,); without a penalty, l2 is None.
    """

    def step(
        carry: Carry, normalization: Normalization, images: Array, labels: Array, lr: Array, l2: Array | None
    ) -> Carry:
        params = carry.params
        logits, cache, state = net.forward(params, carry.state, normalization(images), train=True)
        value, dlogits = loss(logits, labels)
        grads = net.parameter_gradients(params, cache, dlogits)
        if l2 is not None:
            grads = add_l2_gradient(net.layout, grads, params, l2)
        params, moments = optimizer.update(params, grads, carry.moments, lr)
        xp, count = array_namespace(params), carry.step + 1
        fine = xp.isfinite(value) | (carry.diverged > 0)
        return Carry(params, state, moments, count, xp.where(fine, carry.diverged, count))

    return step


class Totals(NamedTuple):
    """Sums over the samples seen, each of shape (...)."""

    loss: Array
    correct: Array


EvaluationStep = Callable[[Array, Arrays, Normalization, Array, Array], Totals]


def evaluation_step(net: Sequential, loss: Loss) -> EvaluationStep:
    """``step(params, state, normalization, images, labels)`` returns the batch's totals, with running statistics."""

    def step(params: Array, state: Arrays, normalization: Normalization, images: Array, labels: Array) -> Totals:
        logits, _, _ = net.forward(params, state, normalization(images), train=False)
        value, _ = loss(logits, labels)
        return Totals(value * labels.shape[0], correct(logits, labels))

    return step
