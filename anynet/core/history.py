"""The history of a training: one row per epoch, as a sequence and as a CSV file; means over several runs."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anynet.core.checks import nearest
from anynet.core.csv_files import Row, read_rows, write_rows
from anynet.core.errors import FileError
from anynet.core.formatting import format_count, printable

ADVICE = "mend the line, or make the run again"


class Epoch(NamedTuple):
    """Results of one epoch.

    Everything is measured after the epoch, with the running statistics where the net has batch normalization.
    A cost is a loss plus the penalty.

    Attributes
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    lr : float
        Learning rate of the epoch's last step.
    train_cost, train_loss, train_accuracy : float
        On the training images, without augmentation. An accuracy is a fraction, 0 to 1.
    val_cost, val_loss, val_accuracy : float
        On the validation images.
    seconds : float
        Time since training began.
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


class History(Sequence[Epoch]):
    """An immutable sequence of epochs.

    Parameters
    ----------
    epochs : iterable of Epoch
        In the order of training, from the first epoch on.

    Examples
    --------
    >>> rows = [Epoch(1, 0.1, 2.1, 2.0, 0.3, 2.2, 2.1, 0.25, 1.0), Epoch(2, 0.1, 1.6, 1.5, 0.5, 2.0, 1.9, 0.4, 2.0)]
    >>> history = History(rows)
    >>> history["val_accuracy"]
    array([0.25, 0.4 ])
    >>> history.best.epoch, len(history[:1])
    (2, 1)
    """

    def __init__(self, epochs: Iterable[Epoch] = ()) -> None:
        self._epochs = tuple(epochs)

    @overload
    def __getitem__(self, index: int) -> Epoch: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    @overload
    def __getitem__(self, index: str) -> NDArray[np.float64]: ...
    def __getitem__(self, index: int | slice | str) -> Epoch | Self | NDArray[np.float64]:
        """Return one epoch by position, a shorter history by slice, or a column, shape (epochs,), by name."""
        if isinstance(index, slice):
            return type(self)(self._epochs[index])
        if not isinstance(index, str):
            return self._epochs[index]
        if index not in Epoch._fields:
            raise KeyError(f'a history has no column "{index}"{nearest(index, Epoch._fields)}')
        return np.asarray([getattr(row, index) for row in self._epochs], np.float64)

    def __len__(self) -> int:
        return len(self._epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self._epochs)

    def __eq__(self, other: object) -> bool:
        return self._epochs == other._epochs if isinstance(other, History) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._epochs)

    def __repr__(self) -> str:
        if not self:
            return "History()"
        epochs, best = format_count(len(self), "epoch"), self.best
        return f"History({epochs}, best {best.epoch} with validation accuracy {best.val_accuracy})"

    @property
    def best(self) -> Epoch:
        """First epoch with the highest validation accuracy. Raises ValueError if the history is empty."""
        if not self._epochs:
            raise ValueError("an empty history has no best epoch")
        return max(self._epochs, key=lambda row: row.val_accuracy)

    def write_csv(self, path: str | Path, dataset: str) -> None:
        """Write a table with a header, numbers in full precision, replacing the file in one step.

        Parameters
        ----------
        path : str or Path
            File to write.
        dataset : str
            Name of the data set, repeated in the last column of every row.
        """
        rows = ({**row._asdict(), "dataset": dataset} for row in self)
        write_rows(Path(path), (*Epoch._fields, "dataset"), rows)

    @classmethod
    def read_csv(cls, path: str | Path) -> Self:
        """Read what `write_csv` wrote. Columns may come in any order; others are ignored.

        Parameters
        ----------
        path : str or Path
            File to read.

        Returns
        -------
        History

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        FileError
            If a column is missing, a value is not allowed or the epochs are not 1, 2, 3, ...; the message names file,
            line and column. If the file is not in UTF-8; a byte order mark at its start is ignored.
        """
        path = Path(path)
        return cls([_epoch(row, n, path) for n, row in enumerate(read_rows(path, Epoch._fields, ADVICE), start=1)])


class MeanHistory(NamedTuple):
    """Mean and standard deviation of several histories, epoch by epoch.

    Attributes
    ----------
    mean, deviation : History
        One row for each epoch that all histories have; `epoch` is the epoch's number in both.
    """

    mean: History
    deviation: History


def mean_history(histories: Sequence[History]) -> MeanHistory:
    """Return mean and standard deviation over histories, in the epochs that all of them have.

    Parameters
    ----------
    histories : sequence of History
        One or more.

    Returns
    -------
    MeanHistory
    """
    epochs = min(map(len, histories))
    numbers = [row.epoch for row in histories[0][:epochs]]
    table = np.asarray([list(history[:epochs]) for history in histories], np.float64)
    return MeanHistory(
        *(
            History(Epoch(n, *row[1:].tolist()) for n, row in zip(numbers, rows, strict=True))
            for rows in mean_and_deviation(table.reshape(len(histories), epochs, len(Epoch._fields)))
        )
    )


def mean_and_deviation(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and sample standard deviation over the first axis.

    The deviation divides the sum of squares by n - 1; for a single run it is 0.

    Parameters
    ----------
    values : array_like, shape (n, ...)
        Results of n runs, one or more.

    Returns
    -------
    mean, deviation : ndarray, shape (...)

    Examples
    --------
    >>> mean_and_deviation([1.0, 3.0])
    (np.float64(2.0), np.float64(1.4142135623730951))
    >>> mean_and_deviation([[1.0, 5.0]])
    (array([1., 5.]), array([0., 0.]))
    """
    table = np.asarray(values, np.float64)
    return table.mean(axis=0), table.std(axis=0, ddof=min(1, len(table) - 1))


def _epoch(row: Row, number: int, path: Path) -> Epoch:
    """Return the epoch of a row, which must have that number."""
    values = (_value(name, row, number, path) for name in Epoch._fields[1:])
    _value("epoch", row, number, path)
    return Epoch(number, *values)


def _value(name: str, row: Row, number: int, path: Path) -> float:
    text = row.values[name]
    try:
        value, is_number = float(text), True
    except ValueError:
        value, is_number = math.nan, False
    if name == "epoch":
        expected, allowed = f"epoch {number}", value == number
    elif name in ("train_accuracy", "val_accuracy"):
        expected, allowed = "a fraction from 0 to 1", 0 <= value <= 1
    elif name in ("val_cost", "val_loss"):  # may overflow, though the training does not
        expected, allowed = "a number", is_number
    else:
        expected, allowed = "a finite number", math.isfinite(value)
    if not allowed:
        got = f'"{printable(text, 50)}"' if text else "nothing"
        raise FileError(path, f"line {row.line}, column {name}", expected, got, ADVICE)
    return value
