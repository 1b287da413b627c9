"""NumPy as a target."""

from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
from numpy.typing import NDArray

from anynet.compiler.graph import Args, Graph, Kwargs, Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy import blocks, ufuncs
from anynet.compiler.numpy.numpy_program import NumpyProgram
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Target, layout
from anynet.core.typing import Array

Host = NDArray[Any]


class NumpyTarget(Target):
    """NumPy: groups run block by block or, if they run often and Numba is installed, as compiled loops."""

    patience = 1 << 32  # takes about a second, as compiling does

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
        kernels = _kernels() if hot else None
        return blocks.in_blocks(node) or (kernels is not None and kernels.in_kernel(node))

    def splices(self, *, hot: bool) -> bool:
        return not (hot and _kernels())

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        kernels = _kernels() if hot else None
        return kernels.kernel_calls(group, memory) if kernels else blocks.block_calls(group, memory)

    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> Program:
        return NumpyProgram(graph, n_carry, shared, self, hot=hot)


@cache
def _kernels() -> ModuleType | None:
    if find_spec("numba") is None:
        return None
    from anynet.compiler.numpy import numba_kernels  # here, because importing Numba takes half a second

    return numba_kernels
