"""Cost, loss and accuracy of a net on a set of images."""

from functools import partial
from typing import NamedTuple

import numpy as np

from anynet.backends import Backend
from anynet.data.loader import Loader
from anynet.data.normalization import Normalization
from anynet.layers import Sequential
from anynet.penalties import l2_cost
from anynet.training.loop import BatchLoop
from anynet.training.step import Trained, no_totals
from anynet.typing import Array, Arrays

BATCH = 500
"""Images measured at once: enough for fast products, few enough for any memory."""


class Measured(NamedTuple):
    """The mean loss, the loss with the penalty, and the share of images whose class is found."""

    cost: float
    loss: float
    accuracy: float


class Measure:
    """``measure(params, state, loader)``: by the running statistics, where there is batch normalisation.

    evaluate: takes ``evaluation_step`` on batch after batch.

    Returns a ``Measured`` for each net: a list of one, or, for K members, of K.

    This is the one place where training reads numbers back from the device.
    """

    def __init__(
        self, net: Sequential, evaluate: BatchLoop, backend: Backend, normalization: Normalization, l2: Array | None
    ) -> None:
        self._to_host = backend.to_host
        self._penalty = backend.compile(partial(l2_cost, net.layout))
        self._evaluate = evaluate
        self._normalization = normalization
        self._l2 = l2

    def __call__(self, params: Array, state: Arrays, loader: Loader) -> list[Measured]:
        start = no_totals(params, loader.labels)
        total = self._evaluate(start, Trained(params, state, self._normalization), loader.in_order(BATCH), None)
        loss = total.loss / len(loader)
        cost = loss if self._l2 is None else loss + self._penalty(params, self._l2)
        hosts = (np.reshape(self._to_host(array), -1).tolist() for array in (cost, loss, total.correct))
        return [Measured(cost, loss, correct / len(loader)) for cost, loss, correct in zip(*hosts, strict=True)]
