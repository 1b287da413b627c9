"""What a subject says at its point, once it is known that differences can be held to it."""

from collections.abc import Mapping

import numpy as np

from anynet.gradcheck.differences import Host
from anynet.gradcheck.subjects import Subject


def values_of(subject: Subject) -> tuple[Host, Mapping[str, Host]]:
    """The terms of the value, and the gradients by name.

    Raises ValueError for arrays of another dtype than float32 and float64 or without elements, numbers that are not
    finite, a value that is another when it is asked for again, a function that writes into its arguments, and gradients
    that are missing or of another shape than what they are by.
    """
    if not subject.point:
        raise ValueError("the point has no arrays to differentiate by")
    for name, x in subject.point.items():
        if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64):
            found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise ValueError(f"{name}: expected a NumPy array of float32 or float64, got {found}")
        _finite(name, x)
    before = {name: x.copy() for name, x in subject.point.items()}
    terms = np.array(subject.value(subject.point))
    _finite("the value", terms)
    again = np.array(subject.value(subject.point))
    _unchanged(subject, before)
    if not np.allclose(again, terms, rtol=1e3 * np.finfo(terms.dtype).eps, atol=0):
        raise ValueError(
            f"at one and the same point the value was {terms.sum()} first and then {again.sum()}: a forward that is "
            f"random, or remembers, cannot be checked; draw its random numbers outside"
        )
    gradients = {name: np.asarray(gradient) for name, gradient in subject.gradients(subject.point).items()}
    _unchanged(subject, before)
    for name, x in subject.point.items():
        if name not in gradients:
            raise ValueError(f"there is no gradient by {name}, only by {', '.join(gradients) or 'nothing'}")
        if gradients[name].shape != x.shape:
            raise ValueError(f"the gradient by {name}: expected shape {x.shape}, got {gradients[name].shape}")
        _finite(f"the gradient by {name}", gradients[name])
    return terms, gradients


def _unchanged(subject: Subject, before: Mapping[str, Host]) -> None:
    for name, x in before.items():
        if not np.array_equal(subject.point[name], x):
            raise ValueError(f"the function writes into {name}, its argument, which must stay as it was")


def _finite(name: str, x: Host) -> None:
    if x.size == 0:
        raise ValueError(f"{name}: expected numbers, got none, in shape {x.shape}")
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        where = tuple(map(int, wrong[0]))
        raise ValueError(f"{name}: expected finite numbers, got {x[where]} at {where}, one of {len(wrong)} such")
