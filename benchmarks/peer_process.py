"""Functions that run in a peer's process, which trains one net at a time."""

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.data import Data, Parameters
from benchmarks.peers.base import Peer
from benchmarks.workloads import Workload

_training: list[Peer] = []


def begin(name: str, workload: Workload, order: NDArray[np.int64]) -> Parameters:
    """Create a peer, train it on the images in this order, and return its parameters.

    Raises LeftOutError if the peer cannot train the workload.
    """
    _training.clear()  # free the previous net's memory first
    peer = peers.find(name)(workload, Data.draw(workload))
    peer.train(order)
    _training.append(peer)
    return peer.parameters()


def launches() -> int | None:
    """Return the launches per step of the current peer."""
    (peer,) = _training
    return peer.launches()


def time_epoch(order: NDArray[np.int64]) -> float:
    """Train the current peer for an epoch; return the seconds."""
    (peer,) = _training
    began = time.perf_counter()
    peer.train(order)
    return time.perf_counter() - began
