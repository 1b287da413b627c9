"""CuPy, for running recorded steps: each operation one CUDA kernel, written for it, or a product by cuBLAS."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import array_api_compat.cupy as xp
import cupy

from anynet.compiler.cuda import building
from anynet.compiler.cuda.expressions import REDUCTIONS, is_elementwise, known
from anynet.compiler.cuda.graphs import GraphProgram
from anynet.compiler.cuda.launching import Single, copy_values
from anynet.compiler.cuda.memory_use import reach
from anynet.compiler.cuda.phases import Phase
from anynet.compiler.graph import Graph, Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.target import Call, Target, layout
from anynet.core.typing import Array

SHORT = 1 << 16
"""Multiplications of a product that a kernel does together with its neighbours."""


class CudaTarget(Target):
    """CuPy's arrays on the current device.

    precision: of products that are large enough for cuBLAS.
    """

    def __init__(self, precision: str = "float32") -> None:
        self._precision = precision

    @property
    def xp(self) -> ModuleType:
        return xp

    def is_array(self, value: Any) -> bool:
        return isinstance(value, cupy.ndarray)

    def empty(self, node: Node) -> cupy.ndarray:
        return cupy.empty(node.shape, node.dtype)

    def copy(self, into: cupy.ndarray, array: cupy.ndarray) -> Call:
        return copy_values, (into, array)

    def in_place(self, node: Node) -> bool:
        return is_elementwise(node)

    def overlap(self, one: cupy.ndarray, other: cupy.ndarray) -> bool:
        return reach(one).meets(reach(other))

    def same(self, one: cupy.ndarray, other: cupy.ndarray) -> bool:
        laid = layout(one.shape, one.strides) == layout(other.shape, other.strides)
        return laid and one.data.ptr == other.data.ptr

    def can_write(self, array: cupy.ndarray) -> bool:
        return not any(stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape, strict=True))

    def stays(self, array: cupy.ndarray) -> bool:
        return array.dtype.kind not in "fc" and array.ndim > 0

    def fuses(self, node: Node, *, hot: bool) -> bool:
        return is_elementwise(node) or (
            node.op == "take" and known(node) and node.kwargs.keys() == {"axis"} and len(node.inputs[1].shape) == 1
        )

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        phase = building.elementwise(group, memory)
        return [_single(phase)] if phase.turns else []

    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> GraphProgram:
        """Return the step, to be captured as a CUDA graph."""
        return GraphProgram(graph, n_carry, shared, self, hot=hot)

    def calls(self, node: Node, args: tuple, kwargs: dict[str, Any], out: cupy.ndarray) -> list[Call]:
        if not out.size:
            return []
        found = self._calls(node, args, kwargs, out) if known(node) else None
        return [(_plain, (partial(self.evaluate, node, args, kwargs), out))] if found is None else found

    def _calls(self, node: Node, args: tuple, kwargs: dict[str, Any], out: cupy.ndarray) -> list[Call] | None:
        """None where there are no kernels for it."""
        match node.op, args:
            case "matmul", (a, b):
                return self._product(a, b, out)
            case "concat", (parts,) if isinstance(axis := kwargs.get("axis", 0), int):
                return [_single(building.copy(*pair)) for pair in _places(out, parts, axis)]
            case "take_along_axis", (table, index) if table.ndim == index.ndim:
                return [_single(building.along_axis(table, index, kwargs.get("axis", -1), out))]
            case op, (x,) if op in REDUCTIONS and kwargs.keys() <= {"axis", "keepdims"} and x.ndim and x.size:
                return self._reduction(op, x, out, **kwargs)
        return None

    def _product(self, a: cupy.ndarray, b: cupy.ndarray, out: cupy.ndarray) -> list[Call] | None:
        if min(a.ndim, b.ndim) < 2:
            return None
        if math.prod(out.shape[-2:]) * a.shape[-1] <= SHORT:
            return [_single(building.product(a, b, out))]
        products = find_products()
        if products is None or not products.fits(a, b, out):
            return None
        return [(products.Product(a, b, out, self._precision), ())]

    def _reduction(
        self, op: str, x: cupy.ndarray, out: cupy.ndarray, axis: Any = None, keepdims: bool = False
    ) -> list[Call]:
        axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
        axes = tuple(k % x.ndim for k in axes)
        if keepdims:
            out = out[tuple(0 if k in axes else slice(None) for k in range(x.ndim))]
        if len(axes) == x.ndim > 1 and x.flags.c_contiguous:
            x, axes = x.reshape(-1), (0,)
        return [_single(p) for p in building.reduction(op, x, out, axes, lambda shape: cupy.empty(shape, out.dtype))]


@cache
def find_products() -> ModuleType | None:
    """Products by cuBLAS, once it has answered; None where nvmath-python, an extra, is not installed.

    Raises what nvmath-python or cuBLAS raises where they do not work.
    """
    if find_spec("nvmath") is None:
        return None
    from anynet.compiler.cuda import matmul as products

    products.connect()
    return products


def _single(phase: Phase) -> Call:
    return Single(phase), ()


def _plain(evaluate: Callable[[], Any], out: cupy.ndarray) -> None:
    out[...] = evaluate()


def _places(out: cupy.ndarray, parts: Sequence[cupy.ndarray], axis: int) -> Iterator[tuple[cupy.ndarray, cupy.ndarray]]:
    """Where the parts of a concatenation go."""
    stop = 0
    for part in parts:
        start, stop = stop, stop + part.shape[axis]
        yield out[(slice(None),) * (axis % out.ndim) + (slice(start, stop),)], part
