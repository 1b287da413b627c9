"""Training data shared by all peers: images, labels, normalization and initial parameters from one seed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from benchmarks.workloads import CLASSES, PIXELS, Workload

SEED = 1

Parameters = list[dict[str, NDArray[Any]]]
"""Parameters of each layer, input first: W of shape (n_in, n_out), b (n_out,); with normalization gamma, beta."""


@dataclass(frozen=True)
class Data:
    """Random data of CIFAR-10's shape, and initial parameters.

    Attributes
    ----------
    x : array of uint8, shape (N, 3072)
    y : array of int64, shape (N,)
    scale, shift : array of float32, shape (3072,)
        A pixel is normalized to ``pixel * scale + shift``.
    parameters : list of dict
        Initial parameters, float32.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    scale: NDArray[Any]
    shift: NDArray[Any]
    parameters: Parameters

    @classmethod
    def draw(cls, workload: Workload) -> Self:
        """Draw the data of a workload: the same in every process."""
        rng = np.random.default_rng(SEED)
        images = rng.integers(0, 256, (workload.images, PIXELS), np.uint8)
        labels = rng.integers(0, CLASSES, workload.images)
        sample = images[:1000].astype(np.float64)
        mean, deviation = sample.mean(axis=0), sample.std(axis=0)
        return cls(images, labels, 1 / deviation, -mean / deviation, _parameters(workload, rng)).astype(np.float32)

    def astype(self, dtype: DTypeLike) -> Self:
        """Return a copy with normalization and parameters cast to `dtype`."""
        layers = [{name: array.astype(dtype) for name, array in layer.items()} for layer in self.parameters]
        return type(self)(self.x, self.y, self.scale.astype(dtype), self.shift.astype(dtype), layers)


def flat(parameters: Parameters) -> list[NDArray[Any]]:
    """Return all arrays in order: W, b, gamma, beta of the first layer, and so on."""
    return [array for layer in parameters for array in layer.values()]


def like(parameters: Parameters, arrays: Iterable[NDArray[Any]]) -> Parameters:
    """Return `arrays`, in the order of `flat`, with the names and layers of `parameters`."""
    left = iter(arrays)
    return [{name: next(left) for name in layer} for layer in parameters]


def _parameters(workload: Workload, rng: np.random.Generator) -> Parameters:
    """Draw parameters away from 0 and 1, so that a peer that omits one has a different loss."""
    layers = []
    for i, n_in in enumerate(workload.widths[:-1]):
        n_out = workload.widths[i + 1]
        layer = {
            "W": rng.normal(0, math.sqrt(2 / n_in), (n_in, n_out)),
            "b": rng.normal(0, 0.5, n_out),
        }
        if workload.normalized and i < len(workload.hidden):
            layer |= {"gamma": rng.normal(1, 0.1, n_out), "beta": rng.normal(0, 0.1, n_out)}
        layers.append(layer)
    return layers
