"""Loss functions with their gradients.

Labels outside ``0 .. C - 1`` are refused wherever their values can be read. In functions that a library traces, such as
those of ``jax.jit``, they make the loss NaN.
"""

import math
from collections.abc import Callable

import numpy as np
from array_api_compat import array_namespace, device
from array_api_extra import one_hot

from anynet.core.checks import check_same_device
from anynet.core.typing import Array, ConcreteArray
from anynet.core.validated import is_validated

Loss = Callable[[Array, Array], tuple[Array, Array]]
"""``loss(logits, labels)`` returns the mean loss and its gradient with respect to the logits."""


def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    r"""Mean softmax cross-entropy and its gradient.

    .. math:: L = -\frac{1}{N} \sum_i \log p_{i, y_i}, \quad p_{ij} = \frac{e^{s_{ij}}}{\sum_k e^{s_{ik}}},
              \quad \frac{\partial L}{\partial s_{ij}} = \frac{p_{ij} - [j = y_i]}{N}

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores s of any size.
    labels : array of int, shape (N,) or (..., N)
        Class indices y in ``0 .. C - 1``.

    Returns
    -------
    loss : array, shape (...)
        Mean over the batch.
    grad : array, shape (..., N, C)
        Gradient of `loss` with respect to `logits`.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.

    References
    ----------
    Goodfellow, Bengio, Courville (2016), Deep learning, section 6.2.2.3. https://www.deeplearningbook.org

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy(np.zeros((1, 2)), np.asarray([0]))  # log 2
    (np.float64(0.6931471805599453), array([[-0.5,  0.5]]))
    """
    wrong = _check(logits, labels)
    xp, N = array_namespace(logits), logits.shape[-2]
    right = one_hot(labels, logits.shape[-1], dtype=logits.dtype, xp=xp)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)  # same probabilities, but exp cannot overflow
    exp = xp.exp(shifted)
    total = xp.sum(exp, axis=-1, keepdims=True)
    losses = xp.log(total[..., 0]) - xp.sum(right * shifted, axis=-1)
    return _flag(xp.mean(losses, axis=-1), wrong), (exp / total - right) / N


def hinge(logits: Array, labels: Array) -> tuple[Array, Array]:
    r"""Mean multi-class hinge loss with margin 1, and its gradient.

    .. math:: L = \frac{1}{N} \sum_i \sum_{j \ne y_i} \max(0, s_{ij} - s_{i, y_i} + 1)

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores s.
    labels : array of int, shape (N,) or (..., N)
        Class indices y in ``0 .. C - 1``.

    Returns
    -------
    loss : array, shape (...)
        Mean over the batch.
    grad : array, shape (..., N, C)
        Gradient of `loss` with respect to `logits`; at the margin, a kink, that of the flat side.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.

    References
    ----------
    Weston, Watkins (1999), Support vector machines for multi-class pattern recognition.

    Examples
    --------
    >>> import numpy as np
    >>> hinge(np.asarray([[3.0, 2.5, 0.0]]), np.asarray([0]))
    (np.float64(0.5), array([[-1.,  1.,  0.]]))
    """
    wrong = _check(logits, labels)
    xp, N = array_namespace(logits), logits.shape[-2]
    right = one_hot(labels, logits.shape[-1], dtype=logits.dtype, xp=xp)
    right_score = xp.sum(right * logits, axis=-1, keepdims=True)
    excess = xp.maximum(logits - right_score + 1.0, 0.0) * (1.0 - right)
    over = xp.astype(excess > 0, logits.dtype)
    gradient = (over - right * xp.sum(over, axis=-1, keepdims=True)) / N
    return _flag(xp.mean(xp.sum(excess, axis=-1), axis=-1), wrong), gradient


def correct(logits: Array, labels: Array) -> Array:
    """Count the samples whose largest logit is at their label.

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores.
    labels : array of int, shape (N,) or (..., N)
        Class indices in ``0 .. C - 1``.

    Returns
    -------
    array of int, shape (...)

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> int(correct(np.asarray([[1.0, 2.0], [3.0, 0.0]]), np.asarray([1, 1])))
    1
    """
    _check(logits, labels)
    xp = array_namespace(logits)
    return xp.count_nonzero(xp.argmax(logits, axis=-1) == labels, axis=-1)


def _check(logits: Array, labels: Array) -> Array | None:
    """Check the arguments; where values cannot be read, return True for labels that are out of range."""
    check_same_device(logits=logits, labels=labels)
    xp = array_namespace(logits)
    if not xp.isdtype(logits.dtype, "real floating"):
        raise TypeError(f"logits: expected floating-point numbers, got {logits.dtype}")
    if not xp.isdtype(labels.dtype, "integral"):
        raise TypeError(f"labels: expected integers, the class indices, got {labels.dtype}")
    if logits.ndim < 2 or labels.shape not in (logits.shape[-2:-1], logits.shape[:-1]):
        raise ValueError(
            f"expected logits of shape (..., N, C) and labels of shape (N,) or (..., N), "
            f"got {tuple(logits.shape)} and {tuple(labels.shape)}"
        )
    return None if is_validated() else _out_of_range(labels, logits.shape[-1])


def _out_of_range(labels: Array, n_classes: int) -> Array | None:
    xp = array_namespace(labels)
    wrong = labels < 0
    if xp.iinfo(labels.dtype).max >= n_classes:
        wrong = wrong | (labels >= n_classes)
    try:
        found = bool(xp.any(wrong))
    except Exception:  # each library raises another error while it traces a function
        return wrong
    if found:
        flat: ConcreteArray = xp.reshape(labels, (-1,))
        place: ConcreteArray = xp.argmax(xp.astype(xp.reshape(wrong, (-1,)), xp.int32))
        first = int(place)
        label, index = int(flat[first]), np.unravel_index(first, labels.shape)
        raise ValueError(
            f"labels: expected 0 to {n_classes - 1}, the indices of {n_classes} classes, got {label} at index "
            f"{', '.join(map(str, map(int, index)))}"
        )
    return None


def _flag(loss: Array, wrong: Array | None) -> Array:
    """Return the loss, or NaN for batches with a label that is out of range."""
    if wrong is None:
        return loss
    xp = array_namespace(loss)
    nan = xp.asarray(math.nan, dtype=loss.dtype, device=device(loss))
    return xp.where(xp.any(wrong, axis=-1), nan, loss)
