"""Buffers on the host, from which images are copied to a device."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.typing import Array


class Staging(ABC):
    """Buffers on the host, used in turns, so that one can be filled while another is copied to the device."""

    @abstractmethod
    def host(self) -> NDArray[np.uint8]:
        """Return the next buffer to fill, after waiting until its last content is copied."""

    @abstractmethod
    def send(self, n: int) -> Array:
        """Start copying the first `n` rows of the last buffer, and return their array, which may be used already."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until everything sent is copied, so that the buffers may be freed."""


class CopiedStaging(Staging):
    """One buffer in ordinary memory; `send` returns after the copy.

    Parameters
    ----------
    move : callable
        ``move(host)`` returns an array on the device with the values of a NumPy array.
    shape : tuple of int
        Shape of the buffer.
    """

    def __init__(self, move: Callable[[NDArray[np.uint8]], Array], shape: tuple[int, ...]) -> None:
        self._move = move
        self._buffer = np.empty(shape, np.uint8)

    def host(self) -> NDArray[np.uint8]:
        """Return the buffer."""
        return self._buffer

    def send(self, n: int) -> Array:
        """Copy the first `n` rows."""
        return self._move(self._buffer[:n].copy())

    def wait(self) -> None:
        """Do nothing: `send` has waited."""


class PinnedStaging(Staging):
    """Two page-locked buffers: a GPU copies from one while the host fills the other.

    Parameters
    ----------
    buffers : sequence of ndarray of uint8
        Two arrays in page-locked memory.
    copy : callable
        ``copy(host)`` enqueues a copy to the device, and returns the array and an event whose ``synchronize()`` waits
        for the copy.
    """

    def __init__(
        self, buffers: Sequence[NDArray[np.uint8]], copy: Callable[[NDArray[np.uint8]], tuple[Array, Any]]
    ) -> None:
        self._buffers = buffers
        self._copy = copy
        self._sent: list[Any] = [None, None]
        self._turn = 0

    def host(self) -> NDArray[np.uint8]:
        """Return the other buffer, after waiting for its copy."""
        self._turn = 1 - self._turn
        if self._sent[self._turn] is not None:
            self._sent[self._turn].synchronize()
        return self._buffers[self._turn]

    def send(self, n: int) -> Array:
        """Enqueue a copy of the first `n` rows."""
        array, self._sent[self._turn] = self._copy(self._buffers[self._turn][:n])
        return array

    def wait(self) -> None:
        """Wait for the copies of both buffers."""
        for event in self._sent:
            if event is not None:
                event.synchronize()
