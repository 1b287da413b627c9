"""scikit-learn's MLPClassifier."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from benchmarks.data import Data, Parameters
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.workloads import CLASSES, Workload

BATCHES_PER_CALL = 10
"""Batches per call of ``partial_fit``: few calls, and the normalized copy fits in the cache."""


class SklearnMLP(Peer):
    """``partial_fit`` without shuffling.

    scikit-learn's penalty is α / (2 N) Σ W² for a batch of N images; a workload's is λ Σ W².
    """

    def __init__(self, workload: Workload, data: Data) -> None:
        if workload.layers:
            raise LeftOutError("scikit-learn has no convolution")
        if workload.batch_norm:
            raise LeftOutError("scikit-learn has no batch normalization")
        if workload.activation == "gelu":
            raise LeftOutError("scikit-learn has no GELU with tanh")
        self.workload, self.data = workload, data
        self.model = MLPClassifier(
            workload.hidden,
            activation={"relu": "relu", "sigmoid": "logistic"}[workload.activation],
            solver=workload.optimizer,
            alpha=2 * workload.l2 * workload.batch_size,
            batch_size=workload.batch_size,
            learning_rate_init=workload.lr,
            momentum=workload.momentum,
            nesterovs_momentum=False,
            shuffle=False,
        )
        # The first call allocates the arrays; the optimizer it creates has made a step and is discarded.
        first = np.arange(workload.batch_size)
        self.model.partial_fit(self._normalized(first), data.y[first], classes=np.arange(CLASSES))
        del self.model._optimizer
        self.model.coefs_ = [layer["W"].copy() for layer in data.parameters]
        self.model.intercepts_ = [layer["b"].copy() for layer in data.parameters]

    def train(self, order: NDArray[np.int64]) -> None:
        for start in range(0, len(order), BATCHES_PER_CALL * self.workload.batch_size):
            index = order[start : start + BATCHES_PER_CALL * self.workload.batch_size]
            self.model.partial_fit(self._normalized(index), self.data.y[index])

    def parameters(self) -> Parameters:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [{"W": W.copy(), "b": b.copy()} for W, b in pairs]

    def _normalized(self, index: NDArray[np.int64]) -> NDArray[Any]:
        x: NDArray[Any] = self.data.x[index] * self.data.scale
        x += self.data.shift
        return x
