"""Plain NumPy, written from the formulas; in float64 the reference for all peers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data, Parameters
from benchmarks.peers.base import Peer
from benchmarks.workloads import Workload

BETA1, BETA2 = 0.9, 0.999


class PlainNumpy(Peer):
    """Plain NumPy in the dtype of the data's parameters."""

    def __init__(self, workload: Workload, data: Data) -> None:
        self.workload, self.data = workload, data
        self.layers = [dict(layer) for layer in data.parameters]
        self.first = [{name: np.zeros_like(p) for name, p in layer.items()} for layer in self.layers]
        self.second = [{name: np.zeros_like(p) for name, p in layer.items()} for layer in self.layers]
        self.t = 0

    def train(self, order: NDArray[np.int64]) -> None:
        for start in range(0, len(order), self.workload.batch_size):
            index = order[start : start + self.workload.batch_size]
            self.update(self.gradients(self.data.x[index], self.data.y[index]))

    def parameters(self) -> Parameters:
        return self.layers

    def forward(self, images: NDArray[np.uint8]) -> tuple[NDArray[Any], list[tuple[Any, ...]]]:
        """Return the logits and a cache per layer: input and, for hidden layers, x_hat, 1 / std and output."""
        x = images * self.data.scale + self.data.shift
        caches: list[tuple[Any, ...]] = []
        for layer in self.layers[:-1]:
            s, x_hat, inv_std = x @ layer["W"] + layer["b"], None, None
            if self.workload.batch_norm:
                inv_std = 1 / np.sqrt(s.var(axis=0) + 1e-5)
                x_hat = (s - s.mean(axis=0)) * inv_std
                s = layer["gamma"] * x_hat + layer["beta"]
            h = np.maximum(s, 0) if self.workload.activation == "relu" else 1 / (1 + np.exp(-s))
            caches.append((x, x_hat, inv_std, h))
            x = h
        return x @ self.layers[-1]["W"] + self.layers[-1]["b"], [*caches, (x, None, None, None)]

    def gradients(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Parameters:
        """Return the gradients of mean cross-entropy plus penalty."""
        logits, caches = self.forward(images)
        N = len(labels)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(N), labels] -= 1
        d, grads = p / N, []
        for layer, (x, x_hat, inv_std, h) in zip(reversed(self.layers), reversed(caches), strict=True):
            grad = {}
            if h is not None:
                d = d * (h > 0) if self.workload.activation == "relu" else d * h * (1 - h)
            if x_hat is not None:
                grad["gamma"], grad["beta"] = (d * x_hat).sum(axis=0), d.sum(axis=0)
                d = layer["gamma"] * inv_std * (d - (grad["beta"] + x_hat * grad["gamma"]) / N)
            grad["W"], grad["b"] = x.T @ d, d.sum(axis=0)
            if self.workload.l2:
                grad["W"] += 2 * self.workload.l2 * layer["W"]
            if layer is not self.layers[0]:
                d = d @ layer["W"].T
            grads.append(grad)
        return grads[::-1]

    def update(self, grads: Parameters) -> None:
        """Update the parameters by one step of SGD or Adam."""
        self.t += 1
        lr, momentum = self.workload.lr, self.workload.momentum
        for layer, grad, first, second in zip(self.layers, grads, self.first, self.second, strict=True):
            for name, g in grad.items():
                if self.workload.optimizer == "adam":
                    first[name] = BETA1 * first[name] + (1 - BETA1) * g
                    second[name] = BETA2 * second[name] + (1 - BETA2) * g**2
                    m_hat, v_hat = first[name] / (1 - BETA1**self.t), second[name] / (1 - BETA2**self.t)
                    layer[name] = layer[name] - lr * m_hat / (np.sqrt(v_hat) + 1e-8)
                elif momentum:
                    first[name] = momentum * first[name] + g
                    layer[name] = layer[name] - lr * first[name]
                else:
                    layer[name] = layer[name] - lr * g
