"""Memory of the emulated GPU: allocations are recorded, and have guard bytes around them."""

import bisect
import ctypes
import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

ALIGNMENT, GUARD, GUARD_BYTE, UNSET_BYTE = 512, 64, 0xA5, 0xFF


class OutOfMemoryError(MemoryError):
    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes).")


class MemoryFaultError(AssertionError):
    """Use of memory that is not or no longer allocated, or a write beyond an array."""


@dataclass(frozen=True)
class Block:
    """Allocated memory: its address, its size in bytes, and a number, because addresses are used again."""

    ptr: int
    size: int
    number: int


class Memory:
    """Allocated memory. limit: bytes of the GPU; None is no limit. arrays: what has the memory of a block."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._starts: list[int] = []  # sorted
        self._blocks: dict[int, Block] = {}  # by address
        self.arrays: weakref.WeakValueDictionary[Block, np.ndarray] = weakref.WeakValueDictionary()
        self._dead: list[Block] = []  # no longer used; filled by Python's garbage collection
        self._made, self._used, self._lock = 0, 0, threading.RLock()

    @property
    def used(self) -> int:
        """Allocated bytes."""
        with self._lock:
            self._sweep()
            return self._used

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return an array whose bits are all 1, which is NaN; its memory is freed when no view of it is left.

        Raises OutOfMemoryError.
        """
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.limit is not None and self.used + size > self.limit:
            raise OutOfMemoryError(size, self.used, self.limit)
        raw = np.full(size + 2 * GUARD + ALIGNMENT, GUARD_BYTE, np.uint8)
        start = -(raw.ctypes.data + GUARD) % ALIGNMENT + GUARD
        raw[start : start + size] = UNSET_BYTE
        with self._lock:
            self._made += 1
            block = Block(raw.ctypes.data + start, size, self._made)
            self._sweep()
            bisect.insort(self._starts, block.ptr)
            self._blocks[block.ptr], self.arrays[block] = block, raw
            self._used += size
        weakref.finalize(raw, self._dead.append, block)
        return raw[start : start + size].view(dtype).reshape(shape)

    def _sweep(self) -> None:
        while self._dead:
            block = self._dead.pop()
            self._starts.remove(block.ptr)
            del self._blocks[block.ptr]
            self._used -= block.size

    def find(self, address: int, size: int = 0) -> Block | None:
        """Return the block that holds all of these bytes, or None."""
        with self._lock:
            self._sweep()
            i = bisect.bisect_right(self._starts, address) - 1
            block = self._blocks[self._starts[i]] if i >= 0 else None
        return block if block and address + size <= block.ptr + max(block.size, 1) else None

    def block(self, address: int, size: int = 0) -> Block:
        """Return the block that holds all of these bytes; raise MemoryFaultError if there is none."""
        found = self.find(address, size)
        if found is None:
            raise MemoryFaultError(f"{size} bytes at {address:#x} are not in one array's memory")
        return found

    def check(self, blocks: Iterable[Block]) -> None:
        """Raise MemoryFaultError if a block is no longer allocated, or something was written around it."""
        for block in blocks:
            if self.find(block.ptr) != block:
                raise MemoryFaultError("freed memory is used")
            for address in (block.ptr - GUARD, block.ptr + block.size):
                if ctypes.string_at(address, GUARD) != bytes([GUARD_BYTE]) * GUARD:
                    raise MemoryFaultError(f"something was written beyond an array of {block.size} bytes")
