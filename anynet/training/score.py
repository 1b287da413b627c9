"""Score of predictions: accuracy of labels, R² of numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.data.array_like import as_array
from anynet.data.dataset import Label


def score(predicted: Any, y: Any, classes: tuple[Label, ...]) -> float:
    r"""Return the fraction of labels that are right, or the coefficient of determination of numbers.

    .. math:: R^2 = 1 - \frac{\sum_i (t_i - s_i)^2}{\sum_i (t_i - \bar t)^2}

    for predictions s of numbers t, the mean over the m numbers of a sample: 1 is perfect, and 0 is that of the mean.
    It is 0 where t is constant and the predictions are not all equal to it.

    Parameters
    ----------
    predicted : array, shape (N,) or (N, m)
        As predicted by a net.
    y : array_like, shape (N,) or (N, m)
        Labels or numbers. For classes that are texts, class numbers too, as a `Split` has them, unless they may as well
        be labels, such as 1 for ``("1", "2")``.
    classes : tuple of str, int or bool
        Labels of the classes; empty if the net predicts numbers.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If `y` is of another kind or shape.

    Examples
    --------
    >>> score(["a", "b", "b", "a"], ["a", "b", "a", "a"], ("a", "b"))
    0.75
    >>> score([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], ())
    0.5
    """
    found = _on_host("predicted", predicted)
    if not classes:
        return _determination(numbers(y), found)
    truth = _labels(_on_host("y", y), classes)
    if truth.shape != found.shape or not len(truth):
        raise ValueError(f"y: expected {len(found)} labels, one for each sample and one at least, got {truth.shape}")
    return float(np.mean(truth == found))


def class_numbers(y: Any, classes: tuple[Label, ...]) -> NDArray[np.integer]:
    """Return the class numbers of labels.

    Parameters
    ----------
    y : array_like, shape (N,)
        Labels. For classes that are texts, class numbers too, as for `score`.
    classes : tuple of str, int or bool
        Labels of the classes, one at least.

    Returns
    -------
    ndarray of int, shape (N,)

    Raises
    ------
    TypeError, ValueError
        If labels are of another kind, or none of the classes.

    Examples
    --------
    >>> class_numbers([5, 3, 5], (3, 5))
    array([1, 0, 1])
    """
    labels = _labels(_on_host("y", y), classes)
    unique, inverse = np.unique(labels, return_inverse=True)
    numbers = {label: k for k, label in enumerate(classes)}
    unknown = next((label for label in unique.tolist() if label not in numbers), None)
    if unknown is not None:
        raise ValueError(f"y: expected labels of classes, got {unknown!r}, which the net has not")
    return np.asarray([numbers[label] for label in unique.tolist()], np.int64)[inverse].reshape(labels.shape)


def numbers(y: Any) -> NDArray[Any]:
    """Return numbers to predict on the host. Raises TypeError for other targets."""
    truth = _on_host("y", y)
    if truth.dtype.kind not in "fiu":
        raise TypeError(f"y: expected numbers, as the net predicts, got {truth.dtype}")
    return truth


def _labels(truth: NDArray[Any], classes: tuple[Label, ...]) -> NDArray[Any]:
    """Return labels as the classes have them."""
    texts = isinstance(classes[0], str)
    if texts and truth.dtype.kind in "iu":
        given = np.unique(truth).tolist()
        if all(str(n) in classes for n in given) and any(classes.index(str(n)) != n for n in given):
            raise TypeError(
                f"y: expected labels such as {classes[0]!r}, got integers, which may be labels or class numbers; give "
                "y.astype(str), or of class numbers np.asarray(run.classes)[y]"
            )
        if truth.size and not 0 <= truth.min() <= truth.max() < len(classes):
            raise ValueError(f"y: expected class numbers, 0 to {len(classes) - 1}, got {truth.min()} to {truth.max()}")
        truth = np.asarray(classes)[truth]
    if texts != (truth.dtype.kind in "UT"):
        raise TypeError(f"y: expected labels such as {classes[0]!r}, got {truth.dtype}")
    return truth


def _on_host(name: str, value: Any) -> NDArray[Any]:
    array = as_array(name, value)
    host = array if isinstance(array, np.ndarray) else to_numpy(array)
    return np.asarray(host.tolist()) if host.dtype.kind == "O" else host


def _determination(truth: NDArray[Any], found: NDArray[Any]) -> float:
    truth, found = (each.astype(np.float64).reshape(len(each), -1) for each in (truth, found))
    if truth.shape != found.shape or len(truth) < 2:
        raise ValueError(f"y: expected numbers of shape {found.shape}, of 2 samples or more, got {truth.shape}")
    residual, total = ((truth - found) ** 2).sum(axis=0), ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(np.where(total > 0, 1 - residual / np.where(total > 0, total, 1), residual == 0)))
