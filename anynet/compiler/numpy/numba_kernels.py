"""Groups of elementwise operations as one loop over their elements, compiled by Numba.

NumPy reads and writes arrays once per operation, the loop once per group.
"""

from functools import cache
from itertools import groupby
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from anynet.compiler.graph import Node, elements
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy.blocks import block_calls
from anynet.compiler.numpy.ufuncs import check_index
from anynet.compiler.ops import OPERATIONS, keeps_integers
from anynet.compiler.target import Call

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
        self._shape, self._memory = group[0].shape, memory
        self.arrays: list[Host] = []
        self._ahead: list[str] = []  # lines before the loops
        self._rows: list[str] = []  # lines before the inner loops
        self._index = [f"i{axis}" for axis in range(len(self._shape))]
        self._local = {node: f"t{i}" for i, node in enumerate(group)}
        outer = memory.needed_outside(group)
        for node in outer:
            memory.allocate(node)
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
        name = self._name(array)
        if array.size == 1:  # read once, before the loops
            line = f"s_{name} = {name}[{', '.join('0' * array.ndim) or '()'}]"
            self._ahead += [] if line in self._ahead else [line]
            return f"s_{name}"
        index = self._index[len(self._shape) - array.ndim :]
        return f"{name}[{', '.join('0' if n == 1 else i for n, i in zip(array.shape, index, strict=True))}]"

    def _name(self, array: Host) -> str:
        """Return the same name for the same memory, because a compiler must assume that two arrays overlap."""
        known = (i for i, other in enumerate(self.arrays) if _same(array, other))
        i = next(known, len(self.arrays))
        if i == len(self.arrays):
            self.arrays.append(array)
        return f"a{i}"


def _same(one: Host, other: Host) -> bool:
    return (one.ctypes.data, one.shape, one.strides) == (other.ctypes.data, other.shape, other.strides)


@cache
def _compile(source: str) -> Any:
    namespace: dict[str, Any] = {**TYPES, "sqrt": np.sqrt, "inf": np.inf, "nan": np.nan}
    exec(compile(source, "<kernel>", "exec"), namespace)
    return numba.njit(fastmath=FAST, error_model="numpy", nogil=True)(namespace["kernel"])
