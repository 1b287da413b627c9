"""Cost, loss and accuracy of a net on a set of images."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.typing import Array, Arrays
from anynet.core.validated import validated
from anynet.data.batch import Batch
from anynet.data.loader import Loader
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.nn.l2 import l2_cost
from anynet.nn.losses import Loss, correct
from anynet.training.batch_loop import BatchLoop

BATCH_SIZE = 500
"""Images per evaluation step: enough for fast matrix products, few enough for any memory."""


class Metrics(NamedTuple):
    """Results on a set of images.

    Attributes
    ----------
    cost : float
        Mean loss plus the penalty.
    loss : float
        Mean loss.
    accuracy : float
        Fraction of images that are classified correctly, 0 to 1.
    """

    cost: float
    loss: float
    accuracy: float


class DeviceMetrics(NamedTuple):
    """Results on a set of images as arrays on the device, for one net or for K members.

    Attributes
    ----------
    cost, loss : array, shape () or (K,)
    correct : array of int64, shape () or (K,)
        Number of images that are classified correctly.
    images : int
        Number of images.
    """

    cost: Array
    loss: Array
    correct: Array
    images: int


class Trained(NamedTuple):
    """Arrays that all evaluation steps share.

    Attributes
    ----------
    params : array, shape (P,) or (K, P)
    state : dict of arrays
        Running statistics.
    normalization : Normalization
        Applied to the images of every batch.
    """

    params: Array
    state: Arrays
    normalization: Normalization


class Totals(NamedTuple):
    """Sums over all samples so far.

    Attributes
    ----------
    loss : array, shape () or (K,)
    correct : array of int64, shape () or (K,)
        Number of samples that are classified correctly.
    """

    loss: Array
    correct: Array


EvaluationStep = Callable[[Totals, Trained, Batch, None], Totals]
"""``step(totals, trained, batch, None)`` returns the totals with those of the batch."""


def zero_totals(params: Array, labels: Array) -> Totals:
    """Return the totals before the first batch.

    Parameters
    ----------
    params : array, shape (P,) or (K, P)
    labels : array of int64
        Samples are counted in its dtype.

    Returns
    -------
    Totals
    """
    xp = array_namespace(params)
    zeros = partial(xp.zeros, params.shape[:-1], device=device(params))
    return Totals(zeros(dtype=params.dtype), zeros(dtype=labels.dtype))


def evaluation_step(net: Sequential, loss: Loss) -> EvaluationStep:
    """Return a function that adds the results of one batch.

    Parameters
    ----------
    net : Sequential
    loss : callable
        As in `anynet.losses`.

    Returns
    -------
    callable
        ``step(totals, trained, batch, None)`` returns the next `Totals`. Batch normalization uses the running
        statistics, and no layer draws random numbers.
    """

    def step(totals: Totals, trained: Trained, batch: Batch, row: None) -> Totals:
        images = trained.normalization(batch.x)
        logits, _, _ = net.forward(trained.params, trained.state, images, train=False)
        with validated():
            value, _ = loss(logits, batch.y)
            right = correct(logits, batch.y)
        return Totals(totals.loss + value * images.shape[0], totals.correct + right)

    return step


class Evaluator:
    """Evaluation of one net, or of K members, on sets of images.

    Parameters
    ----------
    net : Sequential
    loop : BatchLoop
        Runs an `evaluation_step` of the net.
    backend : Backend
    normalization : Normalization
        Applied to the images.
    l2 : array, shape () or (K,), or None
        Factor of the penalty.
    """

    def __init__(
        self, net: Sequential, loop: BatchLoop, backend: Backend, normalization: Normalization, l2: Array | None
    ) -> None:
        self._to_host = backend.to_host
        self._penalty = backend.compile(partial(l2_cost, net.layout))
        self._stack = backend.compile(_stack)
        self._loop = loop
        self._normalization = normalization
        self._l2 = l2

    def __call__(self, params: Array, state: Arrays, loader: Loader, epoch: int | None = None) -> DeviceMetrics:
        """Evaluate on all images of a loader, without waiting for the device.

        Parameters
        ----------
        params : array, shape (P,) or (K, P)
        state : dict of arrays
        loader : Loader
        epoch : int, optional
            Number of evaluations on these images before; see `BatchLoop`.

        Returns
        -------
        DeviceMetrics
        """
        zero, trained = zero_totals(params, loader.y), Trained(params, state, self._normalization)
        total = self._loop(zero, trained, loader.in_order(BATCH_SIZE), None, epoch=epoch)
        loss = total.loss / len(loader)
        cost = loss if self._l2 is None else loss + self._penalty(params, self._l2)
        return DeviceMetrics(cost, loss, total.correct, len(loader))

    def read(
        self, results: Sequence[DeviceMetrics], *more: Array
    ) -> tuple[list[list[Metrics]], list[NDArray[np.floating]]]:
        """Copy results to the host in a single transfer.

        This is the only place where training reads numbers back from the device, and each transfer waits for it.

        Parameters
        ----------
        results : sequence of DeviceMetrics
        *more : array, shape () or (K,)
            Other arrays to copy with them.

        Returns
        -------
        metrics : list of list of Metrics
            For each of the `results` one `Metrics`, or one for each of K members.
        more : list of ndarray, shape (1,) or (K,)
        """
        arrays = [*(array for result in results for array in (result.cost, result.loss, result.correct)), *more]
        hosts = np.reshape(self._to_host(self._stack(arrays)), (len(arrays), -1))
        metrics = [
            [Metrics(cost, loss, right / result.images) for cost, loss, right in hosts[3 * i : 3 * i + 3].T.tolist()]
            for i, result in enumerate(results)
        ]
        return metrics, list(hosts[3 * len(results) :])


def _stack(arrays: list[Array]) -> Array:
    """Return one array of the first one's dtype: in float32, counts of images are exact up to 2^24."""
    xp = array_namespace(*arrays)
    return xp.stack([xp.astype(array, arrays[0].dtype) for array in arrays])
