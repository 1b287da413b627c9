"""Matrix products by cuBLAS, called directly: CuPy refuses its own while a graph is captured."""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import cupy
import numpy as np
from nvmath import CudaDataType
from nvmath.bindings import cublas

from anynet.compiler.cuda.memory_use import Use, reach
from anynet.core.typing import ConcreteArray as Array

WORKSPACE = 32 << 20
"""Bytes; as much as NVIDIA recommends for its newest GPUs."""

ONE, ZERO = ({name: np.full(1, value, name) for name in ("float32", "float64")} for value in (1, 0))
"""The factors of the product, and of what was there before."""


class Operand(NamedTuple):
    """A matrix as cuBLAS sees it, which counts along columns: a row-major one is its transpose.

    turned: whether its elements lie column by column. step: between rows, or columns. stride: between members.
    """

    turned: bool
    step: int
    stride: int


COMPUTE = {
    "float32": cublas.ComputeType.COMPUTE_32F,
    "tf32": cublas.ComputeType.COMPUTE_32F_FAST_TF32,
    "bf16": cublas.ComputeType.COMPUTE_32F_FAST_16BF,
}
"""How products of float32 numbers are computed, by precision; what they add up to is float32 in all."""


class Product:
    """``out = a @ b``: matrices, or a stack of them in place of one or both, as ``fits`` takes them.

    precision: of products of float32 numbers.
    use: what it does with memory.
    """

    def __init__(self, a: Array, b: Array, out: Array, precision: str) -> None:
        self.use = Use((reach(a), reach(b)), (reach(out),))
        self._arrays = a, b, out
        self._handle, self._workspace = connect()
        left, right, result = map(_operand, (a, b, out))
        kind, is_single = str(out.dtype), out.dtype == "float32"
        dtype = CudaDataType.CUDA_R_32F if is_single else CudaDataType.CUDA_R_64F
        (m, n), k, members = out.shape[-2:], a.shape[-1], out.shape[0] if out.ndim == 3 else None
        stacked = members is not None

        def matrix(array: Array, one: Operand) -> tuple:
            return array.data.ptr, dtype, one.step, *((one.stride,) if stacked else ())

        self._function: Callable[..., Any] = cublas.gemm_strided_batched_ex if stacked else cublas.gemm_ex
        self._args = (
            *(cublas.Operation.T if one.turned else cublas.Operation.N for one in (right, left)),
            *(n, m, k, ONE[kind].ctypes.data, *matrix(b, right), *matrix(a, left), ZERO[kind].ctypes.data),
            *matrix(out, result),
            *((members,) if stacked else ()),
            COMPUTE[precision] if is_single else cublas.ComputeType.COMPUTE_64F,
            cublas.GemmAlgo.DFALT,
        )

    def __call__(self) -> None:
        """Compute it on the current stream."""
        cublas.set_stream(self._handle, cupy.cuda.get_current_stream().ptr)
        cublas.set_workspace(self._handle, self._workspace.data.ptr, WORKSPACE)  # which a change of stream has undone
        self._function(self._handle, *self._args)


def fits(a: Array, b: Array, out: Array) -> bool:
    """Whether cuBLAS can multiply these as they lie."""
    return (
        str(out.dtype) in ONE
        and a.dtype == b.dtype == out.dtype
        and all(2 <= array.ndim <= out.ndim <= 3 and (_in_rows(array) or _in_rows(array.mT)) for array in (a, b))
        and _in_rows(out)
        and all(n > 0 for array in (a, b, out) for n in array.shape)
    )


def _operand(array: Array) -> Operand:
    turned = not _in_rows(array)
    matrix = array.mT if turned else array
    rows, columns = matrix.shape[-2:]
    step = columns if rows == 1 else _steps(matrix)[-2]
    return Operand(turned, step, 0 if array.ndim == 2 or array.shape[0] == 1 else _steps(array)[0])


def _in_rows(matrix: Array) -> bool:
    """Whether the elements of each row are neighbours, and rows do not overlap."""
    (rows, columns), (down, right) = matrix.shape[-2:], _steps(matrix)[-2:]
    return (right == 1 or columns == 1) and (down >= columns or rows == 1)


def _steps(array: Array) -> tuple[int, ...]:
    """Strides in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def connect() -> tuple[int, Array]:
    """cuBLAS's handle for the current device and this thread, and its workspace: neither is to be used by two at once.

    Programs of one thread share them, which is right as long as each goes behind the other's work.
    """
    return _handle(cupy.cuda.Device().id, threading.get_ident())


@cache
def _handle(device: int, thread: int) -> tuple[int, Array]:
    return cublas.create(), cupy.empty(WORKSPACE, "uint8")
