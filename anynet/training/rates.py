"""Learning rates of steps, validated: some before training, those of an epoch when it begins."""

import math
from typing import Any

from anynet.core.checks import real_number
from anynet.optim import Optimizer

SAMPLES = 200
"""Largest number of epochs, and of steps of an epoch, that are looked at before training."""


def learning_rate(optimizer: Optimizer, epoch: int, step: int, steps: int) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    optimizer : Optimizer
    epoch, step : int
        Counted from 0.
    steps : int
        Number of steps in an epoch.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If the schedule returns no number.
    ValueError
        If it is negative, infinite or NaN; the message names epoch and step.
    """
    place = f"{optimizer}: the learning rate of epoch {epoch + 1}, step {step + 1} of {steps}"
    value: Any
    try:
        value = optimizer.schedule(epoch + step / steps)
    except OverflowError:
        value = math.inf
    rate = real_number(place, value.item() if getattr(value, "ndim", None) == 0 else value)
    if not 0 <= rate < math.inf:
        raise ValueError(f"{place}, is {rate}; expected 0 or more, finite")
    return rate


def check_rates(optimizer: Optimizer, epochs: int, steps: int) -> None:
    """Check learning rates of some steps, a bounded number.

    They are the first steps of epochs, and all steps of the first and the last epoch; of more than ``SAMPLES`` that
    many, evenly spaced, besides the first ones. If one is not allowed, the first such step is searched for, which finds
    it if all steps after it are as bad, as with rates that grow without limit.

    Parameters
    ----------
    optimizer : Optimizer
    epochs : int
        Number of epochs.
    steps : int
        Number of steps in an epoch.

    Raises
    ------
    TypeError, ValueError
        As `learning_rate` does.
    """
    last = (epochs - 1) * steps
    chosen = {epoch * steps for epoch in _sample(epochs)}
    chosen |= {first + step for step in _sample(steps) for first in (0, last)}
    good = 0
    for i in sorted(chosen):
        try:
            learning_rate(optimizer, *divmod(i, steps), steps)
        except (TypeError, ValueError):
            while i - good > 1:
                middle = (good + i) // 2
                good, i = (middle, i) if _is_allowed(optimizer, middle, steps) else (good, middle)
            learning_rate(optimizer, *divmod(i, steps), steps)
        good = i


def _sample(n: int) -> set[int]:
    """Return indices below n: all, or the first ones, and others up to the last, evenly spaced."""
    if n <= SAMPLES:
        return set(range(n))
    half = SAMPLES // 2
    return {*range(half), *(half + (n - 1 - half) * i // half for i in range(half + 1))}


def _is_allowed(optimizer: Optimizer, i: int, steps: int) -> bool:
    try:
        learning_rate(optimizer, *divmod(i, steps), steps)
    except (TypeError, ValueError):
        return False
    return True
