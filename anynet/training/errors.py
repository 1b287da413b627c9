"""Errors of a training: a cost that is no longer finite, memory that runs out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anynet.backends import Backend, DeviceMemory
from anynet.core.errors import Error


class DivergedError(Error, ArithmeticError):
    """Training whose cost is no longer finite.

    Parameters
    ----------
    epoch, step : int
        The first step with such a cost, both counted from 1.
    steps : int
        Number of steps in an epoch.
    lr : float
        Learning rate of that step.

    report : dict, optional
        What can be written as JSON: the first array that was not finite, what to try, and loss, norms of the gradient
        and norms of the parameters, together and by name, of this step and up to ten before it. None if it could not
        be made.

    Attributes
    ----------
    file : Path or None
        Where the command line wrote the report.

    Examples
    --------
    >>> print(DivergedError(epoch=2, step=3, steps=7, lr=0.25))  # doctest: +ELLIPSIS
    the cost is no longer finite in epoch 2, at step 3 of 7, with learning rate 0.25; ...
    """

    def __init__(self, epoch: int, step: int, steps: int, lr: float, report: dict[str, Any] | None = None) -> None:
        super().__init__(epoch, step, steps, lr, report)
        self.epoch, self.step, self.steps, self.lr = epoch, step, steps, lr
        self.report = report
        self.file: Path | None = None

    def __str__(self) -> str:
        where = (
            f"the cost is no longer finite in epoch {self.epoch}, at step {self.step} of {self.steps}, with learning "
            f"rate {self.lr:g}"
        )
        if self.report is None:
            return f"{where}; a lower rate, a warm-up or normalized inputs may help"
        file = "" if self.file is None else f"; norms of the steps before are in {self.file}"
        first, *others = self.report["try"]
        advice = f"{first}, or {', '.join(others)}" if others else first
        return f"{where}; first not finite: {self.report['first_not_finite']}; try {advice}{file}"


def is_report(value: Any) -> bool:
    """Return True if a value, read from JSON, has what a `DivergedError` takes from its report, or is None."""
    return value is None or (
        isinstance(value, dict)
        and "first_not_finite" in value
        and isinstance(value.get("try"), list)
        and all(isinstance(each, str) for each in value["try"])
        and len(value["try"]) > 0
    )


class OutOfMemoryError(Error, MemoryError):
    """Memory that does not suffice; the message, one line, has the sizes and what may fit."""


@contextmanager
def raise_out_of_memory(backend: Backend, message: Callable[[], str]) -> Iterator[None]:
    """Context manager that turns a library's error for exhausted memory into `OutOfMemoryError`.

    Parameters
    ----------
    backend : Backend
        Knows the errors of its library.
    message : callable
        Returns the message; called only if memory runs out.

    Raises
    ------
    OutOfMemoryError
        If memory runs out. One that was raised inside, by another training, stays as it is.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except Exception as error:
        if not backend.out_of_memory(error):
            raise
        raise OutOfMemoryError(f"out of memory: {message()}") from error


def format_bytes(n: int) -> str:
    """Return a number of bytes in GB.

    Parameters
    ----------
    n : int

    Returns
    -------
    str

    Examples
    --------
    >>> format_bytes(1_234_567_890)
    '1.23 GB'
    """
    return f"{n / 1e9:.3g} GB"


def format_free_memory(backend: Backend, memory: DeviceMemory | None) -> str:
    """Return a clause that says how much memory a backend's device had free.

    Parameters
    ----------
    backend : Backend
    memory : DeviceMemory or None
        As from ``backend.memory()``.

    Returns
    -------
    str
    """
    where = f"{backend.name} on {backend.device_name}"
    if memory is None:
        return f"{where} does not tell how much was free"
    return f"{where} had {format_bytes(memory.free)} free of {format_bytes(memory.total)}"
