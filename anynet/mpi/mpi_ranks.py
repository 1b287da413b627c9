"""Processes that MPI connects."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from array_api_compat import is_cupy_array

from anynet.backends import to_library_of, to_numpy
from anynet.core.ranks import RankLost, Ranks
from anynet.core.typing import Array
from anynet.mpi.watch import GRACE, Watch

if TYPE_CHECKING:
    from anynet.mpi.nccl_sums import NcclSums

T = TypeVar("T")

BUSY = 0.001
"""Seconds of waiting in which nothing else is done: most sums take less."""

LOOK = 0.01
"""Seconds between two looks at the other ranks."""


class MpiRanks(Ranks):
    """Processes of a communicator of mpi4py. NCCL adds CuPy arrays; other arrays are added on the host.

    No call blocks in MPI, which would neither notice that another process has ended nor let a signal through.

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm
    watch : Watch
        Connections that tell if another rank ends.
    """

    def __init__(self, comm: Any, watch: Watch) -> None:
        super().__init__(comm.Get_rank(), comm.Get_size())
        self._comm, self._watch = comm.Dup(), watch
        self._looked = -LOOK
        self._nccl: NcclSums | None = None

    def sum(self, array: Array) -> Array:
        """Return the sum of the arrays of all ranks, a new array."""
        if is_cupy_array(array):
            on_gpu: Array = self._on_gpus().sum(array)
            return on_gpu
        host = _host(array)
        out = np.empty_like(host, order="C")
        self._sum(host, out)
        result: Array = to_library_of(out, array)
        return result

    def sum_into(self, array: Array, out: Array) -> None:
        """Write the sum of the arrays of all ranks to `out`."""
        if is_cupy_array(array):
            self._on_gpus().sum_into(array, out)
            return
        place = _host(out)
        if place.flags.c_contiguous and place.flags.writeable:
            self._sum(_host(array), place)
        else:
            out[...] = self.sum(array)  # type: ignore[index]

    def all(self, value: T) -> list[T]:
        """Return the values of all ranks, in their order."""
        from mpi4py import MPI

        data = np.frombuffer(MPI.pickle.dumps(value), np.uint8)
        sizes = np.empty(self.size, np.int64)
        self._wait(lambda: self._comm.Iallgather(np.asarray([len(data)], np.int64), sizes))
        received, ends = np.empty(int(sizes.sum()), np.uint8), np.cumsum(sizes)
        self._wait(lambda: self._comm.Iallgatherv(data, (received, (sizes, ends - sizes))))
        return [MPI.pickle.loads(received[end - n : end].tobytes()) for n, end in zip(sizes, ends, strict=True)]

    def of_first(self, value: T) -> T:
        """Return the value of the first rank."""
        from mpi4py import MPI

        data = np.frombuffer(MPI.pickle.dumps(value) if self.is_first else b"", np.uint8)
        size = np.asarray([len(data)], np.int64)
        self._wait(lambda: self._comm.Ibcast(size, 0))
        received = np.array(data) if self.is_first else np.empty(int(size[0]), np.uint8)
        self._wait(lambda: self._comm.Ibcast(received, 0))
        result: T = value if self.is_first else MPI.pickle.loads(received.tobytes())
        return result

    def look(self) -> None:
        """Raise `RankLost` if another rank has ended or was interrupted."""
        self._watch.look()

    def confirm(self) -> None:
        """Raise `RankLost` if NCCL has given up sums because a rank was lost."""
        if self._nccl is not None:
            self._nccl.confirm()

    def leave(self, reason: str = "") -> None:
        """Tell the others that this rank takes no further part."""
        self._watch.leave(reason)

    def _on_gpus(self) -> "NcclSums":
        """Return the sums of CuPy arrays; all ranks connect their GPUs with the first one."""
        if self._nccl is None:
            from anynet.mpi.nccl_sums import NcclSums  # here, because it imports CuPy

            self._nccl = NcclSums(self, self._watch.lost)
        return self._nccl

    def _sum(self, host: np.ndarray[Any, Any], out: np.ndarray[Any, Any]) -> None:
        own = np.ascontiguousarray(host)
        self._wait(lambda: self._comm.Iallreduce(own, out))

    def _wait(self, start: Callable[[], Any]) -> None:
        """Start a request, and wait until it is done. Raises RankLost if another rank has ended."""
        began = time.monotonic()
        request = start()  # without a look: a rank that has ended may have done its part
        while not request.Test():
            try:
                now = self._look_if_due()
            except RankLost as lost:
                if not lost.told and _is_done_soon(request):
                    return  # it left after it had done its part; the next request raises the error
                raise
            if now - began > BUSY:
                time.sleep(0 if now - began < 1 else 0.001)

    def _look_if_due(self) -> float:
        """Look at the other ranks, unless this was done just now: it takes as long as a short sum. Return the time."""
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._watch.look()
            self._looked = now
        return now


def _is_done_soon(request: Any) -> bool:
    """Return True if a request is done within a short time."""
    end = time.monotonic() + GRACE
    while not request.Test():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


def _host(array: Array) -> np.ndarray[Any, Any]:
    """Return the values of an array on the host, in its memory if that is there."""
    return array if isinstance(array, np.ndarray) else to_numpy(array)
