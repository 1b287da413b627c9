"""Processes that train together, as training sees them; `anynet.mpi` has those of MPI."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from anynet.core.errors import Error
from anynet.core.formatting import first_line, format_difference, printable
from anynet.core.share import Share
from anynet.core.typing import Array

T = TypeVar("T")


class RanksError(Error, RuntimeError):
    """Raised if processes cannot train together; one line says why, and what to do."""


class RankLost(KeyboardInterrupt):
    """Raised if another process has ended before the training has, or was interrupted.

    Parameters
    ----------
    rank : int
        Its number.
    message : str
        One line that names it and says why.
    interrupted : bool
        True if it was interrupted, as all usually are at the same time.
    told : bool
        True if it has said why it ends.
    """

    def __init__(self, rank: int, message: str, *, interrupted: bool = False, told: bool = False) -> None:
        super().__init__(message)
        self.rank, self.interrupted, self.told = rank, interrupted, told


class Ranks(ABC):
    """Processes that train together: all call the same functions in the same order.

    Parameters
    ----------
    rank : int
        Number of this process, counted from 0.
    size : int
        Number of processes.
    """

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    def __repr__(self) -> str:
        return f"<rank {self.rank} of {self.size}>"

    @property
    def is_first(self) -> bool:
        """True on the rank that writes files, shows progress and calls callbacks."""
        return self.rank == 0

    @abstractmethod
    def sum(self, array: Array) -> Array:
        """Return the sum of the arrays of all ranks, a new array; their shapes and dtypes are the same."""

    @abstractmethod
    def sum_into(self, array: Array, out: Array) -> None:
        """Write the sum of the arrays of all ranks to `out`, which has their shape and dtype."""

    @abstractmethod
    def all(self, value: T) -> list[T]:
        """Return the values of all ranks, which can be pickled, in the order of the ranks."""

    @abstractmethod
    def of_first(self, value: T) -> T:
        """Return the value of the first rank."""

    @abstractmethod
    def look(self) -> None:
        """Raise `RankLost` if another rank has ended or was interrupted."""

    @abstractmethod
    def confirm(self) -> None:
        """Raise `RankLost` if sums up to now may lack the part of a rank that has ended, as those on GPUs may."""

    @abstractmethod
    def leave(self, reason: str = "") -> None:
        """Tell the others that this rank takes no further part: they raise `RankLost` when they wait for it.

        Parameters
        ----------
        reason : str
            Message of an error that it has told its user. Default: it was interrupted.
        """

    def share(self, samples: int) -> Share:
        """Return this rank's share of a batch of so many samples."""
        return Share.of(self.rank, self.size, samples, self)

    def first(self, function: Callable[[], T]) -> T:
        """Call a function on the first rank, and return what it returns on all ranks.

        Parameters
        ----------
        function : callable
            Its result can be pickled.

        Returns
        -------
        object
            Its result, on each rank.

        Raises
        ------
        RankLost
            On the other ranks, if it raises an error, which the first rank raises as it is.
        """
        error: BaseException | None = None
        result: Any = None
        if self.is_first:
            try:
                result = function()
            except BaseException as raised:
                error = raised
        failed, sent = self.of_first((error is not None, result if error is None else first_line(error)))
        if error is not None:
            raise error
        if failed:
            raise RankLost(0, f"rank 0 of {self.size} stopped: {sent}", told=True)
        received: T = sent  # type: ignore[assignment]
        return received

    def check_same(self, what: Mapping[str, str]) -> None:
        """Check that all ranks have the same texts.

        Parameters
        ----------
        what : mapping of str to str
            Settings and versions by name.

        Raises
        ------
        RanksError
            On all ranks, if one has others than the first: the message names the first difference.
        """
        one, *others = self.all(dict(what))
        for k, other in enumerate(others, 1):
            for name in {**one, **other}:
                a, b = one.get(name, "none"), other.get(name, "none")
                if a != b:
                    a, b = format_difference(a, b)
                    raise RanksError(
                        f"ranks: expected the same settings and versions on all of them, got {printable(name)} {a} on "
                        f"rank 0 and {b} on rank {k}; start all with one command in one environment"
                    )
