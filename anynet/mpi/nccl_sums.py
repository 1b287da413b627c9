"""Sums of CuPy arrays over ranks by NCCL, on the GPU's current stream, so that a captured graph may contain them."""

import atexit
import socket
import time
import warnings
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

import cupy

from anynet.core.formatting import first_line
from anynet.core.ranks import RankLost, Ranks, RanksError
from anynet.core.typing import ConcreteArray as Array
from anynet.mpi.watch import GRACE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # RanksError says it in one line if NCCL is missing
    from cupy.cuda import nccl

LOOK = 0.1
"""Seconds between two looks at the other ranks."""

END = 1.0
"""Seconds that the end of NCCL may take: it waits for the other ranks of a machine, and for graphs that still exist."""

Place = tuple[bool, str, str]
"""True if a rank has NCCL, the name of its machine, and the address of its GPU there."""


class NcclSums:
    """Sums over ranks with a GPU each. All ranks make one at the same time, outside of a capture.

    A sum of a rank that has gone never ends, and the GPU cannot be asked for anything else meanwhile. So a thread looks
    at the other ranks; if one is lost, it makes NCCL give up, and the results of sums that were not done are wrong.

    Parameters
    ----------
    ranks : Ranks
    lost : callable
        Returns the error of a rank that has ended, or None, and may be called from a thread.

    Raises
    ------
    RanksError
        If NCCL is missing or cannot connect the GPUs, or if two ranks use one GPU.
    RankLost
    """

    def __init__(self, ranks: Ranks, lost: Callable[[], RankLost | None]) -> None:
        self._ranks, self._lost, self._device = ranks, lost, cupy.cuda.Device()
        check_places(ranks.all((nccl.available, socket.gethostname(), self._device.pci_bus_id)))
        self._communicator: Any = None
        self._failure: RankLost | RanksError | None = None
        self._ready, self._ending = Event(), Event()
        number = ranks.first(nccl.get_unique_id)
        self._thread = Thread(target=self._connect_and_watch, args=(number,), name="anynet NCCL", daemon=True)
        self._thread.start()
        atexit.register(self._end)
        while not self._ready.wait(LOOK / 10):
            ranks.look()
        self.confirm()

    def sum(self, array: Array) -> Array:
        """Return the sum of the arrays of all ranks, a new array."""
        out: Array = cupy.empty(array.shape, array.dtype)
        self.sum_into(array, out)
        return out

    def sum_into(self, array: Array, out: Array) -> None:
        """Write the sum of the arrays of all ranks to `out`, on the current stream."""
        kind = getattr(nccl, f"NCCL_{array.dtype.name.upper()}", None)
        if kind is None:
            raise TypeError(f"array: expected floats, or integers of 8, 32 or 64 bits, got {array.dtype}; convert it")
        if array.device != self._device:
            raise RanksError(f"ranks: expected arrays on {self._device}, as in the first sum, got {array.device}")
        self.confirm()
        own = cupy.ascontiguousarray(array)
        place = out if out.flags.c_contiguous else cupy.empty(out.shape, out.dtype)
        stream = cupy.cuda.get_current_stream().ptr
        if own.size:
            try:
                self._communicator.allReduce(own.data.ptr, place.data.ptr, own.size, kind, nccl.NCCL_SUM, stream)
            except nccl.NcclError as error:
                time.sleep(GRACE)  # until it is known that a rank is lost, if one is
                self._ranks.look()
                raise self._failure or _failed("add arrays", error) from error
        if place is not out:
            out[...] = place

    def confirm(self) -> None:
        """Raise the error because of which sums up to now may be wrong, if there is one."""
        if self._failure is not None:
            self._ranks.look()
            raise self._failure

    def _connect_and_watch(self, number: Any) -> None:
        """Make the communicator, abort it if a rank is lost or NCCL fails, or destroy it in the end."""
        try:
            self._device.use()
            self._communicator = communicator = nccl.NcclCommunicator(self._ranks.size, number, self._ranks.rank)
        except Exception as error:
            self._failure = _failed("connect the GPUs", error)
            return
        finally:
            self._ready.set()
        while not self._ending.wait(LOOK):
            if self._find_failure() is not None:
                time.sleep(GRACE)  # a rank that has ended in order has done its part of sums that are about to be done
                self._failure = self._find_failure()
                communicator.abort()
                return
        communicator.destroy()

    def _find_failure(self) -> RankLost | RanksError | None:
        """Return the loss of a rank or, if none is lost, an error of NCCL's, such as that of a network."""
        if (lost := self._lost()) is not None:
            return lost
        try:
            self._communicator.check_async_error()
        except nccl.NcclError as error:
            return _failed("reach all GPUs", error)
        return None

    def _end(self) -> None:
        self._ending.set()
        self._thread.join(END)


def check_places(places: Sequence[Place]) -> None:
    """Check that all ranks have NCCL, and a GPU of their own.

    Parameters
    ----------
    places : sequence of Place
        Of all ranks, in their order.

    Raises
    ------
    RanksError
    """
    for k, (available, machine, gpu) in enumerate(places):
        if not available:
            release = cupy.cuda.runtime.runtimeGetVersion() // 1000
            raise RanksError(
                f"ranks: expected NCCL, which adds CuPy arrays, on all of them, got none on rank {k} ({machine}); "
                f"pip install nvidia-nccl-cu{release}"
            )
        if (first := places.index((available, machine, gpu))) != k:
            raise RanksError(
                f"ranks: expected a GPU for each, got one for ranks {first} and {k} (GPU {gpu} of {machine}); start "
                "no more ranks than GPUs, with Open MPI as: mpiexec -n N sh -c "
                "'CUDA_VISIBLE_DEVICES=$OMPI_COMM_WORLD_LOCAL_RANK exec python ...'"
            )


def _failed(what: str, error: Exception) -> RanksError:
    return RanksError(f"ranks: NCCL cannot {what} ({first_line(error)}); NCCL_DEBUG=INFO shows why")
