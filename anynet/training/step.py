"""The training step, a pure function of arrays.

Nothing here reads an array on the host: no float(x), no bool(x).
"""

from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace, device

from anynet.core.collective import sum_over_ranks
from anynet.core.random import at_step
from anynet.core.share import Share
from anynet.core.typing import Array, Arrays
from anynet.core.validated import validated
from anynet.data.batch import Batch
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.nn.clipping import clip_by_norm
from anynet.nn.l2 import add_l2_gradient
from anynet.nn.losses import Loss
from anynet.optim import Optimizer
from anynet.optim.averaging import Averaging, update_average
from anynet.optim.lookahead import Lookahead
from anynet.training.net_input import net_input
from anynet.training.weighted_loss import batch_loss, share_of_loss


class Carry(NamedTuple):
    """Arrays that a step changes, for one net or for K members.

    Attributes
    ----------
    params : array, shape (P,) or (K, P)
    state : dict of arrays
        Running statistics.
    moments : dict of arrays
        State of the optimizer.
    average : array, shape (P,) or (K, P), or None
        Moving average of the parameters, or slow weights of Lookahead, for trainings that have one of them.
    step : array, shape () or (K,)
        Number of steps that were made; see `start` for its dtype.
    diverged : array, shape () or (K,)
        First step, counted from 1, whose loss was not finite; 0 if there was none. Same dtype as `step`.
    total : array, shape () or (K,), or None
        Sum over samples of the loss of the steps so far, for trainings that report it in place of an evaluation.
    since : array, shape (), or None
        Number of steps since the parameters were the slow weights, for trainings with Lookahead.
    """

    params: Array
    state: Arrays
    moments: Arrays
    average: Array | None
    step: Array
    diverged: Array
    total: Array | None = None
    since: Array | None = None

    @property
    def weights(self) -> tuple[Array, Arrays]:
        """Parameters to evaluate and to keep, which are the average if there is one, and running statistics."""
        return self.params if self.average is None else self.average, self.state


class Fixed(NamedTuple):
    """Arrays that all training steps share.

    Attributes
    ----------
    normalization : Normalization
        Applied to the samples of every batch.
    l2 : array, shape () or (K,), or None
        Factor of the penalty.
    key : array of int32, shape (2,) or (K, 2), or None
        Key of the random numbers of steps, from ``anynet.random.key``, for nets whose layers draw some.
    """

    normalization: Normalization
    l2: Array | None
    key: Array | None = None


TrainStep = Callable[[Carry, Fixed, Batch, Array], Carry]
"""``step(carry, fixed, batch, lr)`` returns the next carry; lr has shape () or (K,)."""

LossStep = Callable[[Carry, Fixed, Batch, Array], tuple[Carry, Array]]
"""As a `TrainStep`, but also returns the loss of the batch ahead of the update, of shape () or (K,)."""


def start(
    net: Sequential, optimizer: Optimizer, params: Array, state: Arrays, averaging: Averaging | None = None
) -> Carry:
    """Return the carry before the first step.

    Parameters
    ----------
    net : Sequential
    optimizer : Optimizer
    params : array, shape (P,) or (K, P)
    state : dict of arrays
        Both as from ``net.init``.
    averaging : float or Lookahead, optional
        As for `train_step`.

    Returns
    -------
    Carry
        Steps are counted in the dtype of `params`: one dtype for all is fastest. For a net that draws random numbers
        they are counted in int32, which stays exact beyond 2^24 steps, where float32 would repeat the same numbers.
    """
    xp = array_namespace(params)
    dtype = xp.int32 if net.uses_rng else params.dtype
    count = xp.zeros(params.shape[:-1], dtype=dtype, device=device(params))
    moments = optimizer.initial_state(params, net.layout)
    average = None if averaging is None else params
    since = xp.zeros((), dtype=params.dtype, device=device(params)) if isinstance(averaging, Lookahead) else None
    return Carry(params, state, moments, average, count, count, since=since)


def train_step(
    net: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    clip_norm: float | None = None,
    averaging: Averaging | None = None,
    share: Share | None = None,
) -> TrainStep:
    """Return a function that makes one update.

    Parameters
    ----------
    net : Sequential
    loss : callable
        As in `anynet.losses`.
    optimizer : Optimizer
    clip_norm : float, optional
        Largest norm of the gradient of the cost; see `clip_by_norm`.
    averaging : float or Lookahead, optional
        Decay of a moving average of the parameters, see `update_average`, or Lookahead. Default: no average.
    share : Share, optional
        Part of each batch that this rank computes, for a net from `shared_net`. Default: the whole batch.

    Returns
    -------
    callable
        ``step(carry, fixed, batch, lr)`` returns the next `Carry`. Step s of a net that draws random numbers, counted
        from 0, is given the rng ``at_step(fixed.key, s)``; other nets are given none. Labels are not checked: `setup`
        did, for all samples.
    """
    with_loss = loss_step(net, loss, optimizer, clip_norm, averaging, share)

    def step(carry: Carry, fixed: Fixed, batch: Batch, lr: Array) -> Carry:
        return with_loss(carry, fixed, batch, lr)[0]

    return step


def loss_step(
    net: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    clip_norm: float | None = None,
    averaging: Averaging | None = None,
    share: Share | None = None,
) -> LossStep:
    """Return a function that makes one update, as `train_step` does, and returns the loss ahead of it as well."""
    places = {"layout": net.layout} if optimizer.uses_layout else {}

    def step(carry: Carry, fixed: Fixed, batch: Batch, lr: Array) -> tuple[Carry, Array]:
        params, rng = carry.params, None
        if net.uses_rng and fixed.key is not None:
            rng = at_step(fixed.key, carry.step)
        x = net_input(net, batch.inputs(fixed.normalization))
        with validated():
            outputs, cache, state = net.forward(params, carry.state, x, train=True, rng=rng)
            value, grads = batch_loss(loss, outputs, batch)
        if share is not None:
            value, grads = share_of_loss(value, grads, batch, share)
        grads = net.parameter_gradients(params, cache, grads)
        if share is not None:
            grads, value = _sums(grads, value, share)
        if fixed.l2 is not None:
            grads = add_l2_gradient(net.layout, grads, params, fixed.l2)
        if clip_norm is not None:
            grads = clip_by_norm(grads, clip_norm)
        params, moments = optimizer.update(params, grads, carry.moments, lr, **places)
        if tuple(params.shape) != tuple(carry.params.shape):
            expected, got = tuple(carry.params.shape), tuple(params.shape)
            raise ValueError(
                f"{type(optimizer).__name__}: expected update to return params of shape {expected}, got {got}"
            )
        xp, count = array_namespace(params), carry.step + 1
        fine, average, since = xp.isfinite(value) | (carry.diverged > 0), carry.average, carry.since
        if isinstance(averaging, Lookahead) and average is not None and since is not None:
            average, params, since = averaging.update(average, params, since)
        elif isinstance(averaging, float) and average is not None:
            average = update_average(average, params, averaging, count)
        samples = batch.x.shape[-2] if share is None else share.whole
        total = None if carry.total is None else carry.total + value * samples
        diverged = xp.where(fine, carry.diverged, count)
        return Carry(params, state, moments, average, count, diverged, total, since), value

    return step


def _sums(grads: Array, value: Array, share: Share) -> tuple[Array, Array]:
    """Return the sums over the ranks of gradients and loss, as one sum of a vector."""
    both = sum_over_ranks(array_namespace(grads).concat([grads, value[..., None]], axis=-1), share.group)
    return both[..., :-1], both[..., -1]
