"""Groups of elementwise operations as one loop over their elements, compiled by Numba.

NumPy reads and writes arrays once per operation, the loop once per group.
"""

import math
from functools import cache
from itertools import groupby, pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from anynet.compiler.graph import Node, elements
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy.blocks import block_calls
from anynet.compiler.numpy.ufuncs import check_index
from anynet.compiler.ops import OPERATIONS, keeps_integers
from anynet.compiler.target import Call, layout

Host = NDArray[Any]

TYPES = {
    "bool": numba.boolean,
    "uint8": numba.uint8,
    "int32": numba.int32,
    "int64": numba.int64,
    "float32": numba.float32,
    "float64": numba.float64,
}

FAST = {"contract", "reassoc", "arcp", "nsz"}
"""LLVM's fast-math flags that change nothing but rounding: infinities and NaN are kept."""


SMALL = 1 << 11
"""Least number of elements of an array whose operations run in loops: a loop saves more than a call costs."""


MANY = 8
"""Least number of operations with an expression for which a group is divided: loops write whole arrays in between."""


def in_kernel(node: Node) -> bool:
    """Return True if an operation can run in a loop though its array is too small for blocks."""
    return elements(node) >= SMALL and node.op != "take" and _can_be_written(node)


def kernel_calls(group: list[Node], memory: MemoryPlan) -> list[Call]:
    """Return the calls that run a group, as `block_calls` does: one loop, if there is an expression for everything.

    A large group without an expression for some operations, such as ``tanh``, is divided at those.
    """
    runs = [(written, list(run)) for written, run in groupby(group, _can_be_written)]
    if len(runs) > 1 and sum(map(_can_be_written, group)) >= MANY:
        return [call for _, run in runs for call in kernel_calls(run, memory)]
    if not all(written for written, _ in runs):
        return block_calls(group, memory)
    source = _Source(group, memory)
    checks = [(check_index, (memory[node.args[0]], memory[node.args[1]], 0)) for node in group if node.op == "take"]
    return [*checks, (_compile(source.text), tuple(source.arrays))]


def _can_be_written(node: Node) -> bool:
    return (
        node.op in OPERATIONS
        and OPERATIONS[node.op].numba != ""
        and (not node.kwargs or node.op in ("astype", "take"))
        and all(f"{used.dtype}" in TYPES for used in (node, *node.inputs))
        and (
            _number_dtype(node).kind == "f"
            or node.op == "astype"
            or all(isinstance(arg, Node) for arg in node.args)
            or keeps_integers(node)
        )
    )


def _number_dtype(node: Node) -> np.dtype:
    """Return the dtype that numbers among the arguments are converted to."""
    dtype: np.dtype = node.dtype if node.op == "where" else node.inputs[-1].dtype
    return dtype


class _Source:
    """Source of a loop, with the arrays that it takes."""

    def __init__(self, group: list[Node], memory: MemoryPlan) -> None:
        self._memory = memory
        self.arrays: list[Host] = []
        self._ahead: list[str] = []  # lines before the loops
        self._rows: list[str] = []  # lines before the inner loops
        self._local = {node: f"t{i}" for i, node in enumerate(group)}
        outer = memory.needed_outside(group)
        for node in outer:
            memory.allocate(node)
        used = {*outer, *(needed for node in group for needed in node.inputs if needed not in self._local)}
        arrays = [memory[node] for node in used if memory[node].size > 1]
        takes = any(node.op == "take" for node in group)
        self._merge = _Merge(group[0].shape, [] if takes else arrays, merge=not takes)
        self._shape = self._merge.shape
        self._index = [f"i{axis}" for axis in range(len(self._shape))]
        lines = []
        for node in group:
            lines.append(f"{self._local[node]} = {node.dtype}({self._expression(node)})")
            if node in outer:
                lines.append(f"{self._element(memory[node])} = {self._local[node]}")
        body = list(self._ahead)
        for axis, n in enumerate(self._shape):
            body.append(f"{'    ' * axis}for i{axis} in range({n}):")
            body += [f"{'    ' * (axis + 1)}{line}" for line in (self._rows if axis == 0 else [])]
        body += ["    " * len(self._shape) + line for line in lines]
        names = ", ".join(f"a{i}" for i in range(len(self.arrays)))
        self.text = "\n    ".join([f"def kernel({names}):", *body])

    def _expression(self, node: Node) -> str:
        if node.op == "take":
            table, index = (self._memory[used] for used in node.inputs)
            self._rows.append(f"r_{self._name(index)} = {self._name(index)}[i0]")
            return f"{self._name(table)}[{', '.join([f'r_{self._name(index)}', *self._index[1:]])}]"
        arguments = node.args[:1] if node.op == "astype" else node.args
        return OPERATIONS[node.op].numba.format(
            *(self._argument(argument, _number_dtype(node)) for argument in arguments)
        )

    def _argument(self, argument: Any, dtype: np.dtype) -> str:
        if not isinstance(argument, Node):
            return f"{dtype}({int(argument) if dtype.kind in 'iu' else float(argument)!r})"
        return self._local.get(argument) or self._element(self._memory[argument])

    def _element(self, array: Host) -> str:
        if array.size == 1:  # read once, before the loops
            name = self._name(array)
            line = f"s_{name} = {name}[{', '.join('0' * array.ndim) or '()'}]"
            self._ahead += [] if line in self._ahead else [line]
            return f"s_{name}"
        array = self._merge(array)
        index = self._index[len(self._shape) - array.ndim :]
        places = ("0" if n == 1 else i for n, i in zip(array.shape, index, strict=True))
        return f"{self._name(array)}[{', '.join(places)}]"

    def _name(self, array: Host) -> str:
        """Return the same name for the same memory, because a compiler must assume that two arrays overlap."""
        array = _contiguous(array)
        known = (i for i, other in enumerate(self.arrays) if _same(array, other))
        i = next(known, len(self.arrays))
        if i == len(self.arrays):
            self.arrays.append(array)
        return f"a{i}"


