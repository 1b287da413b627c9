"""Learning-rate schedules: the learning rate as a function of the epoch.

A schedule is called with the time since the start in epochs, a float: 2.5 is the middle of the third epoch. Schedules
that change once an epoch use the number of completed epochs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from anynet.core.checks import describe, real_number, store, store_not_negative
from anynet.optim.peaks import OneCycle as OneCycle
from anynet.optim.peaks import Triangular as Triangular

Schedule = Callable[[float], float]
"""``schedule(epoch)`` returns the learning rate."""


@dataclass(frozen=True)
class Constant:
    """Constant learning rate.

    Parameters
    ----------
    rate : float
        Learning rate, 0 or more.

    Raises
    ------
    ValueError
        If it is negative or not finite.
    """

    rate: float

    def __post_init__(self) -> None:
        store_not_negative(self, "rate")

    def __call__(self, epoch: float) -> float:
        """Return ``rate``."""
        return self.rate


@dataclass(frozen=True)
class Exponential:
    r"""Exponential decay, :math:`\eta(t) = \eta_0 \gamma^{\lfloor t \rfloor}`.

    Parameters
    ----------
    rate : float
        Initial learning rate :math:`\eta_0`.
    gamma : float
        Factor per epoch, 0 or more.

    Raises
    ------
    ValueError
        If one is negative or not finite.

    See Also
    --------
    ExponentialDecay : The same family with a decay constant instead of a factor.

    Examples
    --------
    >>> [Exponential(0.1, gamma=0.5)(epoch) for epoch in (0, 0.9, 1, 2)]
    [0.1, 0.1, 0.05, 0.025]
    """

    rate: float
    gamma: float

    def __post_init__(self) -> None:
        store_not_negative(self, "rate", "gamma")

    def __call__(self, epoch: float) -> float:
        """Return ``rate`` times the factor of the completed epochs."""
        return self.rate * self.gamma ** _completed(epoch)


@dataclass(frozen=True)
class ExponentialDecay(Exponential):
    r"""`Exponential` with :math:`\gamma = e^{-k}`.

    Parameters
    ----------
    rate : float
        Initial learning rate :math:`\eta_0`.
    k : float
        Decay constant per epoch.

    Raises
    ------
    ValueError
        If `rate` is negative, or one is not finite.

    Notes
    -----
    Computed as :math:`e^{-k \lfloor t \rfloor}`, which differs from a power of :math:`\gamma` by rounding only.

    Examples
    --------
    >>> [round(ExponentialDecay(0.3, k=0.1)(epoch), 6) for epoch in (0, 1, 10)]
    [0.3, 0.271451, 0.110364]
    """

    gamma: float = field(init=False, repr=False, compare=False)
    k: float

    def __post_init__(self) -> None:
        store_not_negative(self, "rate")
        k = real_number("k", self.k)
        if not -700 < k < math.inf:  # the exponential function overflows
            raise ValueError(f"{self}: expected k finite, and more than -700")
        store(self, "k", k)
        store(self, "gamma", math.exp(-k))

    def __call__(self, epoch: float) -> float:
        """Return ``rate`` times the decay of the completed epochs."""
        return self.rate * math.exp(-self.k * _completed(epoch))


@dataclass(frozen=True)
class Step:
    r"""Step decay, :math:`\eta(t) = \eta_0 f^{\lfloor t / T \rfloor}`.

    Parameters
    ----------
    rate : float
        Initial learning rate :math:`\eta_0`.
    factor : float
        Factor :math:`f` of each step, 0 or more.
    every : float
        Epochs :math:`T` between two steps, more than 0.

    Raises
    ------
    ValueError
        If `every` is not positive, or another one is negative or not finite.

    Examples
    --------
    >>> [Step(1.0, factor=0.1, every=10)(epoch) for epoch in (0, 9.9, 10, 25)]
    [1.0, 1.0, 0.1, 0.010000000000000002]
    """

    rate: float
    factor: float
    every: float

    def __post_init__(self) -> None:
        store_not_negative(self, "rate", "factor")
        every = real_number("every", self.every)
        if not every > 0:
            raise ValueError(f"{self}: expected every > 0, in epochs")
        store(self, "every", every)

    def __call__(self, epoch: float) -> float:
        """Return ``rate`` times ``factor`` to the number of steps."""
        return self.rate * self.factor ** _completed(epoch / self.every)


@dataclass(frozen=True)
class Cosine:
    r"""Cosine annealing to 0, :math:`\eta(t) = \eta_0 (1 + \cos(\pi \min(t / T, 1))) / 2`, changed at every step.

    Parameters
    ----------
    rate : float
        Initial learning rate :math:`\eta_0`.
    epochs : float
        Epochs :math:`T` until the rate is 0, more than 0.

    Raises
    ------
    ValueError
        If `epochs` is not positive, or `rate` is negative or not finite.

    References
    ----------
    Loshchilov, Hutter (2017), SGDR: stochastic gradient descent with warm restarts, equation 5 without restarts.
    https://arxiv.org/abs/1608.03983

    Examples
    --------
    >>> [round(Cosine(0.1, epochs=4)(epoch), 6) for epoch in (0, 1, 2, 4)]
    [0.1, 0.085355, 0.05, 0.0]
    """

    rate: float
    epochs: float

    def __post_init__(self) -> None:
        store_not_negative(self, "rate")
        epochs = real_number("epochs", self.epochs)
        if not epochs > 0:
            raise ValueError(f"{self}: expected epochs > 0")
        store(self, "epochs", epochs)

    def __call__(self, epoch: float) -> float:
        """Return the learning rate; 0 after ``epochs``."""
        return self.rate * (1 + math.cos(math.pi * min(epoch / self.epochs, 1))) / 2


@dataclass(frozen=True)
class Warmup:
    """Linear warm-up from 0, followed by another schedule that starts at the end of the warm-up.

    Parameters
    ----------
    epochs : float
        Length of the warm-up, finite and not negative.
    then : callable
        Schedule that follows. The warm-up ends at its initial rate.

    Raises
    ------
    TypeError, ValueError
        If `epochs` is negative or infinite, or `then` is not callable.

    References
    ----------
    Goyal et al. (2017), Accurate, large minibatch SGD, section 2.2. https://arxiv.org/abs/1706.02677

    Examples
    --------
    >>> schedule = Warmup(epochs=2, then=Exponential(0.1, gamma=0.5))
    >>> [schedule(epoch) for epoch in (0, 1, 2, 3)]
    [0.0, 0.05, 0.1, 0.05]
    """

    epochs: float
    then: Schedule

    def __post_init__(self) -> None:
        if not callable(self.then):
            raise TypeError(f"then: expected a schedule, such as Constant(0.1), got {describe(self.then)}")
        store_not_negative(self, "epochs")

    def __call__(self, epoch: float) -> float:
        """Return ``then(0) * epoch / epochs`` in the warm-up, ``then(epoch - epochs)`` afterwards."""
        if epoch < self.epochs:
            return self.then(0) * epoch / self.epochs
        return self.then(epoch - self.epochs)


def _completed(epochs: float) -> int:
    """Round down with a tolerance: 2.3 - 0.3, after a warm-up of 0.3, is a little less than 2."""
    return math.floor(epochs + 1e-9)
