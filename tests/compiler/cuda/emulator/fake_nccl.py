"""NCCL for the emulated GPU, with threads as ranks, each of which has a device and a stream of its own.

A sum waits in the queue of its stream as on a GPU, where it blocks until all ranks have come to it or it is aborted.
"""

import ctypes
from collections import defaultdict
from threading import Condition
from typing import Any

import numpy as np
from fake_gpu import Work

DTYPES = ["int8", "uint8", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]
PATIENCE = 30


class NcclError(RuntimeError):
    """As ``cupy.cuda.nccl.NcclError``, without its number."""


def functions(fake: Any) -> dict[str, Any]:
    """Return the contents of ``cupy.cuda.nccl`` that anynet uses."""
    gpu = fake.gpu
    change = Condition(gpu.lock)  # which a thread does not hold while it waits
    cliques: dict[bytes, dict[int, Any]] = {}

    def get_unique_id() -> bytes:
        cliques[number := len(cliques).to_bytes(128, "big")] = {}
        return number

    class NcclCommunicator:
        """made: all communicators. was_capturing: True if a stream captured while this one was made."""

        made: list["NcclCommunicator"] = []  # noqa: RUF012

        def __init__(self, ndev: int, commId: bytes, rank: int) -> None:
            self.was_capturing = any(stream.is_capturing() for stream in gpu.streams)
            self.ndev, self.rank, self.device = ndev, rank, fake.current
            self.parts: dict[int, np.ndarray] = defaultdict(dict)
            self.done, self.ended, self.error = 0, "", ""
            self.made.append(self)
            self.join(commId)

        def join(self, number: bytes) -> None:
            """Wait for the other ranks."""
            self.clique = cliques[number]
            with change:
                self.clique[self.rank] = self
                change.notify_all()
                assert change.wait_for(lambda: len(self.clique) == self.ndev, PATIENCE)
            if len({each.device for each in self.clique.values()}) < self.ndev:
                raise NcclError("NCCL_ERROR_INVALID_USAGE: invalid usage")

        def allReduce(self, sendbuf, recvbuf, count, datatype, op, stream):
            if self.ended:
                raise NcclError("NCCL_ERROR_INVALID_ARGUMENT: invalid argument")
            assert op == 0
            size = count * np.dtype(datatype).itemsize
            blocks = gpu.memory.block(sendbuf, size), gpu.memory.block(recvbuf, size)
            kept = [gpu.memory.arrays[block] for block in blocks]  # CuPy gives freed memory to later work of a stream
            work = Work("allReduce", lambda: self._add(sendbuf, recvbuf, size, datatype), blocks, kept)
            gpu.stream(stream).push(work)

        def _add(self, sendbuf, recvbuf, size, datatype):
            own = np.frombuffer(ctypes.string_at(sendbuf, size), datatype)
            parts = self.exchange(self.done, own)
            self.done += 1
            if parts is not None:
                total = np.sum(parts, axis=0, dtype=datatype)
                ctypes.memmove(recvbuf, total.ctypes.data, size)

        def exchange(self, number: int, own: np.ndarray) -> list[np.ndarray] | None:
            """Return the parts of all ranks, or None if the communicator is aborted before they have come."""
            first = self.clique[0].parts[number]
            first[self.rank] = own
            change.notify_all()
            assert change.wait_for(lambda: len(first) == self.ndev or self.ended, PATIENCE)
            return None if self.ended else [first[rank] for rank in range(self.ndev)]

        def _end(self, how):
            assert not self.ended
            self.ended = how
            with change:
                change.notify_all()

        def abort(self):
            self._end("aborted")

        def destroy(self):
            self._end("destroyed")

        def check_async_error(self):
            if self.error:
                raise NcclError(self.error)

    numbers = {f"NCCL_{name.upper()}": name for name in DTYPES}  # CuPy's are integers
    own = {each.__name__: each for each in (NcclError, NcclCommunicator, get_unique_id)}
    return {"available": True, "NCCL_SUM": 0} | numbers | own
