"""Training by scikit-learn's MLPClassifier."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from benchmarks.time_to_accuracy.recipes import Recipe
from benchmarks.time_to_accuracy.source import DEVIATION, MEAN, Source, per_pixel

BATCHES_PER_CALL = 10
"""Batches per call of ``partial_fit``: few calls, and the normalized copy fits in the cache."""


def train(recipe: Recipe, source: Source, seed: int) -> Iterator[tuple[float, float]]:
    """Train, and yield the number of epochs and the accuracy after each part of an epoch.

    ``partial_fit`` has no schedule, so the optimizer's learning rate is set ahead of each call.
    """
    (x, y), (x_other, y_other) = source.read()
    mean, scale = per_pixel(MEAN), 1 / per_pixel(DEVIATION)

    def normalized(images: NDArray[np.uint8]) -> NDArray[Any]:
        centered: NDArray[Any] = images - mean
        centered *= scale
        return centered

    rng, size, steps = np.random.default_rng(seed), recipe.batch_size, recipe.steps(len(y))
    x_other = normalized(x_other)
    model = MLPClassifier(
        recipe.hidden,
        solver=recipe.optimizer,
        alpha=0,
        batch_size=size,
        learning_rate_init=recipe.lr,
        shuffle=False,
        nesterovs_momentum=False,
        random_state=seed,
    )
    for epoch in range(recipe.epochs):
        order = rng.permutation(len(y))
        for start, stop in recipe.parts(len(y)):
            for step in range(start, stop, BATCHES_PER_CALL):
                index = order[step * size : min(step + BATCHES_PER_CALL, stop) * size]
                if hasattr(model, "_optimizer"):
                    _set_rate(model, recipe.lr * (1 + math.cos(math.pi * (epoch + step / steps) / recipe.epochs)) / 2)
                model.partial_fit(normalized(x[index]), y[index], classes=np.arange(10))
            yield epoch + stop / steps, float((model.predict(x_other) == y_other).mean())


def _set_rate(model: MLPClassifier, rate: float) -> None:
    optimizer = model._optimizer
    optimizer.learning_rate_init = optimizer.learning_rate = rate  # Adam reads the first, SGD the second
