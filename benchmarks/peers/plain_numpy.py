"""Plain NumPy, written from the formulas; in float64 the reference for all peers."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import SEED, Data, Parameters
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.workloads import Workload

BETA1, BETA2 = 0.9, 0.999


class Cache(NamedTuple):
    """Arrays of a layer's forward pass: its input, and for hidden layers what the backward pass needs of the rest."""

    x: NDArray[Any]
    x_hat: NDArray[Any] | None = None
    inv_std: NDArray[Any] | None = None
    slope: NDArray[Any] | None = None
    scale: NDArray[Any] | None = None


class PlainNumpy(Peer):
    """Plain NumPy in the dtype of the data's parameters."""

    def __init__(self, workload: Workload, data: Data) -> None:
        if workload.layers:
            raise LeftOutError("plain NumPy has no convolution")
        self.workload, self.data = workload, data
        self.layers = [dict(layer) for layer in data.parameters]
        self.first = [{name: np.zeros_like(p) for name, p in layer.items()} for layer in self.layers]
        self.second = [{name: np.zeros_like(p) for name, p in layer.items()} for layer in self.layers]
        self.t, self.rng = 0, np.random.default_rng(SEED)

    def train(self, order: NDArray[np.int64]) -> None:
        for start in range(0, len(order), self.workload.batch_size):
            index = order[start : start + self.workload.batch_size]
            self.update(self.gradients(self.data.x[index], self.data.y[index]))

    def parameters(self) -> Parameters:
        return self.layers

    def forward(self, images: NDArray[np.uint8], *, train: bool = False) -> tuple[NDArray[Any], list[Cache]]:
        """Return the logits and a cache per hidden layer."""
        x, axis = images * self.data.scale + self.data.shift, 0 if self.workload.batch_norm else 1
        caches: list[Cache] = []
        for i, layer in enumerate(self.layers[:-1]):
            s, x_hat, inv_std, scale = x @ layer["W"] + layer["b"], None, None, None
            if self.workload.normalized:
                inv_std = 1 / np.sqrt(s.var(axis=axis, keepdims=True) + 1e-5)
                x_hat = (s - s.mean(axis=axis, keepdims=True)) * inv_std
                s = layer["gamma"] * x_hat + layer["beta"]
            h, slope = self._activated(s)
            h = x + h if self.workload.is_residual(i) else h
            if train and self.workload.dropout:
                kept = 1 - self.workload.dropout
                scale = (self.rng.random(h.shape, np.float32) < kept) * h.dtype.type(1 / kept)
                h = h * scale
            caches.append(Cache(x, x_hat, inv_std, slope, scale))
            x = h
        return x @ self.layers[-1]["W"] + self.layers[-1]["b"], [*caches, Cache(x)]

    def gradients(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Parameters:
        """Return the gradients of mean cross-entropy plus penalty."""
        logits, caches = self.forward(images, train=True)
        N, axis = len(labels), 0 if self.workload.batch_norm else 1
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(N), labels] -= 1
        d, grads = p / N, []
        for i in reversed(range(len(self.layers))):
            layer, (x, x_hat, inv_std, slope, scale) = self.layers[i], caches[i]
            grad, skipped = {}, None
            d = d if scale is None else d * scale
            if slope is not None:
                skipped, d = d if self.workload.is_residual(i) else None, d * slope
            if x_hat is not None:
                grad["gamma"], grad["beta"] = (d * x_hat).sum(axis=0), d.sum(axis=0)
                g = layer["gamma"] * d
                projected = x_hat * (g * x_hat).mean(axis=axis, keepdims=True)
                d = inv_std * (g - g.mean(axis=axis, keepdims=True) - projected)
            grad["W"], grad["b"] = x.T @ d, d.sum(axis=0)
            if self.workload.l2:
                grad["W"] += 2 * self.workload.l2 * layer["W"]
            if i:
                d = d @ layer["W"].T
                d = d if skipped is None else d + skipped
            grads.append(grad)
        return grads[::-1]

    def _activated(self, s: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the activation and its derivative."""
        if self.workload.activation == "relu":
            h = np.maximum(s, 0)
            return h, h > 0
        if self.workload.activation == "sigmoid":
            h = 1 / (1 + np.exp(-s))
            return h, h * (1 - h)
        a = math.sqrt(2 / math.pi)
        tanh = np.tanh(a * (s + 0.044715 * s**3))
        return 0.5 * s * (1 + tanh), 0.5 * (1 + tanh) + 0.5 * a * s * (1 - tanh**2) * (1 + 3 * 0.044715 * s**2)

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
