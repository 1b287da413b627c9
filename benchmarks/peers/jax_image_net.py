"""Convolutional nets in JAX, with channels last."""

from collections.abc import Iterator

import jax
from jax import Array

from benchmarks.image_nets import SHAPE, Activation, Conv, Dense, Norm, Part, Pool, Skip


def logits(layers: tuple[Part, ...], params: list[dict[str, Array]], x: Array) -> Array:
    """Return the logits for values of images with the colors of a pixel side by side."""
    channels, rows, columns = SHAPE
    return _run(layers, iter(params), x.reshape(-1, rows, columns, channels))


def _run(layers: tuple[Part, ...], params: Iterator[dict[str, Array]], x: Array) -> Array:
    for layer in layers:
        match layer:
            case Conv(_, _, padding):
                x = _plus(_convolved(x, own := next(params), padding), own)
            case Norm():
                own, centered = next(params), x - x.mean((0, 1, 2))
                x = centered * jax.lax.rsqrt(x.var((0, 1, 2)) + 1e-5) * own["gamma"] + own["beta"]
            case Activation("gelu"):
                x = jax.nn.gelu(x)
            case Activation():
                x = jax.nn.relu(x)
            case Pool(size):
                x = _pooled(x, size)
            case Skip(inner):
                x = x + _run(inner, params, x)
            case Dense():
                x = _plus(x.reshape(len(x), -1) @ (own := next(params))["W"], own)
    return x


def _convolved(x: Array, own: dict[str, Array], padding: str) -> Array:
    dimensions = "NHWC", "HWIO", "NHWC"
    return jax.lax.conv_general_dilated(x, own["W"], (1, 1), padding.upper(), dimension_numbers=dimensions)


def _plus(x: Array, own: dict[str, Array]) -> Array:
    return x + own["b"] if "b" in own else x


def _pooled(x: Array, size: int) -> Array:
    """Return the largest values of windows, by ``max``, whose derivative is faster than that of ``reduce_window``."""
    images, rows, columns, channels = x.shape
    rows, columns = rows // size, columns // size
    windows = x[:, : rows * size, : columns * size].reshape(images, rows, size, columns, size, channels)
    return windows.max((2, 4))
