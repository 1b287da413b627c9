"""Rows of histories, made of what was measured after an epoch, and a summary of them."""

from collections.abc import Mapping

from anynet.core.epoch import Epoch
from anynet.core.history import History, mean_history
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


def summary(rows: Mapping[int, Epoch], epochs: int) -> str:
    """Return the means of an epoch as text, for the progress bar.

    Parameters
    ----------
    rows : mapping of int to Epoch
        Rows of the members in training.
    epochs : int
        Number of epochs of the training.

    Returns
    -------
    str
    """
    if not rows:
        return ""
    mean = mean_history([History([row]) for row in rows.values()]).mean[0]
    parts = []
    if mean.train_loss is not None:
        parts.append(f"loss {mean.train_loss:.3f}")
    if mean.train_accuracy is not None:
        parts.append(f"accuracy {mean.train_accuracy:.1%}")
    if mean.val_accuracy is not None:
        parts.append(f"validation {mean.val_accuracy:.1%}")
    elif mean.val_loss is not None:
        parts.append(f"validation {mean.val_loss:.3f}")
    return f"epoch {mean.epoch}/{epochs}" + (f": {', '.join(parts)}" if parts else "")
