"""Buffers on the host, from which samples are copied to a device."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from anynet.core.typing import Array


class Staging(ABC):
    """Buffers on the host, used in turns, so that one can be filled while another is copied to the device."""

    @abstractmethod
    def host(self) -> NDArray[Any]:
        """Return the next buffer to fill, after waiting until its last content is copied."""

    @abstractmethod
    def send(self, n: int) -> None:
        """Start copying the first `n` rows of the last buffer."""

    @abstractmethod
    def receive(self) -> Array:
        """Return the array of the oldest `send` not received yet, which may be used at once.

        The device waits for the copy before it uses the array, so receive it when it is needed and no earlier.
        """

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
    dtype : dtype
        NumPy dtype of the buffer.
    """

    def __init__(self, move: Callable[[NDArray[Any]], Array], shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._move = move
        self._buffer = np.empty(shape, dtype)
        self._sent: deque[Array] = deque()

    def host(self) -> NDArray[Any]:
        """Return the buffer."""
        return self._buffer

    def send(self, n: int) -> None:
        """Copy the first `n` rows."""
        self._sent.append(self._move(self._buffer[:n].copy()))

    def receive(self) -> Array:
        """Return the oldest array."""
        return self._sent.popleft()

    def wait(self) -> None:
        """Do nothing: `send` has waited."""


class PinnedStaging(Staging):
    """Two page-locked buffers: a GPU copies from one while the host fills the other.

    Copies run on a stream of their own, beside the computation. An array that is not received yet is kept here: if it
    were freed, its memory could be given to another array during the copy. Once it is received, the stream that
    computes waits for the copy, and memory freed from then on is reused in the order of that stream.

    Parameters
    ----------
    buffers : sequence of ndarray
        Two arrays of one shape and dtype in page-locked memory.
    copy : callable
        ``copy(host)`` enqueues a copy to the device, after the work that the current stream has now, and returns the
        array and an event whose ``synchronize()`` waits for the copy.
    join : callable
        ``join(event)`` makes the current stream wait for an event.
    """

    def __init__(
        self,
        buffers: Sequence[NDArray[Any]],
        copy: Callable[[NDArray[Any]], tuple[Array, Any]],
        join: Callable[[Any], None],
    ) -> None:
        self._buffers, self._copy, self._join = buffers, copy, join
        self._copied: list[Any] = [None, None]
        self._sent: deque[tuple[Array, Any]] = deque()
        self._turn = 0

    def host(self) -> NDArray[Any]:
        """Return the other buffer, after waiting for its copy."""
        self._turn = 1 - self._turn
        if self._copied[self._turn] is not None:
            self._copied[self._turn].synchronize()
        return self._buffers[self._turn]

    def send(self, n: int) -> None:
        """Enqueue a copy of the first `n` rows."""
        array, copied = self._copy(self._buffers[self._turn][:n])
        self._copied[self._turn] = copied
        self._sent.append((array, copied))

    def receive(self) -> Array:
        """Return the oldest array; the current stream waits for its copy."""
        array, copied = self._sent.popleft()
        self._join(copied)
        return array

    def wait(self) -> None:
        """Wait for the copies of both buffers."""
        for event in self._copied:
            if event is not None:
                event.synchronize()
