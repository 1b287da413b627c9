"""Texts about the epochs of a training: behind a progress bar, and lines where there is none."""

from collections.abc import Mapping

from anynet.core.epoch import Epoch
from anynet.core.formatting import format_count, format_numbers, format_seconds
from anynet.core.history import History, mean_history


class Lines:
    """Lines about the epochs of a training: one for each that all members have which are in training.

    Parameters
    ----------
    epochs, members : int
        Numbers of epochs and of members.
    """

    def __init__(self, epochs: int, members: int) -> None:
        self._epochs, self._members = epochs, members
        self._expected, self._waiting = set(range(members)), dict[int, Epoch]()

    def add(self, rows: Mapping[int, Epoch]) -> list[str]:
        """Return the lines that are due when some members have ended an epoch.

        Parameters
        ----------
        rows : mapping of int to Epoch
            By number of the member.

        Returns
        -------
        list of str
        """
        due = []
        if self._waiting.keys() & rows.keys():  # those that wait had the others' last line: these have stopped
            due.append(self._take())
        self._waiting |= rows
        if self._waiting.keys() >= self._expected:
            due.append(self._take())
        return due

    def rest(self) -> list[str]:
        """Return the line about what is in none."""
        return [self._take()] if self._waiting else []

    def _take(self) -> str:
        """Return a line about the rows that wait. The next one needs the same members."""
        rows, self._waiting = self._waiting, {}
        self._expected = set(rows)
        return line(dict(sorted(rows.items())), self._epochs, self._members)


def summaries(rows: Mapping[int, Epoch], epochs: int) -> list[str]:
    """Return the means of an epoch as texts, each shorter than the one before, for what is behind a progress bar.

    Parameters
    ----------
    rows : mapping of int to Epoch
        Rows of the members in training, one or more.
    epochs : int
        Number of epochs of the training.

    Returns
    -------
    list of str

    Examples
    --------
    >>> row = Epoch(3, 0.1, 2.1, 2.0, 0.3, 2.2, 2.1, 0.25, 1.0)
    >>> for text in summaries({0: row}, 20):
    ...     print(text)
    epoch 3/20: loss 2.000, accuracy 30.0%, validation 25.0%
    epoch 3/20: accuracy 30.0%, validation 25.0%
    epoch 3/20: validation 25.0%
    3/20: 25.0%
    """
    parts = _parts(rows)
    number = f"{_numbers(rows)}/{epochs}"
    texts = [f"epoch {number}: {', '.join(parts[i:])}" for i in range(len(parts))]
    return [*texts, f"{number}: {parts[-1].split()[-1]}"] if parts else [f"epoch {number}", number]


def line(rows: Mapping[int, Epoch], epochs: int, members: int) -> str:
    """Return the means of an epoch as a line where there is no progress bar.

    Parameters
    ----------
    rows, epochs
        As for `summaries`; the rows may be of several epochs.
    members : int
        Number of members of the training.

    Returns
    -------
    str

    Examples
    --------
    >>> row = Epoch(3, 0.1, 2.1, 2.0, 0.3, 2.2, 2.1, 0.25, 61.0)
    >>> line({0: row, 1: row}, 20, members=2)
    'epoch 3/20 of 2 members: loss 2.000, accuracy 30.0%, validation 25.0%, 61 s'
    """
    of = ""
    if members > 1:
        some = f"member{'' if len(rows) == 1 else 's'} {format_numbers(sorted(rows))}"
        of = f" of {format_count(members, 'member') if len(rows) == members else some}"
    numbers, seconds = _numbers(rows), max(row.seconds for row in rows.values())
    results = [*_parts(rows), f"{format_seconds(seconds)} s"]
    return f"epoch{'s' if '-' in numbers else ''} {numbers}/{epochs}{of}: {', '.join(results)}"


def _numbers(rows: Mapping[int, Epoch]) -> str:
    numbers = [row.epoch for row in rows.values()]
    first, last = min(numbers), max(numbers)
    return f"{first}" if first == last else f"{first}-{last}"


def _parts(rows: Mapping[int, Epoch]) -> list[str]:
    """Return the means that were measured, the least important first."""
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
    return parts
