"""Host memory from which images go to a device."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.typing import Array


class Staging(ABC):
    """Host memory from which images go to the device, in turns, so that one can be filled while another moves."""

    @abstractmethod
    def host(self) -> NDArray[np.uint8]:
        """The next buffer to fill, of the shape asked for; waits until its last content has left."""

    @abstractmethod
    def send(self, n: int) -> Array:
        """Start moving the first n rows of the buffer that ``host`` gave last; the array may be used at once."""

    @abstractmethod
    def wait(self) -> None:
        """Return when everything sent has left, and the buffers may be given back."""


class CopiedStaging(Staging):
    """One plain buffer: ``send`` copies, and has finished when it returns.

    move: gives an array on the device with a NumPy array's values.
    """

    def __init__(self, move: Callable[[NDArray[np.uint8]], Array], shape: tuple[int, ...]) -> None:
        self._move = move
        self._buffer = np.empty(shape, np.uint8)

    def host(self) -> NDArray[np.uint8]:
        return self._buffer

    def send(self, n: int) -> Array:
        return self._move(self._buffer[:n].copy())

    def wait(self) -> None:
        pass


class PinnedStaging(Staging):
    """Two page-locked buffers, from which a GPU copies by itself while the host fills the other.

    buffers: two NumPy arrays in page-locked memory.
    copy: ``copy(host)`` puts a copy to the device in line behind the work it has, and returns the array together with
        an event whose ``synchronize()`` waits until the copy is done.
    """

    def __init__(
        self, buffers: Sequence[NDArray[np.uint8]], copy: Callable[[NDArray[np.uint8]], tuple[Array, Any]]
    ) -> None:
        self._buffers = buffers
        self._copy = copy
        self._sent: list[Any] = [None, None]
        self._turn = 0

    def host(self) -> NDArray[np.uint8]:
        self._turn = 1 - self._turn
        if self._sent[self._turn] is not None:
            self._sent[self._turn].synchronize()
        return self._buffers[self._turn]

    def send(self, n: int) -> Array:
        array, self._sent[self._turn] = self._copy(self._buffers[self._turn][:n])
        return array

    def wait(self) -> None:
        for event in self._sent:
            if event is not None:
                event.synchronize()
