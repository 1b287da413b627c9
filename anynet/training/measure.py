"""Cost, loss and accuracy of a net on a set of images."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.typing import Array, Arrays
from anynet.data.loader import Loader
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.nn.l2 import l2_cost
from anynet.training.loop import BatchLoop
from anynet.training.step import Trained, no_totals

BATCH = 500
"""Images measured at once: enough for fast products, few enough for any memory."""


class Measured(NamedTuple):
    """The mean loss, the loss with the penalty, and the share of images whose class is found."""

    cost: float
    loss: float
    accuracy: float


class Sums(NamedTuple):
    """What was measured of each net, arrays of shape (...) that are still on the device; images: of how many."""

    cost: Array
    loss: Array
    correct: Array
    images: int


class Measure:
    """``measure(params, state, loader)``: by the running statistics, where there is batch normalisation.

    evaluate: takes ``evaluation_step`` on batch after batch.

    ``read`` is the one place where training reads numbers back from the device: each reading waits for it.
    """

    def __init__(
        self, net: Sequential, evaluate: BatchLoop, backend: Backend, normalization: Normalization, l2: Array | None
    ) -> None:
        self._to_host = backend.to_host
        self._penalty = backend.compile(partial(l2_cost, net.layout))
        self._together = backend.compile(_together)
        self._evaluate = evaluate
        self._normalization = normalization
        self._l2 = l2

    def __call__(self, params: Array, state: Arrays, loader: Loader) -> Sums:
        start = no_totals(params, loader.labels)
        total = self._evaluate(start, Trained(params, state, self._normalization), loader.in_order(BATCH), None)
        loss = total.loss / len(loader)
        cost = loss if self._l2 is None else loss + self._penalty(params, self._l2)
        return Sums(cost, loss, total.correct, len(loader))

    def read(self, measured: Sequence[Sums], *more: Array) -> tuple[list[list[Measured]], list[NDArray[np.floating]]]:
        """What was measured, all at once, together with more arrays of shape (...).

        Returns a list of ``Measured`` for each of the ``measured``, of one net or, for K members, of K; and the others,
        shape (1,) or (K,).
        """
        arrays = [*(array for sums in measured for array in (sums.cost, sums.loss, sums.correct)), *more]
        hosts = np.reshape(self._to_host(self._together(arrays)), (len(arrays), -1))
        found = [
            [Measured(cost, loss, correct / sums.images) for cost, loss, correct in hosts[3 * i : 3 * i + 3].T.tolist()]
            for i, sums in enumerate(measured)
        ]
        return found, list(hosts[3 * len(measured) :])


def _together(arrays: list[Array]) -> Array:
    """In one array, of the first one's dtype: in float32, counts of images are exact up to 2^24."""
    xp = array_namespace(*arrays)
    return xp.stack([xp.astype(array, arrays[0].dtype) for array in arrays])
