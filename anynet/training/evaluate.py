"""Cost, loss and accuracy of a net on a set of samples."""

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend, Tick
from anynet.core.ranks import Ranks
from anynet.core.tree import flatten
from anynet.core.typing import Array, Arrays
from anynet.data.loader import Loader
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.nn.l2 import l2_cost
from anynet.training.batch_loop import BatchLoop
from anynet.training.evaluation_step import Trained, zero_totals
from anynet.training.rank_ending import confirming

BATCH_SIZE = 500
"""Samples per evaluation step: enough for fast matrix products, few enough for any memory."""


class Metrics(NamedTuple):
    """Results on a set of samples.

    Attributes
    ----------
    cost : float
        Mean loss plus the penalty.
    loss : float
        Mean loss, weighted if the samples have weights.
    accuracy : float or None
        Fraction of samples that are classified correctly, 0 to 1; None if targets are numbers.
    """

    cost: float
    loss: float
    accuracy: float | None


class DeviceMetrics(NamedTuple):
    """Results on a set of samples as arrays on the device, for one net or for K members.

    Attributes
    ----------
    cost, loss : array, shape () or (K,)
    correct : array of int64, shape () or (K,), or None
        Number of samples that are classified correctly; None if targets are numbers.
    samples : int
        Number of samples.
    """

    cost: Array
    loss: Array
    correct: Array | None
    samples: int


class Evaluator:
    """Evaluation of one net, or of K members, on sets of samples.

    Parameters
    ----------
    net : Sequential
    loop : BatchLoop
        Runs an `evaluation_step` of the net.
    backend : Backend
    normalization : Normalization
        Applied to the samples.
    l2 : array, shape () or (K,), or None
        Factor of the penalty.
    ranks : Ranks, optional
        Processes that evaluate a part of the samples each.
    """

    def __init__(
        self,
        net: Sequential,
        loop: BatchLoop,
        backend: Backend,
        normalization: Normalization,
        l2: Array | None,
        ranks: Ranks | None = None,
    ) -> None:
        self._to_host = backend.to_host
        self._penalty = backend.compile(partial(l2_cost, net.layout))
        self._stack, self._size = backend.compile(_stack), backend.compile(_size)
        self._loop = loop
        self._normalization = normalization
        self._l2, self._ranks = l2, ranks

    def __call__(
        self,
        params: Array,
        state: Arrays,
        loader: Loader,
        epoch: int | None = None,
        tick: Tick = lambda n: None,
    ) -> DeviceMetrics:
        """Evaluate on all samples of a loader, without waiting for the device.

        Parameters
        ----------
        params : array, shape (P,) or (K, P)
        state : dict of arrays
        loader : Loader
        epoch : int, optional
            Number of evaluations on these samples before; see `BatchLoop`.
        tick : callable, optional
            Called with the number of samples done since its last call; that of the last batch may be too large.

        Returns
        -------
        DeviceMetrics
        """
        zero = zero_totals(params, loader.y, loader.weights)
        trained = Trained(params, state, self._normalization)
        batches = loader.in_order(BATCH_SIZE, self._own(len(loader)))
        total = self._loop(zero, trained, batches, None, lambda steps: tick(steps * BATCH_SIZE), epoch=epoch)
        if self._ranks is not None:
            leaves, rebuild = flatten(total)
            total = rebuild([self._ranks.sum(part) for part in leaves])
        loss = total.loss / (len(loader) if total.weight is None else total.weight)
        cost = loss if self._l2 is None else loss + self._penalty(params, self._l2)
        return DeviceMetrics(cost, loss, total.correct, len(loader))

    def alone(self) -> "Evaluator":
        """Return an evaluator that does without the other ranks."""
        other = copy(self)
        other._ranks = None
        return other

    def _own(self, samples: int) -> slice:
        """Return the place of the samples that this rank evaluates."""
        ranks = self._ranks
        if ranks is None:
            return slice(None)
        return slice(samples * ranks.rank // ranks.size, samples * (ranks.rank + 1) // ranks.size)

    def size(self, params: Array, state: Arrays) -> Array:
        """Return the sum of squared parameters and of running statistics: not finite if one is not, or is huge.

        Parameters
        ----------
        params : array, shape (P,) or (K, P)
        state : dict of arrays

        Returns
        -------
        array, shape () or (K,)
        """
        return self._size(params, state)

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
        rows = [(r.cost, r.loss) if r.correct is None else (r.cost, r.loss, r.correct) for r in results]
        arrays = [*(array for row in rows for array in row), *more]
        with confirming(self._ranks):
            hosts = np.reshape(self._to_host(self._stack(arrays)), (len(arrays), -1))
        metrics, start = [], 0
        for result, row in zip(results, rows, strict=True):
            numbers = hosts[start : start + len(row)].T.tolist()
            metrics.append([_metrics(*each, samples=result.samples) for each in numbers])
            start += len(row)
        return metrics, list(hosts[start:])


def _metrics(cost: float, loss: float, right: float | None = None, *, samples: int) -> Metrics:
    return Metrics(cost, loss, None if right is None else right / samples)


def _size(params: Array, state: Arrays) -> Array:
    xp = array_namespace(params)
    total = xp.sum(params * params, axis=-1)
    for array in state.values():
        total = total + xp.sum(xp.reshape(xp.astype(array, params.dtype), (*params.shape[:-1], -1)), axis=-1)
    return total


def _stack(arrays: list[Array]) -> Array:
    """Return one array of the first one's dtype: in float32, counts of samples are exact up to 2^24."""
    xp = array_namespace(*arrays)
    return xp.stack([xp.astype(array, arrays[0].dtype) for array in arrays])
