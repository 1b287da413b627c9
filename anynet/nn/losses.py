"""Losses of logits and labels, each with its gradient."""

from collections.abc import Callable

from array_api_compat import array_namespace
from array_api_extra import one_hot

from anynet.core.checks import check_same_device
from anynet.core.typing import Array

Loss = Callable[[Array, Array], tuple[Array, Array]]
"""``loss(logits, labels)`` returns the mean loss and its gradient by the logits."""


def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    r"""The mean over the batch of minus the logarithm of the probability given to the right class.

    .. math:: L = -\frac{1}{N} \sum_i \log p_{i, y_i}, \quad p_{ij} = \frac{e^{s_{ij}}}{\sum_k e^{s_{ik}}},
              \quad \frac{\partial L}{\partial s_{ij}} = \frac{p_{ij} - [j = y_i]}{N}

    logits: s, shape (..., N, C), floating-point; any size, 1e4 and more.
    labels: y, shape (N,), or (..., N) with labels for each member, integers in 0 .. C - 1.

    Returns the loss, shape (...), and the gradient by the logits, shape (..., N, C).
    Raises TypeError or ValueError where the two do not fit each other.

    Source: Goodfellow, Bengio & Courville 2016, "Deep learning", section 6.2.2.3. https://www.deeplearningbook.org

    >>> import numpy as np
    >>> loss, gradient = softmax_cross_entropy(np.zeros((1, 2)), np.asarray([0]))
    >>> loss, gradient  # two classes alike: log 2
    (np.float64(0.6931471805599453), array([[-0.5,  0.5]]))
    """
    _check(logits, labels)
    xp, N = array_namespace(logits), logits.shape[-2]
    right = one_hot(labels, logits.shape[-1], dtype=logits.dtype, xp=xp)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)  # the same probabilities, and exp cannot overflow
    exp = xp.exp(shifted)
    total = xp.sum(exp, axis=-1, keepdims=True)
    losses = xp.log(total[..., 0]) - xp.sum(right * shifted, axis=-1)
    return xp.mean(losses, axis=-1), (exp / total - right) / N


def hinge(logits: Array, labels: Array) -> tuple[Array, Array]:
    r"""The multi-class support vector machine's loss, with margin 1: the mean over the batch of

    .. math:: L_i = \sum_{j \ne y_i} \max(0, s_{ij} - s_{i, y_i} + 1)

    logits: s, shape (..., N, C), floating-point.
    labels: y, shape (N,), or (..., N) with labels for each member, integers in 0 .. C - 1.

    Returns the loss, shape (...), and the gradient by the logits, shape (..., N, C); at the margin itself, where there
    is a kink, the gradient of the flat side.
    Raises TypeError or ValueError where the two do not fit each other.

    Source: Weston & Watkins 1999, "Support vector machines for multi-class pattern recognition".

    >>> import numpy as np
    >>> hinge(np.asarray([[3.0, 2.5, 0.0]]), np.asarray([0]))
    (np.float64(0.5), array([[-1.,  1.,  0.]]))
    """
    _check(logits, labels)
    xp, N = array_namespace(logits), logits.shape[-2]
    right = one_hot(labels, logits.shape[-1], dtype=logits.dtype, xp=xp)
    right_score = xp.sum(right * logits, axis=-1, keepdims=True)
    excess = xp.maximum(logits - right_score + 1.0, 0.0) * (1.0 - right)
    over = xp.astype(excess > 0, logits.dtype)
    gradient = (over - right * xp.sum(over, axis=-1, keepdims=True)) / N
    return xp.mean(xp.sum(excess, axis=-1), axis=-1), gradient


def correct(logits: Array, labels: Array) -> Array:
    """How many samples have their largest logit at their label.

    logits: shape (..., N, C). labels: shape (N,) or (..., N).

    Returns an integer array of shape (...).
    Raises TypeError or ValueError where the two do not fit each other.
    """
    _check(logits, labels)
    xp = array_namespace(logits)
    return xp.count_nonzero(xp.argmax(logits, axis=-1) == labels, axis=-1)


def _check(logits: Array, labels: Array) -> None:
    check_same_device(logits=logits, labels=labels)
    xp = array_namespace(logits)
    if not xp.isdtype(logits.dtype, "real floating"):
        raise TypeError(f"logits: expected floating-point numbers, got {logits.dtype}")
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"labels: expected integers, class numbers, got {labels.dtype}")
    if logits.ndim < 2 or labels.shape not in (logits.shape[-2:-1], logits.shape[:-1]):
        raise ValueError(
            f"expected logits of shape (..., N, C) and labels of shape (N,) or (..., N), "
            f"got {tuple(logits.shape)} and {tuple(labels.shape)}"
        )
