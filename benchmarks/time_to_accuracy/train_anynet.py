"""Training by anynet."""

from collections.abc import Iterator
from typing import cast

import anynet as an
from anynet.data.loader import Loader
from benchmarks.time_to_accuracy.recipes import Recipe
from benchmarks.time_to_accuracy.source import HELD_OUT, Source


def train(recipe: Recipe, source: Source, seed: int, backend: str) -> Iterator[tuple[float, float]]:
    """Train, and yield the number of epochs and the accuracy after each part of an epoch."""
    data = an.data.cifar10(source.folder, train=source.train, val="test_batch" if source.test else HELD_OUT)
    schedule = an.schedules.Cosine(recipe.lr, recipe.epochs)
    ready = an.setup(
        _net(recipe),
        data,
        an.Adam(schedule) if recipe.optimizer == "adam" else an.SGD(schedule, momentum=0.9),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        backend=backend,
        normalize="standardize:channel",
        flip=recipe.flip,
        drop_last=True,
    )
    carry, steps, measured = ready.carry, recipe.steps(source.train), cast(Loader, ready.inputs.val)
    for epoch in range(recipe.epochs):
        batches, rates = ready.batches(epoch), ready.rates(epoch)
        for start, stop in recipe.parts(source.train):
            carry = ready.loop(carry, ready.fixed, batches.part(start, stop), rates[start:stop])
            params, state = carry.weights
            [[metrics]], _ = ready.evaluate.read([ready.evaluate(params, state, measured)])
            yield epoch + stop / steps, cast(float, metrics.accuracy)


def _net(recipe: Recipe) -> an.Sequential:
    layers: list[an.Layer] = []
    for width in recipe.hidden:
        layers += [an.Linear(width), *([an.BatchNorm()] if recipe.batch_norm else []), an.ReLU()]
        layers += [an.Dropout(recipe.dropout)] if recipe.dropout else []
    return an.Sequential(*layers, an.Linear(10), input_shape=(3, 32, 32))
