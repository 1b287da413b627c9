"""Layers with derivatives spoilt on purpose, each of which a check has to find."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from anynet import GELU, BatchNorm, LayerNorm, LeakyReLU, Linear, ReLU, Sigmoid, Tanh
from anynet.nn import Layer

N, FEATURES, SLOPE = 6, 5, 0.1

LAYERS: dict[str, tuple[Layer, bool]] = {
    "Linear": (Linear(FEATURES, FEATURES), True),
    "ReLU": (ReLU(), True),
    "LeakyReLU": (LeakyReLU(SLOPE), True),
    "Sigmoid": (Sigmoid(), True),
    "Tanh": (Tanh(), True),
    "GELU": (GELU("none"), True),
    "LayerNorm": (LayerNorm(FEATURES), True),
    "BatchNorm training": (BatchNorm(FEATURES), True),
    "BatchNorm evaluation": (BatchNorm(FEATURES), False),
}


class Seen(NamedTuple):
    """What a spoilt ``backward`` has before it: its arguments, and the right answer."""

    params: Any
    cache: Any
    dy: Any
    right: Any


@dataclass(frozen=True)
class Spoilt(Layer):
    """A layer with one array's gradient, "input" or a parameter's, replaced."""

    inner: Layer
    array: str
    wrong: Callable[[Seen], Any]

    def features(self):
        return self.inner.features()

    def parameters(self):
        return self.inner.parameters()

    def state(self):
        return self.inner.state()

    def forward(self, params, state, x, *, train):
        return self.inner.forward(params, state, x, train=train)

    def backward(self, params, cache, dy):
        dx, grads = self.inner.backward(params, cache, dy)
        found = grads | {"input": dx}
        found[self.array] = self.wrong(Seen(params, cache, dy, found[self.array]))
        return found.pop("input"), found


EVERYWHERE: dict[str, Callable[[Seen], Any]] = {
    "sign": lambda s: -s.right,
    "factor 2": lambda s: 2 * s.right,
    "factor 1.001": lambda s: 1.001 * s.right,
    "missing": lambda s: 0 * s.right,
    "one sample or feature further": lambda s: np.roll(s.right, 1, axis=0),
}


def _norm(keep_mean: bool, keep_variance: bool) -> Callable[[Seen], Any]:
    """Batch normalization's derivative by its input, with one or both of the statistics taken for constants."""

    def wrong(s: Seen):
        x_hat, inv_std, _ = s.cache
        through_mean = np.mean(s.dy, axis=-2) if keep_mean else 0
        through_variance = x_hat * np.mean(s.dy * x_hat, axis=-2) if keep_variance else 0
        return s.params["gamma"] * inv_std * (s.dy - through_mean - through_variance)

    return wrong


def _layer_norm(keep_mean: bool, keep_variance: bool) -> Callable[[Seen], Any]:
    """The same of layer normalization."""

    def wrong(s: Seen):
        (x_hat, inv_std), g = s.cache, s.params["gamma"] * s.dy
        through_mean = np.mean(g, axis=-1, keepdims=True) if keep_mean else 0
        through_variance = x_hat * np.mean(g * x_hat, axis=-1, keepdims=True) if keep_variance else 0
        return inv_std * (g - through_mean - through_variance)

    return wrong


OWN: dict[tuple[str, str, str], Callable[[Seen], Any]] = {
    ("Linear", "input", "W not transposed"): lambda s: s.dy @ s.params["W"],
    ("Linear", "W", "transposed"): lambda s: s.right.T,
    ("Linear", "W", "mean over the batch"): lambda s: s.right / N,
    ("Linear", "b", "mean over the batch"): lambda s: s.right / N,
    ("Linear", "b", "of the first sample"): lambda s: s.dy[0],
    ("Linear", "b", "summed over features too"): lambda s: np.full(FEATURES, s.dy.sum()),
    ("ReLU", "input", "as if straight"): lambda s: s.dy,
    ("ReLU", "input", "where the gradient is positive"): lambda s: np.maximum(s.dy, 0),
    ("ReLU", "input", "times the output"): lambda s: s.dy * s.cache,
    ("LeakyReLU", "input", "as a ReLU"): lambda s: np.where(s.cache > 0, s.dy, 0),
    ("LeakyReLU", "input", "slope on the wrong side"): lambda s: np.where(s.cache < 0, s.dy, SLOPE * s.dy),
    ("LeakyReLU", "input", "slope everywhere"): lambda s: SLOPE * s.dy,
    ("Sigmoid", "input", "without y"): lambda s: s.dy * (1 - s.cache),
    ("Sigmoid", "input", "without 1 - y"): lambda s: s.dy * s.cache,
    ("Sigmoid", "input", "tanh's"): lambda s: s.dy * (1 - s.cache**2),
    ("Tanh", "input", "without the square"): lambda s: s.dy * (1 - s.cache),
    ("Tanh", "input", "sigmoid's"): lambda s: s.dy * s.cache * (1 - s.cache),
    ("GELU", "input", "the gate alone"): lambda s: s.dy * s.cache[0],
    ("GELU", "input", "the slope alone"): lambda s: s.dy * s.cache[1],
    ("LayerNorm", "input", "without the mean"): _layer_norm(False, True),
    ("LayerNorm", "input", "without the variance"): _layer_norm(True, False),
    ("LayerNorm", "gamma", "of the scaled"): lambda s: s.right * s.params["gamma"],
    ("BatchNorm training", "input", "without the mean"): _norm(False, True),
    ("BatchNorm training", "input", "without the variance"): _norm(True, False),
    ("BatchNorm training", "input", "as in evaluation"): _norm(False, False),
    ("BatchNorm training", "input", "without gamma"): lambda s: s.right / s.params["gamma"],
    ("BatchNorm training", "input", "without the deviation"): lambda s: s.right / s.cache[1],
    ("BatchNorm training", "input", "unbiased variance"): lambda s: s.right * ((N - 1) / N) ** 0.5,
    ("BatchNorm training", "gamma", "of the scaled"): lambda s: s.right * s.params["gamma"],
    ("BatchNorm training", "gamma", "of x not normalized"): lambda s: s.right / s.cache[1],
    ("BatchNorm training", "beta", "mean over the batch"): lambda s: s.right / N,
    ("BatchNorm evaluation", "input", "as in training"): _norm(True, True),
    ("BatchNorm evaluation", "input", "without gamma"): lambda s: s.right / s.params["gamma"],
    ("BatchNorm evaluation", "input", "deviation squared"): lambda s: s.right * s.cache[1],
    ("BatchNorm evaluation", "gamma", "mean over the batch"): lambda s: s.right / N,
    ("BatchNorm evaluation", "beta", "mean over the batch"): lambda s: s.right / N,
}


LAYER_FAULTS: dict[tuple[str, str, str], Callable[[Seen], Any]] = {
    **{
        (name, array, fault): wrong
        for name, (layer, _) in LAYERS.items()
        for array in (*layer.parameters(), "input")
        for fault, wrong in EVERYWHERE.items()
    },
    **OWN,
}
