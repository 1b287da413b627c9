"""Calls of convolution and max-pooling of every kind, with drawn arrays, and recorded steps that make them."""

import numpy as np

from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel
from anynet.nn.max_pooling import max_pool, max_pool_to_input

WINDOWS = {
    "3 x 3, same": Window((6, 5), (3, 3), padding=(1, 1, 1, 1)),
    "2 x 2, valid": Window((5, 4), (2, 2)),
    "2 x 2, same": Window((5, 4), (2, 2), padding=(0, 1, 0, 1)),
    "one pixel": Window((3, 4), (1, 1)),
    "stride": Window((7, 6), (3, 2), (2, 3), (1, 1, 0, 0)),
    "pixels that are not seen": Window((8, 7), (2, 2), (3, 3)),
    "far padding": Window((3, 3), (2, 3), (1, 2), (2, 0, 1, 3)),
    "whole image": Window((4, 3), (4, 3)),
}
TILES = {
    "2 x 2": Window((6, 4), (2, 2), (2, 2)),
    "2 x 2, odd": Window((7, 5), (2, 2), (2, 2)),
    "3 x 3, padded": Window((6, 7), (3, 3), (2, 2), (1, 1, 1, 1)),
    "3 x 3, padded on two sides": Window((6, 7), (3, 3), (2, 2), (0, 1, 0, 1)),
    "far padding": Window((4, 5), (2, 3), (1, 2), (2, 2, 3, 3)),
    "overlapping": Window((5, 6), (3, 2)),
}
MEMBERS = {
    "one": ((), ()),
    "members": ((3,), (3,)),
    "shared images": ((), (3,)),
    "two axes": ((2, 1), (3,)),
}
"""Axes of members of the images and of the rest."""


def convolution(window, groups, members, batch=2, channels=2, seed=0):
    """Return the operations of a convolution with arguments for each."""
    rng, (ours, theirs) = np.random.default_rng(seed), members
    n = batch * window.image[0] * window.image[1]
    x = rng.normal(size=(*ours, n, groups * channels))
    w = rng.normal(size=(*theirs, *window.kernel, channels, groups * 3))
    dy = rng.normal(size=(*theirs, window.results(n), groups * 3))
    settings = window, groups
    return [
        (convolve, (x, w, *settings)),
        (convolve_to_input, (dy, w, *settings)),
        (convolve_to_kernel, (x, dy, *settings)),
    ]


def pooling(window, members, special=(), batch=2, channels=3, seed=0):
    """Return max-pooling and its gradient with arguments for each; values of pixels are equal in many places."""
    rng, (ours, theirs) = np.random.default_rng(seed), members
    n = batch * window.image[0] * window.image[1]
    x = rng.integers(-2, 3, (*ours, n, channels)).astype(float)
    for value in special:
        x[rng.random(x.shape) < 0.1] = value
    dy = rng.normal(size=(*np.broadcast_shapes(ours, theirs), window.results(n), channels))
    return [(max_pool, (x, window)), (max_pool_to_input, (dy, x, max_pool(x, window), window))]


def recorded(backend, operation, args, dtype="float64", shape=None):
    """Return the result of an operation, of this shape if it has none of its own, in a recorded step of a backend."""
    arrays = [arg for arg in args if isinstance(arg, np.ndarray)]
    settings = args[len(arrays) :]
    backend.dtype(dtype)  # which allows float64

    def step(carry, shared, row):
        return carry + operation(*row, *settings)

    zeros = backend.asarray(np.zeros(operation.shape(*args) if shape is None else shape, dtype))
    rows = tuple(backend.asarray(array[None].astype(dtype)) for array in arrays)
    return backend.to_host(backend.loop(step, compile="on")(zeros, None, rows, lambda n: None))
