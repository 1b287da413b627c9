"""Synthetic images in the form of CIFAR-10, for a first try without a download.

An image shows one of ten shapes, at a random position, size and angle, lighter or darker than its background, in random
colors, under uneven light and with noise. Two correlations let a linear classifier do better than chance: the hue of a
shape depends loosely on its class, and most shapes are lighter than their background. Everything else has to be learned
from the shape.
"""

from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.data.dataset import BATCHES, IMAGE_SHAPE, Batches

Floats = NDArray[np.floating]
"""Arrays of float32; NumPy's type annotations do not follow the precision through the operations used here."""

CHUNK = 1000
"""Images drawn at a time, so that temporary arrays take less than 100 MB."""


def _radius(x: Floats, y: Floats) -> Floats:
    return np.sqrt(x * x + y * y)  # np.hypot guards against overflow, at several times the cost


def _star(x: Floats, y: Floats) -> Floats:
    turn = np.arctan2(x, -y) * (5 / (2 * np.pi))  # one unit from tip to tip, zero upwards
    angle = np.abs(turn - np.rint(turn)) * (2 * np.pi / 5)  # from the nearest tip: maps the ten edges to one
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
"""Approximate signed distance from the outline of each shape, negative inside, as a function of coordinates: x to the
right, y down. The first seven shapes have a radius of about 1, the patterns fill the plane."""

CLASSES = tuple(SHAPES)


def draw(seed: int = 0, per_batch: int = 10_000) -> Batches:
    """Draw five training batches and a test batch, with equally frequent classes.

    Parameters
    ----------
    seed : int
        In ``0 .. 2**64 - 1``. Each batch uses a separate random stream with the key (seed, number of the batch).
    per_batch : int
        Number of images in each batch.

    Returns
    -------
    Batches
        Pixels may differ by 1 between machines, because sines are rounded differently.

    Examples
    --------
    >>> draw(seed=0, per_batch=10).x.shape
    (60, 3072)
    """
    sizes = dict.fromkeys(BATCHES, per_batch)
    n = sum(sizes.values())
    images, labels = np.empty((n, prod(IMAGE_SHAPE)), np.uint8), np.empty(n, np.int64)
    batches = Batches(images, labels, sizes, CLASSES, official=False)
    for number, part in enumerate(batches.splits.values()):
        rng = generator(seed, Purpose.DRAWING, number)
        part.y[...] = rng.permutation(np.arange(per_batch) % len(CLASSES))
        for start in range(0, per_batch, CHUNK):
            chunk = slice(start, start + CHUNK)
            part.x[chunk] = _draw(part.y[chunk], rng)
    return batches


def _draw(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw an image for each of N labels, shape (N, 3072). Random numbers have shape (N, 1), noise excepted."""

    def uniform(low: float, high: float) -> Floats:
        return low + (high - low) * rng.random((len(labels), 1), dtype=np.float32)

    _, height, width = IMAGE_SHAPE
    rows, columns = np.indices((height, width), dtype=np.float32).reshape(2, 1, -1)
    rows, columns = rows - (height - 1) / 2, columns - (width - 1) / 2

    across, down = columns - uniform(-5, 5), rows - uniform(-5, 5)
    size, angle = uniform(5, 14), uniform(-0.6, 0.6)  # larger angles would turn one kind of stripes into the other
    x = (np.cos(angle) * across + np.sin(angle) * down) / size
    y = (np.cos(angle) * down - np.sin(angle) * across) / size
    distance = np.empty_like(x)
    for number, shape in enumerate(SHAPES.values()):
        chosen = labels == number
        distance[chosen] = shape(x[chosen], y[chosen])
    cover = np.clip(0.5 - size * distance, 0, 1)  # 0 on the background, 1 on the shape, in between within a pixel
    light = (uniform(-0.12, 0.12) * columns + uniform(-0.12, 0.12) * rows) / (width / 2)

    middle, contrast = uniform(0.4, 0.6), uniform(0.1, 0.25)
    contrast = np.where(uniform(0, 1) < 0.65, contrast, -contrast)
    class_hue = labels[:, None].astype(np.float32) / len(CLASSES)
    hue = class_hue + 0.11 * rng.standard_normal(class_hue.shape, dtype=np.float32)
    shape_color = middle + contrast + uniform(0.12, 0.3) * _tint(hue)
    background_color = middle - contrast + uniform(0.12, 0.3) * _tint(uniform(0, 1))

    images = 0.07 * rng.standard_normal((len(labels), *IMAGE_SHAPE), dtype=np.float32).reshape(len(labels), 3, -1)
    images += background_color[:, :, None] + (shape_color - background_color)[:, :, None] * cover[:, None]
    images += light[:, None]
    pixels: NDArray[np.uint8] = np.clip(255 * images, 0, 255).astype(np.uint8).reshape(len(labels), -1)
    return pixels


def _tint(hue: Floats) -> Floats:
    """Return the red, green and blue that turn gray into hues of shape (N, 1), as shape (N, 3).

    Hues have a period of 1: red is 0, green 1/3, blue 2/3. The three values sum to zero: all hues are equally bright.
    """
    tint: Floats = np.cos(2 * np.pi * (hue - np.array([0, 1 / 3, 2 / 3], dtype=np.float32)))
    return tint
