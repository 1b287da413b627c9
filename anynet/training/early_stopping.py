"""Early stopping: the end of a training whose results on the validation samples no longer improve."""

from collections.abc import Sequence

from anynet.core.history import History
from anynet.data import Dataset


def should_stop(history: History, patience: int | None) -> bool:
    """Return True if the best epoch in validation lies `patience` epochs back.

    It depends on the history alone, so that a resumed training ends where one that was not stopped does.

    Parameters
    ----------
    history : History
    patience : int or None
        1 or more; None never stops.

    References
    ----------
    Goodfellow, Bengio, Courville (2016), Deep Learning, algorithm 7.1, with one evaluation per epoch.
    https://www.deeplearningbook.org/contents/regularization.html

    Examples
    --------
    >>> from anynet.core.epoch import Epoch
    >>> from anynet.core.history import History
    >>> rows = [Epoch(n, 0.1, 1.0, 1.0, 0.5, 1.0, 1.0, val, 1.0) for n, val in enumerate([0.2, 0.4, 0.4, 0.3], 1)]
    >>> [should_stop(History(rows[:n]), patience=2) for n in range(5)]
    [False, False, False, False, True]
    """
    return patience is not None and bool(history) and history[-1].epoch - history.best.epoch >= patience


def stopped(histories: Sequence[History], patience: int | None) -> set[int]:
    """Return the numbers of the members that should stop."""
    return {k for k, history in enumerate(histories) if should_stop(history, patience)}


def check_validation(data: Dataset, patience: int | None) -> None:
    """Raise ValueError if there is nothing to stop by."""
    if patience is not None and data.val is None:
        raise ValueError(
            f"patience: expected {data.name} with a validation part, got none; leave patience out, or val > 0"
        )
