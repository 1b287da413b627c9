"""Long vectors of a carry on the CPU, between two calls of a loop that JAX compiled.

XLA gets memory for large results from the operating system at every call and gives it back. The first access to such
memory costs several times as much as a copy.
"""

import math
import weakref
from collections import defaultdict
from typing import Any

import jax
import numpy as np
from numpy.typing import DTypeLike, NDArray

from anynet.core.typing import ConcreteArray as Array

LONG = 1 << 25
"""Least size of a long vector, in bytes: up to here, C libraries keep freed memory for the next request."""

ALIGNMENT = 64
"""Alignment in bytes of memory that XLA uses without a copy."""

Parts = list[Array]


def is_long(array: Array) -> bool:
    """Return True for arrays whose parts are worth keeping."""
    return bool(array.nbytes >= LONG)


class KeptParts:
    """Vectors in parts as the last call of a loop returned them, for the next call, which may write over them."""

    def __init__(self) -> None:
        self._memory = ReusedMemory()
        self._last: tuple[list[weakref.ref[Array]], list[Parts]] = [], []

    def take(self, leaves: list[Array]) -> list[Parts] | None:
        """Return the parts of the arrays if these are what `join` returned last, which is forgotten; otherwise None."""
        (joined, parts), self._last = self._last, ([], [])
        is_last = len(joined) == len(leaves) and all(ref() is leaf for ref, leaf in zip(joined, leaves, strict=True))
        return parts if is_last else None

    def join(self, parts: list[Parts]) -> list[Array]:
        """Return whole arrays, and keep the parts."""
        joined = [own[0] if len(own) == 1 else self._whole(own) for own in parts]
        self._last = [weakref.ref(array) for array in joined], parts
        return joined

    def _whole(self, parts: Parts) -> Array:
        shape = *parts[0].shape[:-1], sum(part.shape[-1] for part in parts)
        whole = self._memory.empty(shape, parts[0].dtype)
        np.concatenate([np.from_dlpack(part) for part in parts], axis=-1, out=whole)
        array: Array = jax.device_put(whole, parts[0].device, may_alias=True)
        return array


class ReusedMemory:
    """Memory of NumPy arrays, which is used again once neither the array nor a view of it is left."""

    def __init__(self) -> None:
        self._free: dict[int, list[NDArray[np.uint8]]] = defaultdict(list)

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an aligned array, without values."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        free = self._free[size]
        memory = free.pop() if free else np.empty(size + ALIGNMENT, np.uint8)
        lent = _Lent(memory, size)
        weakref.finalize(lent, free.append, memory).atexit = False
        return np.asarray(lent).view(dtype).reshape(shape)


class _Lent:
    """Owner of an array in the memory of another, in place of that one, and alive as long as any view."""

    def __init__(self, memory: NDArray[np.uint8], size: int) -> None:
        start = -memory.ctypes.data % ALIGNMENT
        self.__array_interface__ = memory[start : start + size].__array_interface__
