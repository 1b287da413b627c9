"""Training by Keras's ``fit``, on its JAX backend."""

from collections.abc import Iterator

import jax
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from benchmarks.time_to_accuracy.recipes import Recipe
from benchmarks.time_to_accuracy.source import DEVIATION, MEAN, Source

jax.config.update("jax_platforms", "cpu")

EVALUATED = 1000
"""Images per batch of an evaluation."""


def train(recipe: Recipe, source: Source, seed: int) -> Iterator[tuple[float, float]]:
    """Train, and yield the number of epochs and the accuracy after each part of an epoch."""
    keras.utils.set_random_seed(seed)
    (x, y), (x_other, y_other) = source.read()
    x, x_other = _channels_last(x), _channels_last(x_other)
    model, steps, rng = _model(recipe), recipe.steps(len(y)), np.random.default_rng(seed)
    schedule = keras.optimizers.schedules.CosineDecay(recipe.lr, recipe.epochs * steps)
    model.compile(
        keras.optimizers.Adam(schedule) if recipe.optimizer == "adam" else keras.optimizers.SGD(schedule, 0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
    )
    for epoch in range(recipe.epochs):
        order = rng.permutation(len(y))
        for start, stop in recipe.parts(len(y)):
            index = order[start * recipe.batch_size : stop * recipe.batch_size]
            model.fit(x[index], y[index], batch_size=recipe.batch_size, shuffle=False, verbose=0)
            classes = model.predict(x_other, batch_size=EVALUATED, verbose=0).argmax(1)
            yield epoch + stop / steps, float((classes == y_other).mean())


def _channels_last(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as Keras has them, of shape (N, 32, 32, 3)."""
    return np.ascontiguousarray(x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _model(recipe: Recipe) -> keras.Sequential:
    model = keras.Sequential([keras.Input((32, 32, 3), dtype="uint8")])
    model.add(layers.Normalization(-1, MEAN, [d * d for d in DEVIATION]))
    if recipe.flip:
        model.add(layers.RandomFlip("horizontal"))
    model.add(layers.Flatten())
    for width in recipe.hidden:
        model.add(layers.Dense(width))
        if recipe.batch_norm:
            model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        model.add(layers.ReLU())
        if recipe.dropout:
            model.add(layers.Dropout(recipe.dropout))
    model.add(layers.Dense(10))
    return model
