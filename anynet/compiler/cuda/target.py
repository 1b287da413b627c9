"""CUDA as a target: each recorded operation is a kernel generated for it, or a product by cuBLAS."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import array_api_compat.cupy as xp
import cupy
import numpy as np

from anynet.compiler.cuda import lowering, stand_ins, window_phases
from anynet.compiler.cuda.capture import KernelProgram
from anynet.compiler.cuda.convolution_calls import CONVOLUTIONS, convolution, is_pointwise, of_pixels
from anynet.compiler.cuda.cupy_steps import CupyProgram
from anynet.compiler.cuda.dependences import address_range
from anynet.compiler.cuda.expressions import REDUCTIONS, computed_in, has_known_dtypes, is_elementwise
from anynet.compiler.cuda.failures import explain
from anynet.compiler.cuda.launch import CupyCall, RanksCall, SingleKernel, copy_values
from anynet.compiler.cuda.matmul import fits
from anynet.compiler.cuda.phases import Phase
from anynet.compiler.cuda.products import TiledProduct, is_tiled
from anynet.compiler.cuda.rounding import memory_in_float32, multiply
from anynet.compiler.cuda.storage import store_in_bfloat16
from anynet.compiler.graph import Graph, Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Target, layout
from anynet.core.tree import flatten
from anynet.core.typing import Array

SHORT = 1 << 16
"""Largest number of multiplications of a product that is a phase of a kernel instead of a call of cuBLAS."""


class CudaTarget(Target):
    """CuPy arrays on the current device.

    Parameters
    ----------
    precision : {"float32", "tf32", "bf16"}
        Precision of products of float32 arrays by cuBLAS and, if it is bf16, of large activations in memory.
    captures : bool
        If True, steps run as CUDA graphs. If False, kernels are launched one by one.
    join : bool
        If True, small phases of a step share kernels. If False, each is a kernel, for measuring what that gains.
    """

    def __init__(self, precision: str = "float32", *, captures: bool = True, join: bool = True) -> None:
        self._precision, self._captures, self._join = precision, captures, join
        self.execution = "CUDA graph" if captures else "separate kernels"

    @property
    def slower(self) -> Target | None:
        """The same without graphs; then graphs of CuPy's own kernels."""
        if self._captures:
            return CudaTarget(self._precision, captures=False, join=self._join)
        return CupyTarget(self._precision)

    def explain(self, error: Exception) -> str:
        """Return in one line why the target could not run a step, and what to do about it."""
        return explain(error)

    def release_memory(self) -> bool:
        """Release what CuPy's default pool holds unused, which the pools of graphs cannot take."""
        cupy.get_default_memory_pool().free_all_blocks()
        return True

    @property
    def xp(self) -> ModuleType:
        """The namespace of array-api-compat for CuPy."""
        namespace: ModuleType = xp
        return namespace

    @contextmanager
    def recording(self, arrays: Sequence[Array]) -> Iterator[tuple[ModuleType, list[Array]]]:
        """Context manager for recording a step with NumPy arrays of zeros."""
        with np.errstate(all="ignore"):  # 0 / 0
            yield stand_ins, [stand_ins.stand_in(array) for array in arrays]

    def is_array(self, value: Any) -> bool:
        """Return True for a ``cupy.ndarray``."""
        return isinstance(value, cupy.ndarray)

    def asarray(self, value: Any) -> cupy.ndarray:
        """Copy a constant of the recorded step to the device."""
        return cupy.asarray(value)

    def evaluate(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> cupy.ndarray:
        """Return the result of an operation; a device among its arguments is that of recording, the host."""
        on_device: cupy.ndarray = super().evaluate(node, args, {k: v for k, v in kwargs.items() if k != "device"})
        return on_device

    def empty(self, node: Node) -> cupy.ndarray:
        """Return an uninitialized array."""
        return cupy.empty(node.shape, node.dtype)

    def copy(self, into: cupy.ndarray, array: cupy.ndarray) -> Call:
        """Return a call that copies with CuPy; `KernelProgram` makes a phase of it."""
        return copy_values, (into, array)

    def in_place(self, node: Node) -> bool:
        """Return True for elementwise operations: a thread reads an element before it writes it."""
        return is_elementwise(node)

    def overlap(self, one: cupy.ndarray, other: cupy.ndarray) -> bool:
        """Return True if the address ranges of the arrays overlap."""
        return address_range(one).overlaps(address_range(other))

    def same(self, one: cupy.ndarray, other: cupy.ndarray) -> bool:
        """Return True if addresses, shapes and strides are equal."""
        laid = layout(one.shape, one.strides) == layout(other.shape, other.strides)
        return laid and one.data.ptr == other.data.ptr

    def can_write(self, array: cupy.ndarray) -> bool:
        """Return False for broadcast arrays, in which elements share memory."""
        return not any(stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape, strict=True))

    def stays(self, array: cupy.ndarray, *, table: bool = False) -> bool:
        """Return True for tables and for integers, such as samples and labels, except single ones."""
        return bool(array.ndim > 0 and (array.dtype.kind not in "fc" or (table and array.flags.c_contiguous)))

    def fuses(self, node: Node, *, hot: bool) -> bool:
        """Return True for elementwise operations and for ``take`` with a vector of indices."""
        return is_elementwise(node) or (
            node.op == "take"
            and has_known_dtypes(node)
            and node.kwargs.keys() == {"axis"}
            and len(node.inputs[1].shape) == 1
        )

    def group_calls(self, group: list[Node], memory: MemoryPlan, *, hot: bool) -> list[Call]:
        """Return one kernel for all operations of the group."""
        phase = lowering.elementwise(group, memory)
        return [_single(phase)] if phase.n_results else []

    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> Program:
        """Return the step, which is captured as a CUDA graph when it runs; of bf16 with large values stored so."""
        if self._precision == "bf16":
            graph = store_in_bfloat16(graph, graph.inputs[n_carry + len(shared) :], partial(self.fuses, hot=hot))
        return KernelProgram(graph, n_carry, shared, self, captures=self._captures, join=self._join, hot=hot)

    def calls(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any], out: cupy.ndarray) -> list[Call]:
        """Return kernels, a product by cuBLAS or, if there is neither, a function of CuPy."""
        if not out.size:
            return []
        found = self._calls(node, args, kwargs, out) if has_known_dtypes(node) else None
        if found is not None:
            return found
        (leaves, rebuild), into = flatten((args, kwargs)), memory_in_float32(out)  # CuPy's functions know no bfloat16
        given = [memory_in_float32(leaf) if self.is_array(leaf) else leaf for leaf in leaves]
        before = [_single(lowering.copy(new, old)) for new, old in zip(given, leaves, strict=True) if new is not old]
        after = [_single(lowering.copy(out, into))] if into is not out else []
        args, kwargs = rebuild(given)
        return [*before, self.call_cupy(node, args, kwargs, into), *after]

    def call_cupy(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any], out: cupy.ndarray) -> Call:
        """Return the call that computes an operation with CuPy."""
        arrays = [leaf for leaf in flatten((args, kwargs))[0] if self.is_array(leaf)]
        return CupyCall(partial(self.evaluate, node, args, kwargs), arrays, out), ()

    def _calls(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any], out: cupy.ndarray) -> list[Call] | None:
        """Return the calls of an operation, or None if there are no kernels for it."""
        match node.op, args:
            case "matmul", (a, b):
                return self._product(a, b, out)
            case "concat", (parts,) if isinstance(axis := kwargs.get("axis", 0), int):
                return [_single(phase) for phase in lowering.concat(parts, axis, out)]
            case "sum_over_ranks", (x, ranks):
                return [(RanksCall(x, ranks, out), ())]
            case "take_along_axis", (table, index) if table.ndim == index.ndim:
                return [_single(lowering.along_axis(table, index, kwargs.get("axis", -1), out))]
            case "max_pool", (x, window) if _are_floats(x, out):
                return [_single(window_phases.max_pool(x, window, out))]
            case "max_pool_to_input", (dy, x, y, window) if _are_floats(dy, x, y, out):
                return [_single(window_phases.max_pool_to_input(dy, x, y, window, out))]
            case op, (a, b, window, 1) if op in CONVOLUTIONS and is_pointwise(window):
                return self._product(*of_pixels(op, a, b, out))
            case op, (a, b, window, groups) if op in CONVOLUTIONS:
                return convolution(op, a, b, window, groups, out, self._precision)
            case op, (x,) if op in REDUCTIONS and kwargs.keys() <= {"axis", "keepdims"} and x.ndim and x.size:
                return self._reduction(op, x, out, **kwargs)
        return None

    def _product(self, a: cupy.ndarray, b: cupy.ndarray, out: cupy.ndarray) -> list[Call] | None:
        if min(a.ndim, b.ndim) > 1 and math.prod(out.shape[-2:]) * a.shape[-1] <= SHORT:
            return [_single(lowering.product(a, b, out))]
        rounds = self._precision != "float32" and out.dtype != "float64"
        if not rounds and fits(a, b, out) and is_tiled(a, b, out):
            return [(TiledProduct(a, b, out), ())]
        return self.call_cublas(a, b, out)

    def call_cublas(self, a: cupy.ndarray, b: cupy.ndarray, out: cupy.ndarray) -> list[Call] | None:
        """Return the calls that compute a product with cuBLAS, or None if cuBLAS cannot."""
        return multiply(a, b, out, self._precision) if fits(a, b, out) else None

    def _reduction(
        self, op: str, x: cupy.ndarray, out: cupy.ndarray, axis: Any = None, keepdims: bool = False
    ) -> list[Call]:
        axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
        axes = tuple(k % x.ndim for k in axes)
        if keepdims:
            out = out[tuple(0 if k in axes else slice(None) for k in range(x.ndim))]
        if len(axes) == x.ndim > 1 and x.flags.c_contiguous:
            x, axes = x.reshape(-1), (0,)
        return [_single(p) for p in lowering.reduction(op, x, out, axes, lambda shape: cupy.empty(shape, out.dtype))]


