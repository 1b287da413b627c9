"""Random order in which classes are mixed evenly, and test samples for sets that have none."""

import numpy as np
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator


def stratified_order(labels: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a random order of samples, any first part of which has its share of each class.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        Class numbers, 0 or more.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (N,)
        A permutation of ``0 .. N - 1``.

    Examples
    --------
    >>> labels = np.asarray([0] * 6 + [1] * 3)
    >>> order = stratified_order(labels, np.random.default_rng(0))
    >>> np.bincount(labels[order[:3]]), np.bincount(labels[order[3:6]])
    (array([2, 1]), array([2, 1]))
    """
    order = rng.permutation(len(labels))
    # Samples are ranked within their class, and the ranks scaled to 0 .. 1.
    shuffled, rank = labels[order], np.empty(len(labels))
    for number, size in enumerate(np.bincount(labels).tolist()):
        rank[shuffled == number] = (np.arange(size) + 0.5) / max(size, 1)
    return order[np.argsort(rank, kind="stable")]


def hold_out(labels: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide samples into training and test samples: a sixth of each class, at random, is for testing.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        Class numbers, 0 or more.

    Returns
    -------
    train, test : ndarray of int64
        Indices in a random order in which classes are mixed evenly, the same for the same labels. A class has a
        training sample.

    Examples
    --------
    >>> train, test = hold_out(np.asarray([0] * 6 + [1] * 12))
    >>> len(train), len(test)
    (15, 3)
    """
    order = stratified_order(labels, generator(0, Purpose.SPLIT, 0))
    count = round(len(labels) / 6)
    return order[count:], order[:count]
