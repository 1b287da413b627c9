"""The step of an evaluation: sums of loss and correct samples, with those of one batch added."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from array_api_compat import array_namespace, device

from anynet.core.typing import Array, Arrays
from anynet.core.validated import validated
from anynet.data.batch import Batch
from anynet.data.normalization import Normalization
from anynet.data.samples import is_numbers
from anynet.data.views import Views
from anynet.nn import Sequential
from anynet.nn.losses import Loss, correct
from anynet.training.net_input import net_input
from anynet.training.weighted_loss import batch_loss, total_weight

ONE_VIEW = Views()
"""No test-time augmentation."""


class Trained(NamedTuple):
    """Arrays that all evaluation steps share.

    Attributes
    ----------
    params : array, shape (P,) or (K, P)
    state : dict of arrays
        Running statistics.
    normalization : Normalization
        Applied to the samples of every batch.
    """

    params: Array
    state: Arrays
    normalization: Normalization


class Totals(NamedTuple):
    """Sums over all samples so far.

    Attributes
    ----------
    loss : array, shape () or (K,)
    correct : array of int64, shape () or (K,), or None
        Number of samples that are classified correctly; None if targets are numbers.
    weight : array, shape (), or None
        Sum of the weights, of samples that have weights.
    """

    loss: Array
    correct: Array | None
    weight: Array | None = None


EvaluationStep = Callable[[Totals, Trained, Batch, None], Totals]
"""``step(totals, trained, batch, None)`` returns the totals with those of the batch."""


def zero_totals(params: Array, y: Array, weights: Array | None = None) -> Totals:
    """Return the totals before the first batch.

    Parameters
    ----------
    params : array, shape (P,) or (K, P)
    y : array
        Targets. Samples are counted in the dtype of class numbers.
    weights : array, optional

    Returns
    -------
    Totals
    """
    xp = array_namespace(params)
    zeros = partial(xp.zeros, params.shape[:-1], device=device(params))
    weight = None if weights is None else xp.zeros((), dtype=params.dtype, device=device(params))
    return Totals(zeros(dtype=params.dtype), None if is_numbers(y) else zeros(dtype=y.dtype), weight)


def evaluation_step(net: Sequential, loss: Loss, *, classes: bool = True, views: Views = ONE_VIEW) -> EvaluationStep:
    """Return a function that adds the results of one batch.

    Parameters
    ----------
    net : Sequential
    loss : callable
        As in `anynet.losses`.
    classes : bool
        True if targets are class numbers.
    views : Views
        Test-time augmentation. Default: none.

    Returns
    -------
    callable
        ``step(totals, trained, batch, None)`` returns the next `Totals`. Batch normalization uses the running
        statistics, and no layer draws random numbers.
    """

    def step(totals: Totals, trained: Trained, batch: Batch, row: None) -> Totals:
        def outputs_of(images: Array) -> Array:
            x = net_input(net, trained.normalization(images))
            return net.forward(trained.params, trained.state, x, train=False)[0]

        outputs = views.mean(outputs_of, batch.x)
        with validated():
            value, _ = batch_loss(loss, outputs, batch)
            right = correct(outputs, batch.y) if classes else None
        own = total_weight(batch)
        return Totals(
            totals.loss + value * own,
            None if totals.correct is None or right is None else totals.correct + right,
            None if totals.weight is None else totals.weight + own,
        )

    return step
