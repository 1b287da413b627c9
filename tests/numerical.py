"""Derivatives without calculus: the independent truth that gradients are held against."""

from collections.abc import Callable

import numpy as np


def central_difference(f: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """The gradient of f at x, element by element, with an error of the order of step²."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[i] += step
        behind[i] -= step
        gradient[i] = (f(ahead) - f(behind)) / (2 * step)
    return gradient


def assert_close(actual: np.ndarray, expected: np.ndarray, rtol: float) -> None:
    """Equal to rtol, relative to the largest of what is expected, and of the same shape."""
    assert np.shape(actual) == np.shape(expected)
    scale = max(float(np.max(np.abs(expected), initial=0)), 1e-3)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * scale)
