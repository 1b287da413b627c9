"""Base class of peers."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data, Parameters
from benchmarks.workloads import Workload


class LeftOutError(Exception):
    """A peer that cannot be timed; the message is the reason, in one line."""


class Peer(ABC):
    """One library's fastest way to train a workload.

    Parameters
    ----------
    workload : Workload
    data : Data

    Raises
    ------
    LeftOutError
        If the library cannot train the workload.
    """

    @abstractmethod
    def __init__(self, workload: Workload, data: Data) -> None: ...

    @abstractmethod
    def train(self, order: NDArray[np.int64]) -> None:
        """Train batch by batch on the images with these indices, and wait for the device.

        Parameters
        ----------
        order : array of int64, shape (n,)
            Indices of images; n is a multiple of the batch size.
        """

    @abstractmethod
    def parameters(self) -> Parameters:
        """Return the current parameters."""

    def launches(self) -> int | None:
        """Return kernel launches per step, on a CPU function calls per step; None if unknown."""
        return None
