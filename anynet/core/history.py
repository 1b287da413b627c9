"""The history of a training: one row per epoch, as a sequence and as a CSV file; means over several runs."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anynet.core.checks import nearest
from anynet.core.csv_files import Row, read_rows, write_rows
from anynet.core.epoch import OF_TRAINING, Epoch, columns_of, rank
from anynet.core.errors import FileError
from anynet.core.formatting import format_count, printable
from anynet.core.history_html import html_epochs
from anynet.core.html_table import html_block

ADVICE = "mend the line, or make the run again"


class History(Sequence[Epoch]):
    """An immutable sequence of epochs.

    Parameters
    ----------
    epochs : iterable of Epoch
        In the order of training, from the first epoch on.

    Examples
    --------
    >>> first = Epoch(1, 0.1, 2.1, 2.0, 0.3, 2.2, 2.1, 0.25, 1.0)
    >>> second = Epoch(2, 0.1, 1.6, 1.5, 0.5, 2.0, 1.9, 0.4, 2.0)
    >>> history = History([first, second])
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
        """Return one epoch by position, a shorter history by slice, or a column, shape (epochs,), by name.

        Columns of the training samples are NaN in epochs after which these were not evaluated.
        """
        if isinstance(index, slice):
            return type(self)(self._epochs[index])
        if not isinstance(index, str):
            return self._epochs[index]
        if index not in self.columns:
            measured = "; its columns are " + ", ".join(self.columns)
            misspelt = "" if index in Epoch._fields else nearest(index, self.columns)
            raise KeyError(f'a history has no column "{index}"{misspelt or measured}')
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
        if best.val_loss is None:
            return f"History({epochs}" + ("" if best.train_loss is None else f", loss {best.train_loss:.4g}") + ")"
        score = f"loss {best.val_loss:.4g}" if best.val_accuracy is None else f"accuracy {best.val_accuracy:.2%}"
        return f"History({epochs}, best {best.epoch} with validation {score})"

    def _repr_html_(self) -> str:
        title = f"History: {format_count(len(self), 'epoch')}"
        return html_block(title, html_epochs(self._epochs, self.columns, self.best) if self else "")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns: those of `Epoch`, without those that were measured in no epoch."""
        measured = [name for name in Epoch._fields if any(getattr(row, name) is not None for row in self._epochs)]
        return tuple(measured) if self._epochs else Epoch._fields

    @property
    def best(self) -> Epoch:
        """Epoch with the highest validation accuracy, or with the lowest validation loss if targets are numbers.

        Of equal accuracies that with the lowest loss, and of equal losses the first. The last epoch if nothing was
        validated. Raises ValueError if the history is empty.
        """
        if not self._epochs:
            raise ValueError("an empty history has no best epoch")
        if self._epochs[0].val_loss is None:
            return self._epochs[-1]
        return max(self._epochs, key=rank)

    def write_csv(self, path: str | Path, dataset: str) -> None:
        """Write a table with a header, numbers in full precision, replacing the file in one step.

        What was not measured in an epoch is left empty.

        Parameters
        ----------
        path : str or Path
            File to write.
        dataset : str
            Name of the data set, repeated in the last column of every row.
        """
        columns = self.columns
        rows = ({name: getattr(row, name) for name in columns} | {"dataset": dataset} for row in self)
        write_rows(Path(path), (*columns, "dataset"), rows)

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
        return cls([_epoch(row, n, path) for n, row in enumerate(read_rows(path, columns_of, ADVICE), start=1)])


class MeanHistory(NamedTuple):
    """Mean and standard deviation of several histories, epoch by epoch.

    Attributes
    ----------
    mean, deviation : History
        One row for each epoch that all histories have; `epoch` is the epoch's number in both. What not all have
        measured in an epoch is None.
    """

    mean: History
    deviation: History

    def __repr__(self) -> str:
        return f"MeanHistory({format_count(len(self.mean), 'epoch')})"


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
    common = [history[:epochs] for history in histories]
    numbers = [row.epoch for row in common[0]]
    columns = [name for name in common[0].columns if all(name in history.columns for history in common)]
    table = np.asarray([[history[name] for name in columns] for history in common], np.float64)

    def history_of(rows: NDArray[np.float64]) -> History:
        values = (measured(dict(zip(columns, row, strict=True))) for row in rows.T.tolist())
        return History(Epoch.of(row | {"epoch": n}) for n, row in zip(numbers, values, strict=True))

    return MeanHistory(*map(history_of, mean_and_deviation(table.reshape(len(histories), len(columns), epochs))))


def measured(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values of an epoch by name without those of training that are NaN: they were not measured."""
    return {name: value for name, value in values.items() if name not in OF_TRAINING or not math.isnan(value)}


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
    with np.errstate(invalid="ignore", over="ignore"):  # losses may be infinite: their deviation is NaN
        return table.mean(axis=0), table.std(axis=0, ddof=min(1, len(table) - 1))


def _epoch(row: Row, number: int, path: Path) -> Epoch:
    """Return the epoch of a row, which must have that number."""
    there = [name for name in row.values if name not in OF_TRAINING]
    if any(row.values.get(name) for name in OF_TRAINING):
        there += OF_TRAINING
    return Epoch.of({name: _value(name, row, number, path) for name in columns_of(there) if name in row.values})


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
