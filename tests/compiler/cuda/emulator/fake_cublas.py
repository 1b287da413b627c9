"""Products of cuBLAS with the interface of nvmath-python: raw pointers, column-major matrices."""

import ctypes
from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType
from typing import Any

import numpy as np
from fake_gpu import Gpu, Work
from fake_memory import Block, MemoryFaultError
from numpy.lib.stride_tricks import as_strided


class Status(IntEnum):
    SUCCESS, NOT_INITIALIZED, INVALID_VALUE, NOT_SUPPORTED = 0, 1, 7, 15


class Operation(IntEnum):
    N, T, C = 0, 1, 2


class GemmAlgo(IntEnum):
    DFALT, DFALT_TENSOR_OP, AUTOTUNE = -1, 99, 999


class Math(IntEnum):
    DEFAULT_MATH, PEDANTIC_MATH, TF32_TENSOR_OP_MATH = 0, 2, 3


class ComputeType(IntEnum):
    COMPUTE_32F, COMPUTE_32F_PEDANTIC, COMPUTE_64F, COMPUTE_64F_PEDANTIC = 68, 69, 70, 71
    COMPUTE_32F_FAST_16BF, COMPUTE_32F_FAST_TF32 = 75, 77


class CudaDataType(IntEnum):
    CUDA_R_32F, CUDA_R_64F = 0, 1


class cuBLASError(Exception):  # noqa: N801
    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"{Status(status).name} ({int(status)})")


DTYPES = {CudaDataType.CUDA_R_32F: np.float32, CudaDataType.CUDA_R_64F: np.float64}
COMPUTED = {kind: np.float64 if "64F" in kind.name else np.float32 for kind in ComputeType}
MANTISSAS = {ComputeType.COMPUTE_32F_FAST_TF32: 10, ComputeType.COMPUTE_32F_FAST_16BF: 7}


@dataclass
class Handle:
    """A cuBLAS handle, with the stream that products run on and the memory set as workspace."""

    stream: Any
    workspace: tuple[Block, ...] = ()
    mode: Math = Math.DEFAULT_MATH


def rounded(x: np.ndarray, bits: int) -> np.ndarray:
    """Round float32 to this many bits of mantissa; ties go to the even number."""
    drop = np.uint32(23 - bits)
    whole = x.view(np.uint32)
    up = ((whole >> drop) & np.uint32(1)) + np.uint32((1 << (drop - 1)) - 1)
    return np.where(np.isfinite(x), ((whole + up) >> drop << drop).view(np.float32), x)


def matrices(ptr: int, dtype: type, rows: int, columns: int, ld: int, stride: int, count: int) -> np.ndarray:
    """Return a view of memory, of shape (count, rows, columns)."""
    size = np.dtype(dtype).itemsize
    memory = np.frombuffer((ctypes.c_byte * (size * span(rows, columns, ld, stride, count))).from_address(ptr), dtype)
    return as_strided(memory, (count, rows, columns), (size * stride, size, size * ld))


def span(rows: int, columns: int, ld: int, stride: int, count: int) -> int:
    """Return the number of elements from the first to the last of a batch."""
    return (count - 1) * stride + (columns - 1) * ld + rows if count and rows and columns else 0


