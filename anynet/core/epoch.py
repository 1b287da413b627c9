"""Results of one epoch of a training."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from anynet.core.formatting import format_seconds, format_value
from anynet.core.settings_text import in_lines


class Epoch(NamedTuple):
    """Results of one epoch.

    Everything is measured after the epoch, with the running statistics where the net has batch normalization.
    A cost is a loss plus the penalty. A printed epoch has four digits of each number, and no costs that are equal to
    the losses; its attributes are exact.

    Attributes
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    lr : float
        Learning rate of the epoch's last step.
    train_cost, train_loss, train_accuracy : float
        On the training samples, without augmentation; None if they were not evaluated after this epoch. An accuracy is
        a fraction, 0 to 1; None if targets are numbers.
    val_cost, val_loss, val_accuracy : float
        On the validation samples; None if there are none.
    seconds : float
        Time since training began.
    """

    epoch: int
    lr: float
    train_cost: float | None
    train_loss: float | None
    train_accuracy: float | None
    val_cost: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Self:
        """Return an epoch of values by name; those that are missing are None."""
        return cls(**dict.fromkeys(OPTIONAL) | dict(values) | {"epoch": int(values["epoch"])})  # type: ignore[arg-type]

    def __repr__(self) -> str:
        names = [name for name in self._fields if not (name.endswith("_cost") and costs_are_losses([self]))]
        measured = {name: value for name in names if (value := getattr(self, name)) is not None}
        texts = {name: format_value(value, digits=4) for name, value in measured.items()}
        texts["seconds"] = format_seconds(self.seconds)
        return in_lines(f"Epoch({', '.join(f'{name}={text}' for name, text in texts.items())})")


OF_TRAINING = ("train_cost", "train_loss", "train_accuracy")
"""Columns that epochs lack after which training samples were not evaluated."""

OPTIONAL = (*OF_TRAINING, "val_cost", "val_loss", "val_accuracy")
"""Columns that not every history has."""


def columns_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a history has if it has some of these.

    It has all of training or none, all of validation or none, and accuracies of both or neither.

    Parameters
    ----------
    names : sequence of str
        Names of columns, others among them.

    Returns
    -------
    tuple of str
    """
    parts = {name.partition("_")[0] for name in OPTIONAL if name in names}
    accuracies = any(name in names for name in ("train_accuracy", "val_accuracy"))
    return tuple(
        name
        for name in Epoch._fields
        if name not in OPTIONAL or (name.partition("_")[0] in parts and (accuracies or not name.endswith("_accuracy")))
    )


def costs_are_losses(rows: Iterable[Epoch]) -> bool:
    """Return True if the costs of all epochs are their losses, since there is no penalty.

    Parameters
    ----------
    rows : iterable of Epoch

    Returns
    -------
    bool
    """
    pairs = ((row.train_cost, row.train_loss, row.val_cost, row.val_loss) for row in rows)
    return all(
        cost == loss or (cost != cost and loss != loss)  # NaN is neither less nor more than itself
        for each in pairs
        for cost, loss in (each[:2], each[2:])
    )


def rank(row: Epoch) -> tuple[float, float]:
    """Return what is highest in the best epoch: its score, and of equal accuracies the negative validation loss.

    Parameters
    ----------
    row : Epoch

    Returns
    -------
    tuple of float
    """
    loss = math.inf if row.val_loss is None or math.isnan(row.val_loss) else row.val_loss
    return score(row), -loss


def score(row: Epoch) -> float:
    """Return what is highest in the best epoch: the validation accuracy, or the negative loss.

    Parameters
    ----------
    row : Epoch

    Returns
    -------
    float
        The loss is that of validation, or of training if nothing was validated; 0 if neither was measured.
    """
    if row.val_accuracy is not None:
        return row.val_accuracy
    loss = row.train_loss if row.val_loss is None else row.val_loss
    return 0.0 if loss is None else -math.inf if math.isnan(loss) else -loss