class _Merge:
    """Views of a group's arrays in which neighboring axes are one where all arrays allow it: fewer, longer loops."""

    def __init__(self, shape: tuple[int, ...], arrays: list[Host], *, merge: bool) -> None:
        self._axes: list[list[int]] = []
        for axis in range(len(shape)):
            if merge and axis and all(_is_one(array, len(shape), axis) for array in arrays):
                self._axes[-1].append(axis)
            else:
                self._axes.append([axis])
        self._ndim, self._merges = len(shape), len(self._axes) < len(shape)
        self.shape = tuple(math.prod(shape[axis] for axis in axes) for axes in self._axes)

    def __call__(self, array: Host) -> Host:
        """Return the view of an array."""
        if not self._merges:
            return array
        whole = (1,) * (self._ndim - array.ndim) + array.shape
        return array.reshape([math.prod(whole[axis] for axis in axes) for axes in self._axes])


def _is_one(array: Host, ndim: int, axis: int) -> bool:
    """Return True if an axis, of the `ndim` that all arrays are broadcast to, goes on where the one before ends."""
    axis -= ndim - array.ndim
    if axis < 1:
        return axis < 0 or array.shape[0] == 1
    (n, stride), (m, step) = layout(array.shape, array.strides)[axis - 1 : axis + 1]
    return (n == 1) == (m == 1) and stride == step * m


def _contiguous(array: Host) -> Host:
    """Return a contiguous view in which a part of each row of a larger array is at the same indices, if there is one.

    Numba knows then that neighbors are one element apart, without which loops are not vectorized. The view has the
    length of the larger rows; its elements beyond the part must not be used.
    """
    axes = [axis for axis, n in enumerate(array.shape) if n > 1]
    if array.flags.c_contiguous or array.strides[axes[-1]] != array.itemsize or 0 in [array.strides[a] for a in axes]:
        return array
    shape = list(array.shape)
    for outer, inner in pairwise(axes):
        shape[inner], rest = divmod(array.strides[outer], array.strides[inner])
        if rest or shape[inner] < array.shape[inner]:
            return array
    strides = [array.itemsize * math.prod(shape[axis + 1 :]) for axis in range(array.ndim)]
    return np.lib.stride_tricks.as_strided(array, shape, strides)


def _same(one: Host, other: Host) -> bool:
    return (one.ctypes.data, one.shape, one.strides) == (other.ctypes.data, other.shape, other.strides)


@cache
def _compile(source: str) -> Any:
    namespace: dict[str, Any] = {**TYPES, "sqrt": np.sqrt, "inf": np.inf, "nan": np.nan}
    exec(compile(source, "<kernel>", "exec"), namespace)
    return numba.njit(fastmath=FAST, error_model="numpy", nogil=True)(namespace["kernel"])
