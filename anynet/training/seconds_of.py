"""Times of the parts of a training."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

BOTH = "training and evaluation"
"""Part of both on a device that computes while the host goes on, where the host cannot tell them apart."""


class SecondsOf:
    """Stopwatch with a sum for each part of a training.

    Parameters
    ----------
    asynchronous : bool
        If True, "training" and "evaluation" are one part.

    Attributes
    ----------
    seconds : dict of float
        By the name of the part, in the order in which they began.
    """

    def __init__(self, *, asynchronous: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._asynchronous = asynchronous

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Context manager that adds its time to a part, also if it ends with an error."""
        name = BOTH if self._asynchronous and name in ("training", "evaluation") else name
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
