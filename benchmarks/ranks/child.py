"""Functions that run in each of several processes that MPI connects."""

import socket
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from anynet import mpi
from benchmarks.data import Data, Parameters
from benchmarks.peers.anynet_peer import Anynet
from benchmarks.worker import serve
from benchmarks.workloads import Workload

SUMS = "anynet", "Allreduce", "Iallreduce"
"""Ways to sum: `Ranks.sum_into`, mpi4py's blocking function, and its other one with a blocking wait."""

ELEMENTS, FEWEST, MOST = 10**7, 5, 1000
"""Number of elements that a repeat sums, and bounds of its number of sums."""

_training: dict[str, Anynet] = {}
_ranks = cache(mpi.ranks)


def main() -> None:
    """Serve calls over the socket that the command line names."""
    found = _ranks()
    link = socket.socket(socket.AF_UNIX)
    link.connect(sys.argv[1])
    connection = Connection(link.detach())
    connection.send(0 if found is None else found.rank)
    serve(connection)


def begin(key: str, backend: str, workload: Workload, order: NDArray[np.int64], shared: bool) -> Parameters:
    """Create a peer, train it on the images in this order, and return its parameters.

    Parameters
    ----------
    key : str
        Name for `time_epoch`.
    backend : str
        As for `Anynet`.
    workload : Workload
    order : array of int64, shape (n,)
    shared : bool
        If True, all processes train one net. If False, each has its own.
    """
    peer = _training[key] = Anynet(workload, Data.draw(workload), backend, _ranks() if shared else None)
    peer.train(order)
    return peer.parameters()


def forget() -> None:
    """Free the memory of all nets."""
    _training.clear()


def time_epoch(key: str, order: NDArray[np.int64]) -> float:
    """Train a net for an epoch, beginning at the same time in all processes; return the seconds."""
    _meet()
    began = time.perf_counter()
    _training[key].train(order)
    return time.perf_counter() - began


def time_steps(key: str, order: NDArray[np.int64]) -> list[float]:
    """Return the seconds of each of some steps, which begin one by one."""
    peer, size = _training[key], _training[key].workload.batch_size
    seconds = []
    for i in range(0, len(order), size):
        began = time.perf_counter()
        peer.train(order[i : i + size])
        seconds.append(time.perf_counter() - began)
    return seconds


def time_sums(size: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of a sum over the ranks of so many float32, in ways that take turns."""
    from mpi4py import MPI

    ranks, comm = _ranks(), MPI.COMM_WORLD
    assert ranks is not None
    own, out = np.ones(size, np.float32), np.empty(size, np.float32)
    ways: tuple[Callable[[], object], ...] = (
        partial(ranks.sum_into, own, out),
        partial(comm.Allreduce, own, out),
        lambda: comm.Iallreduce(own, out).Wait(),
    )
    count = min(max(ELEMENTS // size, FEWEST), MOST)
    seconds: dict[str, list[float]] = {name: [] for name in SUMS}
    for repeat in range(repeats + 1):
        for name, way in zip(SUMS, ways, strict=True):
            _meet()
            began = time.perf_counter()
            for _ in range(count):
                way()
            if repeat:
                seconds[name].append((time.perf_counter() - began) / count)
    if not np.all(out == comm.Get_size()):
        raise ValueError("wrong sum")
    return seconds


def time_additions(size: int, repeats: int) -> list[float]:
    """Return the seconds of adding two vectors of so many float32."""
    one, other, out = (np.ones(size, np.float32) for _ in range(3))
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        np.add(one, other, out=out)
        seconds.append(time.perf_counter() - began)
    return seconds


def _meet() -> None:
    """Wait until all processes are here."""
    if (found := _ranks()) is not None:
        found.all(None)
