"""Learning-rate schedules with a peak: a rise and a fall within one training."""

import math
from dataclasses import dataclass

from anynet.core.checks import store_not_negative


@dataclass(frozen=True)
class Triangular:
    r"""Linear rise to a peak, then linear fall, changed at every step.

    .. math:: \eta(t) = \eta_0 \cdot \begin{cases} a + (1 - a) \, t / (p T) & t < p T \\
              1 + (b - 1) \, (t - p T) / (T - p T) & t \ge p T \end{cases}

    Parameters
    ----------
    rate : float
        Learning rate :math:`\eta_0` at the peak.
    epochs : float
        Epochs T, more than 0; the rate stays afterwards.
    peak : float
        Fraction p of the epochs at which the peak is, 0 or more and below 1; with 0 the rate falls from the start.
    start, end : float
        First rate a and last rate b as fractions of `rate`, 0 or more.

    Raises
    ------
    TypeError, ValueError
        If one is no number or out of range.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks. https://arxiv.org/abs/1506.01186
    The defaults are those of airbench94. https://github.com/KellerJordan/cifar10-airbench

    Examples
    --------
    >>> rate = Triangular(1.0, epochs=10, peak=0.2)
    >>> [round(rate(epoch), 6) for epoch in (0, 1, 2, 6, 10, 11)]
    [0.2, 0.6, 1.0, 0.535, 0.07, 0.07]
    """

    rate: float
    epochs: float
    peak: float = 0.23
    start: float = 0.2
    end: float = 0.07

    def __post_init__(self) -> None:
        store_not_negative(self, "rate", "epochs", "peak", "start", "end")
        if not self.epochs > 0:
            raise ValueError(f"{self}: expected epochs > 0")
        if not self.peak < 1:
            raise ValueError(f"{self}: expected peak, a fraction of the epochs, below 1")

    def __call__(self, epoch: float) -> float:
        """Return the learning rate; that of the end after ``epochs``."""
        top = self.peak * self.epochs
        if epoch < top:
            return self.rate * self.between(self.start, 1.0, epoch / top)
        return self.rate * self.between(1.0, self.end, min((epoch - top) / (self.epochs - top), 1.0))

    def between(self, first: float, last: float, share: float) -> float:
        """Return the number at a share of the way from the first to the last, 0 to 1."""
        return first * (1 - share) + last * share


@dataclass(frozen=True)
class OneCycle(Triangular):
    """`Triangular` with half cosine waves in place of lines, and the defaults of PyTorch's OneCycleLR.

    Parameters
    ----------
    rate, epochs, peak, start, end : float
        As for `Triangular`.

    Raises
    ------
    TypeError, ValueError
        If one is no number or out of range.

    References
    ----------
    Smith, Topin (2018), Super-convergence: very fast training of neural networks using large learning rates.
    https://arxiv.org/abs/1708.07120

    Examples
    --------
    >>> [round(OneCycle(1.0, epochs=10)(epoch), 6) for epoch in (0, 1.5, 3, 10)]
    [0.04, 0.52, 1.0, 4e-06]
    """

    peak: float = 0.3
    start: float = 0.04
    end: float = 4e-6

    def between(self, first: float, last: float, share: float) -> float:
        """Return the number at a share of the way from the first to the last, 0 to 1, with no slope at both ends."""
        return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
