"""Loss functions with their gradients.

Labels outside ``0 .. C - 1`` are refused wherever their values can be read. In functions that a library traces, such as
those of ``jax.jit``, they make the loss NaN.
"""

from collections.abc import Callable

from anynet.core.typing import Array
from anynet.nn.class_losses import CrossEntropy, correct, hinge, softmax_cross_entropy
from anynet.nn.target_losses import Huber, binary_cross_entropy, mean_squared_error

__all__ = [
    "CrossEntropy",
    "Huber",
    "Loss",
    "binary_cross_entropy",
    "correct",
    "hinge",
    "mean_squared_error",
    "softmax_cross_entropy",
]

Loss = Callable[[Array, Array], tuple[Array, Array]]
"""``loss(outputs, targets)`` returns the mean loss and its gradient with respect to the outputs."""

BY_NAME: dict[str, Loss] = {
    "cross-entropy": softmax_cross_entropy,
    "hinge": hinge,
    "mean-squared-error": mean_squared_error,
    "huber": Huber(),
    "binary-cross-entropy": binary_cross_entropy,
}
"""Losses by the names that settings take: two of classes, three of numbers."""