class CupyTarget(CudaTarget):
    """CuPy arrays, with CuPy's own kernels, and products by cuBLAS so that they can be captured."""

    def __init__(self, precision: str = "float32") -> None:
        super().__init__(precision)
        self.execution = "CUDA graph of CuPy calls"

    @property
    def slower(self) -> None:
        """Nothing: the plain step is next."""

    def fuses(self, node: Node, *, hot: bool) -> bool:
        """Return False: each operation is a call of CuPy."""
        return False

    def calls(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any], out: cupy.ndarray) -> list[Call]:
        """Return one call of CuPy or cuBLAS."""
        match node.op, args:
            case "matmul", (a, b) if has_known_dtypes(node) and (found := self.call_cublas(a, b, out)) is not None:
                return found
            case "sum_over_ranks", (x, ranks):
                return [(RanksCall(x, ranks, out), ())]
        return [self.call_cupy(node, args, kwargs, out)]

    def program(self, graph: Graph, n_carry: int, shared: list[Array], *, hot: bool = False) -> Program:
        """Return the step, which is captured as a CUDA graph when it runs."""
        return CupyProgram(graph, n_carry, shared, self, hot=hot)


def _are_floats(*arrays: cupy.ndarray) -> bool:
    """Return True if the numbers of all arrays are computed in float32, or all in float64."""
    return {computed_in(array.dtype) for array in arrays} in ({"float32"}, {"float64"})


def _single(phase: Phase) -> Call:
    return SingleKernel(phase), ()
