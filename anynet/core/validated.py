"""Checks of values that are left out where they were made before, so that a training step reads nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_VALIDATED = ContextVar("values were validated", default=False)


@contextmanager
def validated() -> Iterator[None]:
    """Context manager in which layers and losses rely on values, such as labels, that were validated before.

    A training validates its labels and its batch size before the first step. Steps must neither wait for the device
    nor do more than their formulas.

    Examples
    --------
    >>> with validated():
    ...     is_validated()
    True
    >>> is_validated()
    False
    """
    token = _VALIDATED.set(True)
    try:
        yield
    finally:
        _VALIDATED.reset(token)


def is_validated() -> bool:
    """Return True inside `validated`."""
    return _VALIDATED.get()
