"""What is written down after every epoch."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Epoch(NamedTuple):
    """One line of the history. Costs are losses with the penalty; all are measured after the epoch, by the running
    statistics where there is batch normalisation.

    epoch: counted from 1. lr: the learning rate of its last step. seconds: since training began.
    """

    epoch: int
    lr: float
    train_cost: float
    train_loss: float
    train_accuracy: float
    val_cost: float
    val_loss: float
    val_accuracy: float
    seconds: float


def write_csv(path: Path, dataset: str, history: Iterable[Epoch]) -> None:
    """Write the history as a table with a header, numbers to the last digit, the data set's name in every line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*Epoch._fields, "dataset"))
        writer.writerows((*row, dataset) for row in history)
