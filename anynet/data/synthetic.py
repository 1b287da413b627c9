"""Drawn pictures in the format of CIFAR-10, for a first try without a download: ten shapes to be told apart.

A picture shows one shape, at a random place, of random size, somewhat turned, lighter or darker than the ground it
lies on, in random colours, under uneven light and with noise. Two tendencies keep the task graded, by giving a linear
classifier something to hold on to: each class loosely keeps to a hue, and most shapes are lighter than their ground.
All else has to be seen from the form.
"""

from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.data.dataset import IMAGE_SHAPE, Batches

Floats = NDArray[np.floating]
"""All float32; NumPy's type annotations lose track of the precision."""

CHUNK = 1000
"""Pictures drawn at a time, so that the temporary arrays stay below 100 MB."""


def _radius(x: Floats, y: Floats) -> Floats:
    return np.sqrt(x * x + y * y)  # np.hypot guards against overflow, at several times the cost


def _star(x: Floats, y: Floats) -> Floats:
    turn = np.arctan2(x, -y) * (5 / (2 * np.pi))  # one unit from tip to tip, zero straight up
    angle = np.abs(turn - np.rint(turn)) * (2 * np.pi / 5)  # from the nearest tip: folds the ten edges into one
    return _radius(x, y) * np.cos(angle - 1.18) - 0.38


SHAPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "disc": lambda x, y: _radius(x, y) - 0.9,
    "ring": lambda x, y: np.abs(_radius(x, y) - 0.75) - 0.2,
    "square": lambda x, y: np.maximum(np.abs(x), np.abs(y)) - 0.8,
    "triangle": lambda x, y: np.maximum(0.87 * np.abs(x) - 0.5 * y, y) - 0.5,
    "star": _star,
    "cross": lambda x, y: np.maximum(np.maximum(np.abs(x), np.abs(y)) - 0.95, np.minimum(np.abs(x), np.abs(y)) - 0.3),
    "crescent": lambda x, y: np.maximum(_radius(x, y) - 1, 0.8 - _radius(x - 0.5, y)),
    "checkerboard": lambda x, y: 0.4 * np.sin(4 * x) * np.sin(4 * y),
    "horizontal stripes": lambda x, y: 0.2 * np.sin(5 * y),
    "vertical stripes": lambda x, y: 0.2 * np.sin(5 * x),
}
"""From coordinates, x to the right and y down, to roughly the distance from the outline, negative inside. The first
seven reach about 1 from the centre, the patterns fill the plane."""

CLASSES = tuple(SHAPES)


def draw(seed: int = 0, per_batch: int = 10_000) -> Batches:
    """Five training batches and a test batch, of ``per_batch`` pictures each, the classes in equal shares.

    seed: 0 to 2⁶⁴ - 1. Each batch has a Philox stream of its own, with the key (``seed``, number of the batch), and
    nothing else is random. Between machines a pixel may differ by one, as sines are not rounded alike everywhere.
    """
    sizes = dict.fromkeys([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"], per_batch)
    n = sum(sizes.values())
    images, labels = np.empty((n, prod(IMAGE_SHAPE)), np.uint8), np.empty(n, np.int64)
    batches = Batches(images, labels, sizes, CLASSES, official=False)
    for number, part in enumerate(batches.splits.values()):
        rng = generator(seed, Purpose.DRAWING, number)
        part.labels[...] = rng.permutation(np.arange(per_batch) % len(CLASSES))
        for start in range(0, per_batch, CHUNK):
            chunk = slice(start, start + CHUNK)
            part.images[chunk] = _draw(part.labels[chunk], rng)
    return batches


def _draw(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures for N labels, shape (N, 3072). What is drawn from ``rng`` has shape (N, 1), save for the noise."""

    def uniform(low: float, high: float) -> Floats:
        return low + (high - low) * rng.random((len(labels), 1), dtype=np.float32)

    _, height, width = IMAGE_SHAPE
    rows, columns = np.indices((height, width), dtype=np.float32).reshape(2, 1, -1)
    rows, columns = rows - (height - 1) / 2, columns - (width - 1) / 2

    across, down = columns - uniform(-5, 5), rows - uniform(-5, 5)
    size, angle = uniform(5, 14), uniform(-0.6, 0.6)  # turned further, one kind of stripes would pass into the other
    x = (np.cos(angle) * across + np.sin(angle) * down) / size
    y = (np.cos(angle) * down - np.sin(angle) * across) / size
    distance = np.empty_like(x)
    for number, shape in enumerate(SHAPES.values()):
        chosen = labels == number
        distance[chosen] = shape(x[chosen], y[chosen])
    cover = np.clip(0.5 - size * distance, 0, 1)  # 0 on the ground, 1 on the shape, between them within a pixel
    light = (uniform(-0.12, 0.12) * columns + uniform(-0.12, 0.12) * rows) / (width / 2)

    middle, contrast = uniform(0.4, 0.6), uniform(0.1, 0.25)
    contrast = np.where(uniform(0, 1) < 0.65, contrast, -contrast)
    favourite = labels[:, None].astype(np.float32) / len(CLASSES)
    hue = favourite + 0.11 * rng.standard_normal(favourite.shape, dtype=np.float32)
    shape_colour = middle + contrast + uniform(0.12, 0.3) * _tint(hue)
    ground_colour = middle - contrast + uniform(0.12, 0.3) * _tint(uniform(0, 1))

    pictures = 0.07 * rng.standard_normal((len(labels), *IMAGE_SHAPE), dtype=np.float32).reshape(len(labels), 3, -1)
    pictures += ground_colour[:, :, None] + (shape_colour - ground_colour)[:, :, None] * cover[:, None]
    pictures += light[:, None]
    return np.clip(255 * pictures, 0, 255).astype(np.uint8).reshape(len(labels), -1)


def _tint(hue: Floats) -> Floats:
    """What to add to grey for hues of shape (N, 1), red at 0, green at 1/3, blue at 2/3 and so round: shape (N, 3).

    The three sum to zero, so that no hue is brighter than another.
    """
    return np.cos(2 * np.pi * (hue - np.array([0, 1 / 3, 2 / 3], dtype=np.float32)))
