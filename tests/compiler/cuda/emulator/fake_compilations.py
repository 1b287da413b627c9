"""Counts of what NVRTC would compile, and of CuPy's functions that are called."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

NONE = "empty empty_like zeros zeros_like dot inner matmul tensordot vdot"
"""Functions without a kernel: they set memory to 0, or call cuBLAS."""

MANY = 8
"""CuPy concatenates more small arrays than this with a kernel for it."""

Key = tuple[Any, ...]
"""Name of a kernel of CuPy's, then the dtype, number of axes and contiguity of each array."""


class Compilations:
    """Counts of what NVRTC compiles once for each device, if nothing is found in CuPy's cache on disk.

    modules: distinct sources of RawModule. kernels: distinct kernels of CuPy's own, as its source lets expect: one for
    each function, dtypes and layouts, after adjacent axes have been merged; copies of whole contiguous arrays need
    none. calls: names of all functions of CuPy that were called, in order.
    """

    def __init__(self) -> None:
        self.modules: list[str] = []
        self.kernels: list[Key] = []
        self.calls: list[str] = []

    def __len__(self) -> int:
        return len(self.modules) + len(self.kernels)

    def add_module(self, code: str) -> None:
        if code not in self.modules:
            self.modules.append(code)

    def add_call(self, name: str, args: tuple, kwargs: dict[str, Any], result: Any) -> None:
        """Note a kernel of CuPy's; the arguments of its function and the result are NumPy arrays."""
        for key in _kernels(name, args, kwargs, result):
            if key not in self.kernels:
                self.kernels.append(key)


def _kernels(name: str, args: tuple, kwargs: dict[str, Any], result: Any) -> Iterator[Key]:
    if name in NONE.split():
        return
    if name in ("ones", "ones_like"):
        yield "fill", str(result.dtype)
    elif name in ("fill", "full", "full_like"):
        yield from _assign(args[0] if name == "fill" else result, kwargs.get("fill_value", args[-1]))
    elif name == "setitem":
        yield from _assign(args[0][args[1]], args[2])
    elif name in ("array", "asarray", "astype"):
        if not np.may_share_memory(result, args[0]):
            yield "copy", *_layouts([args[0], result])
    elif name in ("ascontiguousarray", "copy", "copyto"):
        yield from _assign(*((args[0], args[1]) if name == "copyto" else (result, args[0])))
    elif name in ("concatenate", "stack") and len(args[0]) <= MANY:
        axis = kwargs.get("axis", args[1] if len(args) > 1 else 0)
        parts = [np.expand_dims(part, axis) if name == "stack" else part for part in args[0]]
        stops = np.cumsum([part.shape[axis] for part in parts])
        for part, into in zip(parts, np.split(result, stops[:-1], axis), strict=True):
            yield "copy", *_layouts([part, into])
    else:
        yield name, *_layouts([*_arrays((args, kwargs)), *_arrays(result)])


def _assign(into: Any, value: Any) -> Iterator[Key]:
    """Yield the kernel of ``into[...] = value``, if it is not a copy of whole contiguous arrays."""
    into = np.asarray(into)
    if not isinstance(value, np.ndarray):
        if np.any(value) or not into.flags.c_contiguous:
            yield "fill", str(into.dtype)
    elif (value.dtype, value.shape) != (into.dtype, into.shape) or not (
        value.flags.c_contiguous and into.flags.c_contiguous
    ):
        yield "copy", *_layouts([value, into])


def _arrays(tree: Any) -> Iterator[np.ndarray]:
    if isinstance(tree, np.ndarray | np.generic):
        yield np.asarray(tree)
    elif isinstance(tree, tuple | list | dict):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _arrays(part)


def _layouts(arrays: Sequence[np.ndarray]) -> list[Key]:
    """Return dtype, number of axes and contiguity of each array; arrays that can be broadcast are merged as one."""
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:  # such as a reduction's argument and result
        return [layout for array in arrays for layout in _layouts([array])]
    wide = [np.broadcast_to(array, shape) for array in arrays]
    axes: list[tuple[int, list[int]]] = []  # lengths and strides
    for n, *strides in zip(shape, *(array.strides for array in wide), strict=True):
        if axes and n > 1 and axes[-1][1] == [stride * n for stride in strides]:
            axes[-1] = (axes[-1][0] * n, strides)
        elif n > 1:
            axes.append((n, strides))
    return [(str(array.dtype), len(axes), array.flags.c_contiguous) for array in wide]
