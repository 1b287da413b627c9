"""Candidates of a search that are trained as one stack."""

import math
import time
from collections.abc import Mapping, Sequence
from traceback import format_exception
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from anynet.nn import Linear, Sequential
from anynet.sklearn.net_estimator import NetEstimator, train_estimators
from anynet.training.members import Member, check_nets, common_optimizer
from anynet.training.settings import TrainSettings

OWN = ("random_state", "l2", "lr", "optimizer", "net")
"""Parameters in which estimators of one stack may differ; see `alike`."""

LARGEST_STACK = 32
"""Largest number of nets in a stack: more leave the cache of a core, and take memory."""


class Trained(NamedTuple):
    """A fitted estimator.

    Attributes
    ----------
    estimator : BaseEstimator
    seconds : float
        Time of its training, or its share of the time of the stack.
    error : str
        Traceback of the error for which the training failed; "" if there was none.
    exception : Exception or None
    """

    estimator: BaseEstimator
    seconds: float
    error: str = ""
    exception: Exception | None = None


def net_of(estimator: BaseEstimator) -> NetEstimator | None:
    """Return the estimator of this package that an estimator is, or that a pipeline ends with; None if neither."""
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return last if isinstance(last, NetEstimator) else None


def group(estimators: Sequence[BaseEstimator]) -> list[list[int]]:
    """Return the numbers of the estimators of each stack.

    Parameters
    ----------
    estimators : sequence of BaseEstimator
        Not fitted.

    Returns
    -------
    list of list of int

    Examples
    --------
    >>> from anynet.sklearn import NetClassifier
    >>> group([NetClassifier(lr=0.1), NetClassifier(hidden=(5,)), NetClassifier(lr=0.2)])
    [[0, 2], [1]]
    """
    groups: list[list[int]] = []
    for k, estimator in enumerate(estimators):
        for own in groups:
            if alike(estimators[own[0]], estimator):
                own.append(k)
                break
        else:
            groups.append([k])
    return groups


def alike(one: BaseEstimator, other: BaseEstimator) -> bool:
    """Return True if two estimators can be trained in one stack."""
    first, second = net_of(one), net_of(other)
    if first is None or second is None or type(one) is not type(other) or type(first) is not type(second):
        return False
    if isinstance(one, Pipeline) and repr(one[:-1].get_params()) != repr(other[:-1].get_params()):
        return False
    a, b = (net.get_params(deep=False) for net in (first, second))
    if any(not _equal(a[name], b[name]) for name in a if name not in OWN):
        return False
    nothing = Sequential(Linear(1, 1))  # in place of nets that are made by a function, or of widths that are equal
    own = [net.net if isinstance(net.net, Sequential) else nothing for net in (first, second)]
    if not _equal(a["net"], b["net"]) and nothing in own:
        return False
    pairs = zip(own, (first, second), strict=True)
    try:
        members = [Member(net, of._new_optimizer(), TrainSettings()) for net, of in pairs]
        common_optimizer(members)
        check_nets(members)
    except (TypeError, ValueError):
        return False
    return True


def parts(groups: Sequence[Sequence[int]], splits: int, workers: int) -> list[list[int]]:
    """Divide groups, so that workers that take one part of one split after another end at about the same time.

    Parameters
    ----------
    groups : sequence of sequence of int
    splits : int
        Number of splits on which every group is trained.
    workers : int

    Returns
    -------
    list of list of int

    Examples
    --------
    >>> parts([[0, 1, 2, 3]], splits=5, workers=2)
    [[0, 1], [2, 3]]
    """

    def seconds(n: int) -> float:  # in units of what all groups take on one split, with 5 % more for each further part
        return math.ceil(len(groups) * splits * n / workers) / n * (1 + 0.05 * n)

    best = min(range(1, 5), key=seconds)
    divided = []
    for own in groups:
        n = min(len(own), max(best, math.ceil(len(own) / LARGEST_STACK)))
        divided += [part.tolist() for part in np.array_split(np.asarray(own), n)]
    return divided


def fit_stack(
    estimators: Sequence[BaseEstimator], X: Any, y: Any, fit_params: Mapping[str, Any], stacks: int = 1
) -> list[Trained]:
    """Fit estimators that are `alike`, as one stack if possible.

    Parameters
    ----------
    estimators : sequence of BaseEstimator
        Not fitted.
    X, y : array-like
    fit_params : mapping of str to object
        Arguments of ``fit``.
    stacks : int, default 1
        Number of stacks of the search, on all splits.

    Returns
    -------
    list of Trained
        One for each estimator, in order.
    """
    began = time.perf_counter()
    if len(estimators) == 1 or (isinstance(estimators[0], Pipeline) and fit_params):
        return [_fit_alone(estimator, X, y, fit_params) for estimator in estimators]
    try:
        if isinstance(first := estimators[0], Pipeline):
            X = first[:-1].fit_transform(X, y)
            for estimator in estimators[1:]:
                estimator.steps[:-1] = first.steps[:-1]
        nets = [net for net in map(net_of, estimators) if net is not None]
        for net in nets:
            net._validate_params()
        errors = train_estimators(nets, X, y, **fit_params, stacks=stacks)
    except Exception:  # of one of them, or of the data: each is to have its own
        return [_fit_alone(clone(estimator), X, y, fit_params) for estimator in estimators]
    seconds = (time.perf_counter() - began) / len(estimators)
    return [
        Trained(estimator, seconds, "" if error is None else _text(error), error)
        for estimator, error in zip(estimators, errors, strict=True)
    ]


def _fit_alone(estimator: BaseEstimator, X: Any, y: Any, fit_params: Mapping[str, Any]) -> Trained:
    began = time.perf_counter()
    try:
        estimator.fit(X, y, **fit_params)
    except Exception as error:  # any estimator, any error: the search decides what becomes of it
        return Trained(estimator, time.perf_counter() - began, _text(error), error)
    return Trained(estimator, time.perf_counter() - began)


def _text(error: Exception) -> str:
    return "".join(format_exception(error))


def _equal(a: Any, b: Any) -> bool:
    """Compare parameters, which may be of any kind."""
    try:
        return bool(a is b or (type(a) is type(b) and a == b))
    except (TypeError, ValueError):
        return False
