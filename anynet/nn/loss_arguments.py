"""Validation of labels and targets, by their values where these can be read.

In functions that a library traces, such as those of ``jax.jit``, values cannot be read: wrong ones make the loss NaN.
"""

import math

import numpy as np
from array_api_compat import array_namespace, device

from anynet.core.array_checks import check_same_device, check_same_dtype
from anynet.core.typing import Array, ConcreteArray
from anynet.core.validated import is_validated


def check_labels(logits: Array, labels: Array) -> Array | None:
    """Check the arguments of a loss of classes.

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores.
    labels : array of int, shape (N,) or (..., N)
        Class indices in ``0 .. C - 1``.

    Returns
    -------
    array of bool or None
        Where values cannot be read, True for labels that are out of range; otherwise None.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.
    """
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
    if is_validated():
        return None
    n_classes, wrong = logits.shape[-1], labels < 0
    if xp.iinfo(labels.dtype).max >= n_classes:
        wrong = wrong | (labels >= n_classes)
    return _refuse(labels, wrong, f"labels: expected 0 to {n_classes - 1}, the indices of {n_classes} classes")


def check_targets(outputs: Array, targets: Array, name: str = "outputs") -> None:
    """Check the arguments of a loss of numbers.

    Parameters
    ----------
    outputs : array, shape (..., N, m)
        Real floating-point numbers.
    targets : array, shape (N, m) or (..., N, m)
        Numbers of the same dtype.
    name : str
        Name of the outputs in error messages.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match.
    """
    check_same_device(**{name: outputs, "targets": targets})
    xp = array_namespace(outputs)
    for each, array in ((name, outputs), ("targets", targets)):
        if not xp.isdtype(array.dtype, "real floating"):
            raise TypeError(f"{each}: expected floating-point numbers, got {array.dtype}")
    check_same_dtype(**{name: outputs, "targets": targets})
    if outputs.ndim < 2 or targets.shape not in (outputs.shape[-2:], outputs.shape):
        raise ValueError(
            f"expected {name} of shape (..., N, m) and targets of shape (N, m) or (..., N, m), "
            f"got {tuple(outputs.shape)} and {tuple(targets.shape)}"
        )


def check_probabilities(targets: Array) -> Array | None:
    """Check that targets are in [0, 1].

    Parameters
    ----------
    targets : array
        Probabilities.

    Returns
    -------
    array of bool or None
        Where values cannot be read, True for targets that are not; otherwise None.

    Raises
    ------
    ValueError
        If a target is not in [0, 1].
    """
    if is_validated():
        return None
    wrong = array_namespace(targets).logical_not((targets >= 0) & (targets <= 1))  # NaN too
    return _refuse(targets, wrong, "targets: expected probabilities, 0 to 1")


def flag(loss: Array, wrong: Array | None, axes: int = 1) -> Array:
    """Return the loss, or NaN for batches in which a value is wrong.

    Parameters
    ----------
    loss : array, shape (...)
        Loss of each batch.
    wrong : array of bool or None
        As returned by the checks.
    axes : int
        Number of the axes of `wrong`, the last ones, that a batch has.

    Returns
    -------
    array, shape (...)
    """
    if wrong is None:
        return loss
    xp = array_namespace(loss)
    nan = xp.asarray(math.nan, dtype=loss.dtype, device=device(loss))
    return xp.where(xp.any(wrong, axis=tuple(range(-axes, 0))), nan, loss)


def _refuse(values: Array, wrong: Array, expected: str) -> Array | None:
    xp = array_namespace(values)
    try:
        found = bool(xp.any(wrong))
    except Exception:  # each library raises another error while it traces a function
        return wrong
    if found:
        flat: ConcreteArray = xp.reshape(values, (-1,))
        place: ConcreteArray = xp.argmax(xp.astype(xp.reshape(wrong, (-1,)), xp.int32))
        first = int(place)
        value: ConcreteArray = flat[first]
        number = int(value) if xp.isdtype(values.dtype, "integral") else float(value)
        index = np.unravel_index(first, values.shape)
        raise ValueError(f"{expected}, got {number} at index {', '.join(map(str, map(int, index)))}")
    return None
