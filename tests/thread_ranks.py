"""Ranks that are threads of this process, for tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from array_api_compat import array_namespace

from anynet.core.ranks import RankLost, Ranks


class Meeting:
    """Place where threads exchange values: each puts its own down, and takes those of all."""

    def __init__(self, size: int) -> None:
        self.barrier, self.values = Barrier(size, timeout=60), [None] * size

    def exchange(self, rank: int, value: Any) -> list[Any]:
        self.values[rank] = value
        self.barrier.wait()
        values = list(self.values)
        self.barrier.wait()
        return values


class ThreadRanks(Ranks):
    def __init__(self, rank: int, meeting: Meeting) -> None:
        super().__init__(rank, len(meeting.values))
        self._meeting = meeting
        self.sums: list[tuple[int, ...]] = []

    def sum(self, array):
        self.sums.append(tuple(array.shape))
        xp = array_namespace(array)
        return xp.sum(xp.stack(self._meeting.exchange(self.rank, xp.asarray(array, copy=True))), axis=0)

    def sum_into(self, array, out):
        out[...] = self.sum(array)

    def all(self, value):
        return self._meeting.exchange(self.rank, value)

    def of_first(self, value):
        return self._meeting.exchange(self.rank, value)[0]

    def look(self):
        if self._meeting.barrier.broken:
            raise RankLost(0, "another rank has ended")

    def confirm(self):
        """Do nothing: a sum is done when it returns."""

    def leave(self, reason=""):
        self._meeting.barrier.abort()


def on_ranks(size: int, function: Callable[[Ranks], Any], kind: type[ThreadRanks] = ThreadRanks) -> list[Any]:
    """Return what a function returns on each rank."""
    meeting = Meeting(size)

    def call(rank: int) -> Any:
        try:
            return function(kind(rank, meeting))
        except BaseException:
            meeting.barrier.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(call, rank) for rank in range(size)]
        errors = [error for each in futures if (error := each.exception()) is not None]
    for error in sorted(errors, key=lambda error: type(error).__name__ == "BrokenBarrierError"):
        raise error
    return [future.result() for future in futures]
