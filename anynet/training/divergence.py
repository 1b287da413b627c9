"""Training whose cost is no longer finite."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anynet.training.measure import Measured


class DivergedError(ArithmeticError):
    """Training whose cost is no longer finite, since this step of this epoch, both counted from 1.

    steps: how many the epoch has. lr: that step's learning rate.
    """

    def __init__(self, epoch: int, step: int, steps: int, lr: float) -> None:
        super().__init__(epoch, step, steps, lr)
        self.epoch, self.step, self.steps, self.lr = epoch, step, steps, lr

    def __str__(self) -> str:
        return (
            f"the cost is no longer finite in epoch {self.epoch}, at step {self.step} of {self.steps}, with learning "
            f"rate {self.lr:g}; a lower rate, a warm-up or normalised inputs may help"
        )


def divergence(
    known: Sequence[DivergedError | None],
    diverged: NDArray[np.floating],
    measured: Sequence[Measured],
    epoch: int,
    rates: NDArray[np.float64],
) -> list[DivergedError | None]:
    """For each net, where its cost stopped being finite, if it did: in an earlier epoch, as known, or in this one.

    diverged: as of ``Carry``, shape (nets,). measured: after the epoch, which is counted from 0.
    rates: learning rates, shape (steps, nets).
    """
    found = list(known)
    for k, (since, after) in enumerate(zip(diverged, measured, strict=True)):
        if found[k] is None and (since or not math.isfinite(after.cost)):
            step = int(since) - epoch * len(rates) if since else len(rates)
            found[k] = DivergedError(epoch + 1, step, len(rates), float(rates[step - 1, k]))
    return found
