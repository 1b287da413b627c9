"""Detection of the end of a training, as scikit-learn's multi-layer perceptrons do it."""

import math


class Convergence:
    """Best value so far, and the number of epochs without progress.

    Parameters
    ----------
    tol : float
        Smallest improvement that counts as progress, 0 or more.
    patience : float
        Number of successive epochs without progress that are allowed; a further one ends the training.

    Attributes
    ----------
    best : float
        Largest value.

    Examples
    --------
    >>> convergence = Convergence(tol=0.1, patience=1)
    >>> [convergence.update(value) for value in (1.0, 1.05, 1.02)]
    [True, True, False]
    >>> convergence.best, convergence.reached
    (1.05, True)
    """

    def __init__(self, tol: float, patience: float) -> None:
        self._tol, self._patience = tol, patience
        self._waited = 0
        self.best = -math.inf

    @property
    def reached(self) -> bool:
        """True if there was no progress for more epochs than `patience`."""
        return self._waited > self._patience

    def update(self, value: float) -> bool:
        """Add the value of an epoch, of which larger ones are better; return True if it is the largest so far."""
        self._waited = self._waited + 1 if value < self.best + self._tol else 0
        better = value > self.best
        if better:
            self.best = value
        return better
