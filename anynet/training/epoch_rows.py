"""Rows of histories, made of what was measured after an epoch, and a summary of them."""

from collections.abc import Mapping

from anynet.core.epoch import Epoch
from anynet.core.history import History, mean_history
from anynet.training.evaluate import Metrics


def epoch_row(epoch: int, rate: float, train: Metrics, val: Metrics | None, seconds: float) -> Epoch:
    """Return the row of an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    rate : float
        Learning rate of its last step.
    train : Metrics
        On the training samples.
    val : Metrics or None
        On the validation samples.
    seconds : float
        Time since training began.

    Returns
    -------
    Epoch
    """
    cost, loss, accuracy = (None, None, None) if val is None else (val.cost, val.loss, val.accuracy)
    return Epoch(epoch, rate, train.cost, train.loss, train.accuracy, cost, loss, accuracy, seconds)


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
    text = f"epoch {mean.epoch}/{epochs}: loss {mean.train_loss:.3f}"
    if mean.train_accuracy is not None:
        text += f", accuracy {mean.train_accuracy:.1%}"
    if mean.val_accuracy is not None:
        return f"{text}, validation {mean.val_accuracy:.1%}"
    return text if mean.val_loss is None else f"{text}, validation {mean.val_loss:.3f}"
