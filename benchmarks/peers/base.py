"""What a peer is: one library's best way of training a workload."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data, Parameters
from benchmarks.workloads import Workload


class LeftOutError(Exception):
    """Why a peer is not timed, in one line: its library is not here, or has no words for the workload."""


class Peer(ABC):
    """A net in training.

    Made from a workload and its data, in a process of its own. Raises LeftOutError for a workload that it cannot train
    as it is.
    """

    @abstractmethod
    def __init__(self, workload: Workload, data: Data) -> None: ...

    @abstractmethod
    def train(self, order: NDArray[np.int64]) -> None:
        """Train on the images of these numbers, in this order, batch by batch; return when the device is done.

        order: as long as a number of whole batches.
        """

    @abstractmethod
    def parameters(self) -> Parameters:
        """What the parameters are now."""

    def launches(self) -> int | None:
        """How many kernels a step launches, on a CPU how many functions it calls; None where that is not known."""
        return None
