"""Nets in training: what each has of its own, and what all of a stack have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array, Arrays
from anynet.nn.losses import Loss
from anynet.sklearn.convergence import Convergence
from anynet.training.errors import DivergedError
from anynet.training.members import Member
from anynet.training.step import Carry


class Samples(NamedTuple):
    """Samples to train on, on the device.

    Attributes
    ----------
    x : array, shape (N, n_in)
    y : array, shape (N,) or (N, m)
        Class numbers, or numbers to predict.
    weights : array, shape (N,), or None
    """

    x: Array
    y: Array
    weights: Array | None


@dataclass(frozen=True, kw_only=True)
class Course:
    """Settings and samples that nets of one stack have in common.

    Parameters
    ----------
    samples : Samples
    backend : Backend
    loss : callable
        As in `anynet.losses`.
    epochs, batch_size : int
    clip_norm : float or None
        Largest norm of the gradient.
    verbose : bool
        If True, print the loss of every epoch.
    stacks : int
        Number of stacks that are trained by the same steps, this one included: a step that all of them run often is
        compiled further earlier.
    """

    samples: Samples
    backend: Backend
    loss: Loss
    epochs: int
    batch_size: int
    clip_norm: float | None = None
    verbose: bool = False
    stacks: int = 1


@dataclass(kw_only=True)
class NetFit:
    """A net in training.

    Parameters
    ----------
    member : Member
        Net, optimizer, seed and penalty.
    rows : ndarray of int64
        Numbers of the samples to train on.
    convergence : Convergence
    carry : Carry, optional
        Where to go on from, for a net that is trained alone. Default: initial parameters of the seed.
    epoch : int
        Number of epochs before; part of the key of the batches' order.
    validate : callable, optional
        ``validate(params, state)`` returns the score by which convergence is judged, and after which the best
        parameters are kept. Default: the training loss is judged, and the last ones are kept.

    Attributes
    ----------
    losses : list of float
        Mean training loss in each epoch.
    scores : list of float
        What `validate` returned.
    error : DivergedError or None
        Why the training ended, if its loss was no longer finite.
    """

    member: Member
    rows: NDArray[np.int64]
    convergence: Convergence
    carry: Carry | None = None
    epoch: int = 0
    validate: Callable[[Array, Arrays], float] | None = None
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    error: DivergedError | None = None
    _best: tuple[Array, Arrays] | None = None

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the numbers of the samples in the order of an epoch of this training, counted from 0."""
        shuffled = generator(self.member.settings.seed, Purpose.ORDER, self.epoch + epoch).permutation(len(self.rows))
        return self.rows[shuffled]

    def add_epoch(self, loss: float, carry: Callable[[], Carry]) -> bool:
        """Add an epoch; return True if training is to end."""
        self.losses.append(loss)
        if self.validate is None:
            self.convergence.update(-loss)
        else:
            now = carry()
            self.scores.append(self.validate(now.params, now.state))
            if self.convergence.update(self.scores[-1]):
                self._best = now.weights
        return self.convergence.reached

    def end(self, carry: Carry) -> None:
        """Keep the parameters of the end, or the best ones."""
        self.epoch += len(self.losses)
        self.carry = carry
        if self._best is not None:
            self.carry = carry._replace(params=self._best[0], state=self._best[1])