def module(gpu: Gpu) -> ModuleType:
    """Return ``nvmath.bindings.cublas`` for this GPU."""
    handles: dict[int, Handle] = {}

    def require(truth: bool, status: Status) -> None:
        if not truth:
            raise cuBLASError(status)

    def handle_of(number: int) -> Handle:
        require(number in handles, Status.NOT_INITIALIZED)
        return handles[number]

    def create() -> int:
        number = 1 + max(handles, default=0)
        handles[number] = Handle(gpu.null)
        return number

    def destroy(handle: int) -> None:
        handle_of(handle)
        del handles[handle]

    def set_stream(handle: int, stream_id: int) -> None:
        """Set the stream and, as cuBLAS does, reset the workspace."""
        found = handle_of(handle)
        found.stream, found.workspace = gpu.stream(stream_id), ()

    def set_workspace(handle: int, workspace: int, workspace_size_in_bytes: int) -> None:
        require(workspace % 256 == 0, Status.INVALID_VALUE)
        handle_of(handle).workspace = (gpu.memory.block(workspace, workspace_size_in_bytes),)

    def set_math_mode(handle: int, mode: int) -> None:
        handle_of(handle).mode = Math(mode)

    def gemm_strided_batched_ex(
        handle, transa, transb, m, n, k, alpha, a, atype, lda, stride_a, b, btype, ldb, stride_b, beta, c, ctype, ldc,
        stride_c, batch_count, compute_type, algo,
    ):  # fmt: skip
        found = handle_of(handle)
        require(min(m, n, k, batch_count) >= 0, Status.INVALID_VALUE)
        flat_a, flat_b = (m, k) if transa == Operation.N else (k, m), (k, n) if transb == Operation.N else (n, k)
        fits = all(ld >= max(1, rows) for ld, rows in ((lda, flat_a[0]), (ldb, flat_b[0]), (ldc, m)))
        require(fits and transa in set(Operation) and transb in set(Operation), Status.INVALID_VALUE)
        dtype = COMPUTED.get(compute_type)
        require(all(DTYPES.get(kind, "") == dtype for kind in (atype, btype, ctype)), Status.NOT_SUPPORTED)
        require(algo in set(GemmAlgo) or 0 <= algo <= 23, Status.INVALID_VALUE)
        laid = [
            (ptr, dtype, *shape, ld, stride, batch_count)
            for ptr, shape, ld, stride in (
                (a, flat_a, lda, stride_a),
                (b, flat_b, ldb, stride_b),
                (c, (m, n), ldc, stride_c),
            )
        ]
        used = [gpu.memory.block(ptr, span(*lay) * np.dtype(dtype).itemsize) for ptr, _, *lay in laid if span(*lay)]
        if batch_count > 1 and abs(stride_c) < span(m, n, ldc, 0, 1):  # unless they interleave
            offsets = np.add.outer(np.arange(batch_count) * stride_c, np.add.outer(np.arange(n) * ldc, np.arange(m)))
            if np.unique(offsets).size != offsets.size:
                raise MemoryFaultError("products of one batch are written over one another")
        number = ctypes.c_double if dtype is np.float64 else ctypes.c_float
        scale, old = (dtype(number.from_address(ptr).value) for ptr in (alpha, beta))
        tf32 = compute_type == ComputeType.COMPUTE_32F and found.mode == Math.TF32_TENSOR_OP_MATH
        bits = MANTISSAS.get(ComputeType.COMPUTE_32F_FAST_TF32 if tf32 else compute_type)

        def multiply() -> None:
            A, B, C = (matrices(*lay) for lay in laid)
            if any(np.may_share_memory(C, X) and np.shares_memory(C, X) for X in (A, B) if X.size):
                raise MemoryFaultError("a product is written over its operands")
            A, B = A if transa == Operation.N else A.mT, B if transb == Operation.N else B.mT
            if bits is not None:
                A, B = rounded(np.ascontiguousarray(A), bits), rounded(np.ascontiguousarray(B), bits)
            with np.errstate(all="ignore"):
                product = scale * (A @ B)
                C[...] = product if old == 0 else product + old * C  # where β is 0, C is not read

        if m and n and batch_count:
            found.stream.push(Work("gemm", multiply, (*used, *found.workspace)))

    def gemm_ex(
        handle, transa, transb, m, n, k, alpha, a, atype, lda, b, btype, ldb, beta, c, ctype, ldc, compute_type, algo
    ):
        gemm_strided_batched_ex(
            handle, transa, transb, m, n, k, alpha, a, atype, lda, 0, b, btype, ldb, 0, beta, c, ctype, ldc,
            0, 1, compute_type, algo,
        )  # fmt: skip

    made = ModuleType("nvmath.bindings.cublas")
    functions = (create, destroy, set_stream, set_workspace, set_math_mode, gemm_ex, gemm_strided_batched_ex)
    for thing in (*functions, Status, Operation, GemmAlgo, Math, ComputeType, cuBLASError):
        setattr(made, thing.__name__, thing)
    return made
