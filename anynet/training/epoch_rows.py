"""Rows of histories, made of what was measured after an epoch."""

from anynet.core.epoch import Epoch
from anynet.training.evaluate import Metrics


def epoch_row(epoch: int, rate: float, train: Metrics | None, val: Metrics | None, seconds: float) -> Epoch:
    """Return the row of an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    rate : float
        Learning rate of its last step.
    train, val : Metrics or None
        On the training and on the validation samples; None if they were not evaluated.
    seconds : float
        Time since training began.

    Returns
    -------
    Epoch
    """
    parts = {"train": train, "val": val}
    metrics = {f"{part}_{name}": v for part, own in parts.items() if own for name, v in own._asdict().items()}
    return Epoch.of({"epoch": epoch, "lr": rate, **metrics, "seconds": seconds})
