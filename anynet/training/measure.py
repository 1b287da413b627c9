"""Cost, loss and accuracy of a net on a set of images."""

from functools import partial
from typing import NamedTuple

from anynet.backends import Backend
from anynet.data.loader import Loader
from anynet.data.normalization import Normalization
from anynet.layers import Sequential
from anynet.losses import Loss
from anynet.penalties import l2_cost
from anynet.training.step import Totals, evaluation_step
from anynet.typing import Array, Arrays

BATCH = 1000
"""Images measured at once: enough for fast products, few enough for any memory."""


class Measured(NamedTuple):
    """The mean loss, the loss with the penalty, and the share of images whose class is found."""

    cost: float
    loss: float
    accuracy: float


class Measure:
    """``measure(params, state, loader)``: by the running statistics, where there is batch normalisation.

    This is the one place where training reads numbers back from the device.
    """

    def __init__(
        self, net: Sequential, loss: Loss, backend: Backend, normalization: Normalization, l2: Array | None
    ) -> None:
        self._penalty = backend.compile(partial(l2_cost, net.layout))
        self._evaluate = backend.compile(evaluation_step(net, loss))
        self._normalization = normalization
        self._l2 = l2

    def __call__(self, params: Array, state: Arrays, loader: Loader) -> Measured:
        batches = loader.in_order(BATCH)
        parts = [self._evaluate(params, state, self._normalization, *batch) for batch in batches]
        total = Totals(*(sum(column[1:], start=column[0]) for column in zip(*parts, strict=True)))
        loss = total.loss / len(loader)
        cost = loss if self._l2 is None else loss + self._penalty(params, self._l2)
        return Measured(float(cost), float(loss), float(total.correct) / len(loader))
