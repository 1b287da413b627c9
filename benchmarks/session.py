"""What is called in a peer's process, which holds one net in training at a time."""

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.data import Data, Parameters
from benchmarks.peers.base import Peer
from benchmarks.workloads import Workload

_training: list[Peer] = []


def begin(name: str, workload: Workload, order: NDArray[np.int64]) -> Parameters:
    """Start anew, train on these images in this order, and return the parameters.

    Raises LeftOutError where the peer cannot.
    """
    _training.clear()  # frees the memory of the net before
    peer = peers.find(name)(workload, Data.draw(workload))
    peer.train(order)
    _training.append(peer)
    return peer.parameters()


def launches() -> int | None:
    """Of a step of the net that has begun."""
    (peer,) = _training
    return peer.launches()


def time_epoch(order: NDArray[np.int64]) -> float:
    """Train an epoch with the net that has begun; returns seconds."""
    (peer,) = _training
    began = time.perf_counter()
    peer.train(order)
    return time.perf_counter() - began
