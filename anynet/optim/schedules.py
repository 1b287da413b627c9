"""Learning rates over the epochs.

A schedule is called with the time since the start in epochs, a float: 2.5 is the middle of the third epoch. Those that
change once an epoch take its whole part.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[float], float]


def _whole(epochs: float) -> int:
    # 2.3 - 0.3, after a warm-up of 0.3, is a little less than 2.
    return math.floor(epochs + 1e-9)


@dataclass(frozen=True)
class Constant:
    """The same rate throughout."""

    rate: float

    def __call__(self, epoch: float) -> float:
        return self.rate


@dataclass(frozen=True)
class Exponential:
    """rate · gamma^epoch, changed once an epoch.

    >>> [Exponential(0.1, gamma=0.5)(epoch) for epoch in (0, 0.9, 1, 2)]
    [0.1, 0.1, 0.05, 0.025]
    """

    rate: float
    gamma: float

    def __call__(self, epoch: float) -> float:
        return self.rate * self.gamma ** _whole(epoch)


@dataclass(frozen=True)
class ExponentialDecay:
    """rate · exp(-k · epoch), changed once an epoch.

    >>> [round(ExponentialDecay(0.3, k=0.1)(epoch), 6) for epoch in (0, 1, 10)]
    [0.3, 0.271451, 0.110364]
    """

    rate: float
    k: float

    def __call__(self, epoch: float) -> float:
        return self.rate * math.exp(-self.k * _whole(epoch))


@dataclass(frozen=True)
class Step:
    """Multiplied by ``factor`` after every ``every`` epochs.

    >>> [Step(1.0, factor=0.1, every=10)(epoch) for epoch in (0, 9.9, 10, 25)]
    [1.0, 1.0, 0.1, 0.010000000000000002]
    """

    rate: float
    factor: float
    every: float

    def __post_init__(self) -> None:
        if not self.every > 0:
            raise ValueError(f"{self}: every has to be more than 0 epochs")

    def __call__(self, epoch: float) -> float:
        return self.rate * self.factor ** _whole(epoch / self.every)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine wave from ``rate`` down to 0 over ``epochs`` epochs, changed at every step, and 0 after them.

    Source: Loshchilov & Hutter 2017, "SGDR", equation 5 without restarts. https://arxiv.org/abs/1608.03983

    >>> [round(Cosine(0.1, epochs=4)(epoch), 6) for epoch in (0, 1, 2, 4)]
    [0.1, 0.085355, 0.05, 0.0]
    """

    rate: float
    epochs: float

    def __post_init__(self) -> None:
        if not self.epochs > 0:
            raise ValueError(f"{self}: a wave takes more than 0 epochs")

    def __call__(self, epoch: float) -> float:
        return self.rate * (1 + math.cos(math.pi * min(epoch / self.epochs, 1))) / 2


@dataclass(frozen=True)
class Warmup:
    """A straight line from 0 up to where ``then`` starts, over ``epochs`` epochs; then ``then``, from its own start.

    Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2. https://arxiv.org/abs/1706.02677

    >>> schedule = Warmup(epochs=2, then=Exponential(0.1, gamma=0.5))
    >>> [schedule(epoch) for epoch in (0, 1, 2, 3)]
    [0.0, 0.05, 0.1, 0.05]
    """

    epochs: float
    then: Schedule

    def __post_init__(self) -> None:
        if not 0 <= self.epochs < math.inf:
            raise ValueError(f"{self}: a warm-up takes 0 epochs or more")

    def __call__(self, epoch: float) -> float:
        if epoch < self.epochs:
            return self.then(0) * epoch / self.epochs
        return self.then(epoch - self.epochs)
