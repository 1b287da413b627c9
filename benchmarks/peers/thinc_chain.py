"""thinc's layers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from thinc.api import SGD, Adam, CategoricalCrossentropy, NumpyOps, Relu, Sigmoid, Softmax, chain, set_current_ops

from benchmarks.data import Data, Parameters
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.workloads import CLASSES, Workload

Updated = tuple[NDArray[Any], NDArray[Any]]
"""Parameter and gradient."""


class ThincChain(Peer):
    """A chain of layers; the optimizer is called once per parameter."""

    def __init__(self, workload: Workload, data: Data) -> None:
        if workload.layers:
            raise LeftOutError("thinc has no convolution of images")
        if workload.batch_norm:
            raise LeftOutError("thinc has no batch normalization")
        if workload.activation == "gelu":
            raise LeftOutError("thinc has no GELU with tanh")
        if workload.momentum:
            raise LeftOutError("thinc's SGD has no momentum")
        set_current_ops(NumpyOps(use_blis=False))  # BLIS has one thread and is slower
        self.workload, self.data = workload, data
        kind = Relu if workload.activation == "relu" else Sigmoid
        hidden = [kind(n_out, n_in) for n_in, n_out in zip(workload.widths, workload.hidden, strict=False)]
        self.layers = [*hidden, Softmax(CLASSES, workload.widths[-2])]
        for layer, start in zip(self.layers, data.parameters, strict=True):
            layer.set_param("W", np.ascontiguousarray(start["W"].T))
            layer.set_param("b", start["b"].copy())
        self.model = chain(*self.layers) if hidden else self.layers[0]
        self.loss = CategoricalCrossentropy()
        settings = {"L2_is_weight_decay": False, "use_averages": False, "grad_clip": 0.0}
        kind = Adam if workload.optimizer == "adam" else SGD
        self.optimizers = {
            "W": kind(workload.lr, L2=2 * workload.l2, **settings),
            "b": kind(workload.lr, L2=0.0, **settings),
        }

    def train(self, order: NDArray[np.int64]) -> None:
        for start in range(0, len(order), self.workload.batch_size):
            index = order[start : start + self.workload.batch_size]
            x = self.data.x[index] * self.data.scale
            x += self.data.shift
            probabilities, backprop = self.model.begin_update(x)
            backprop(self.loss.get_grad(probabilities, self.data.y[index]))
            self.model.finish_update(self._update)

    def parameters(self) -> Parameters:
        return [{"W": layer.get_param("W").T.copy(), "b": layer.get_param("b").copy()} for layer in self.layers]

    def _update(
        self, key: tuple[int, str], parameter: NDArray[Any], gradient: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Update a parameter: weights with the penalty, biases without."""
        updated: Updated = self.optimizers[key[1]](key, parameter, gradient)
        return updated
