"""Training data shared by all peers: images, labels, normalization and initial parameters from one seed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from benchmarks import image_nets
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

    @property
    def channels_last(self) -> Self:
        """The same with the colors of a pixel side by side."""
        x, scale, shift = map(image_nets.channels_last, (self.x, self.scale, self.shift))
        return type(self)(x, self.y, scale, shift, self.parameters)

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
    if workload.layers:
        return [_drawn(each.shapes, rng) for each in workload.sized if each.shapes]
    layers = []
    for i, n_in in enumerate(workload.widths[:-1]):
        n_out = workload.widths[i + 1]
        shapes: dict[str, tuple[int, ...]] = {"W": (n_in, n_out), "b": (n_out,)}
        if workload.normalized and i < len(workload.hidden):
            shapes |= {"gamma": (n_out,), "beta": (n_out,)}
        layers.append(_drawn(shapes, rng))
    return layers


def _drawn(shapes: dict[str, tuple[int, ...]], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw the parameters of a layer."""
    means, deviations = {"gamma": 1.0}, {"b": 0.5, "gamma": 0.1, "beta": 0.1}
    return {
        name: rng.normal(means.get(name, 0.0), deviations.get(name) or math.sqrt(2 / math.prod(shape[:-1])), shape)
        for name, shape in shapes.items()
    }
