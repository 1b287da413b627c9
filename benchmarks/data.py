"""What every peer starts from: the same images, labels, normalisation and weights, drawn by NumPy from one seed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from benchmarks.workloads import CLASSES, PIXELS, Workload

SEED = 1

Parameters = list[dict[str, NDArray]]
"""Of each layer from the input on: W of shape (n_in, n_out), b (n_out,); with batch normalisation gamma, beta too."""


@dataclass(frozen=True)
class Data:
    """A data set of CIFAR-10's shape.

    images: uint8, shape (N, 3072). labels: int64, shape (N,).
    scale, shift: a pixel is normalised to pixel * scale + shift; float32, shape (3072,).
    parameters: where training starts, float32.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    scale: NDArray
    shift: NDArray
    parameters: Parameters

    @classmethod
    def draw(cls, workload: Workload) -> Self:
        """The same for the same workload, in whichever process."""
        rng = np.random.default_rng(SEED)
        images = rng.integers(0, 256, (workload.images, PIXELS), np.uint8)
        labels = rng.integers(0, CLASSES, workload.images)
        sample = images[:1000].astype(np.float64)
        mean, deviation = sample.mean(axis=0), sample.std(axis=0)
        return cls(images, labels, 1 / deviation, -mean / deviation, _parameters(workload, rng)).astype(np.float32)

    def astype(self, dtype: DTypeLike) -> Self:
        """With normalisation and parameters in this dtype."""
        layers = [{name: array.astype(dtype) for name, array in layer.items()} for layer in self.parameters]
        return type(self)(self.images, self.labels, self.scale.astype(dtype), self.shift.astype(dtype), layers)


def flat(parameters: Parameters) -> list[NDArray]:
    """The arrays, one after another: W, b, gamma, beta of the first layer, and so on."""
    return [array for layer in parameters for array in layer.values()]


def like(parameters: Parameters, arrays: Iterable[NDArray]) -> Parameters:
    """The other way round: these arrays, named and grouped as in ``parameters``."""
    left = iter(arrays)
    return [{name: next(left) for name in layer} for layer in parameters]


def _parameters(workload: Workload, rng: np.random.Generator) -> Parameters:
    """Nothing starts at 0 or 1, so that a peer that leaves a parameter out gives another loss."""
    layers = []
    for i, n_in in enumerate(workload.widths[:-1]):
        n_out = workload.widths[i + 1]
        layer = {
            "W": rng.normal(0, math.sqrt(2 / n_in), (n_in, n_out)),
            "b": rng.normal(0, 0.5, n_out),
        }
        if workload.batch_norm and i < len(workload.hidden):
            layer |= {"gamma": rng.normal(1, 0.1, n_out), "beta": rng.normal(0, 0.1, n_out)}
        layers.append(layer)
    return layers
