"""NumPy as a target."""

import math
from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
from numpy.typing import NDArray

from anynet.compiler.graph import Args, Graph, Kwargs, Node, computes
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy import blocks, ufuncs
from anynet.compiler.numpy.numpy_program import NumpyProgram
from anynet.compiler.program import Program
from anynet.compiler.splice import splice
from anynet.compiler.target import Call, Target, layout
from anynet.core.typing import Array

Host = NDArray[Any]

CALL = 1 << 13
"""Number of elements that an operation computes in the time that a call takes."""


DEFINITION = 100
"""Times as long as one element of an elementwise operation that one of a definition takes, such as a convolution."""


class NumpyTarget(Target):
    """NumPy: groups run block by block or, if they run often and llvmlite is installed, as native functions."""

    patience: float = 1 << 22
    """Number of elements per operation that a step computes, over all its runs, before native code pays.

    That is about the time that it takes to load code that is on disk. To compile it takes ten times as long, once.
    """

    compiles_in_background = True

    def __init__(self, *, native: bool = True) -> None:
        self._compiles = native and find_spec("llvmlite") is not None
        self.execution = "recorded steps" if native else "recorded steps without native code"

    @property
    def slower(self) -> "NumpyTarget | None":
        return NumpyTarget(native=False) if self._compiles else None

    def waits(self, graph: Graph) -> float:
        try:
            if self._native() is None:
                return math.inf
        except Exception:  # a damaged installation, which the first program names
            return 0
        nodes = [node for node in graph.nodes if node.op != "take"]  # which streamed steps do not need
        work = sum(math.prod(node.shape) * (DEFINITION if computes(node) else 1) + CALL for node in nodes)
        return self.patience * len(nodes) / max(work, 1)

    @property
    def xp(self) -> ModuleType:
        namespace: ModuleType = xp
        return namespace

    def is_array(self, value: Any) -> bool:
        return isinstance(value, np.ndarray | np.generic)

    def asarray(self, value: Any) -> Host:
        return np.asarray(value)

    def empty(self, node: Node) -> Host:
        return ufuncs.empty(node.shape, node.dtype)

    def copy(self, into: Host, array: Host) -> Call:
        return np.copyto, (into, array)

    def evaluate(self, node: Node, args: Args, kwargs: Kwargs) -> Host:
        return ufuncs.evaluate(node, args, kwargs)

    def calls(self, node: Node, args: Args, kwargs: Kwargs, out: Host) -> list[Call]:
        return ufuncs.calls(node, args, kwargs, out)

    def in_place(self, node: Node) -> bool:
        return ufuncs.in_place(node)

    def overlap(self, one: Host, other: Host) -> bool:
        return np.may_share_memory(one, other)

    def same(self, one: Host, other: Host) -> bool:
        laid = layout(one.shape, one.strides) == layout(other.shape, other.strides)
        return laid and bool(one.ctypes.data == other.ctypes.data)

    def can_write(self, array: Host) -> bool:
        return array.flags.writeable

    def stays(self, array: Host, *, table: bool = False) -> bool:
        return array.ndim > 0 and (array.dtype.kind not in "fc" or (table and array.flags.c_contiguous))

    def fuses(self, node: Node, *, hot: bool) -> bool:
        native = self._native() if hot else None
        return blocks.in_blocks(node) if native is None else native.in_loop(node)

    def arrange(self, groups: list[list[Node]], graph: Graph, *, hot: bool) -> list[list[Node]]:
        native = self._native() if hot else None
        if native is None:
            return splice(groups, graph, partial(self.fuses, hot=hot))
        joined: list[list[Node]] = native.join(groups, graph)
        return joined

    def reuses(self, *, hot: bool) -> bool:
        return hot and self._native() is not None

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        native = self._native() if hot else None
        return blocks.block_calls(group, memory) if native is None else native.loop_calls(group, memory)

    def _native(self) -> ModuleType | None:
        """Return the package of native steps, or None if none are to be compiled."""
        if not self._compiles:
            return None
        from anynet.compiler.numpy import native  # here, because LLVM is optional, and takes a while to import

        return native

    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> Program:
        native = self._native() if hot else None
        if native is None:
            return NumpyProgram(graph, n_carry, shared, self, hot=hot)
        program: Program = native.NativeProgram(graph, n_carry, shared, self)
        return program
