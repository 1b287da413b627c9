"""libcublas with its C interface, as ctypes opens it: addresses, column-major matrices, statuses."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import wraps
from typing import Any

import numpy as np
from c_functions import Function, StatusError, declarations
from fake_gpu import CUDARuntimeError, Gpu, Work
from fake_memory import Block, MemoryFaultError
from numpy.lib.stride_tricks import as_strided

PATH = "/emulated/libcublas.so.12"

HEADER = """
cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t workspaceSizeInBytes);
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t streamId);
const char* cublasGetStatusName(cublasStatus_t status);
cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
    int k, const void* alpha, const void* A, cudaDataType Atype, int lda, const void* B, cudaDataType Btype, int ldb,
    const void* beta, void* C, cudaDataType Ctype, int ldc, cublasComputeType_t computeType, cublasGemmAlgo_t algo);
cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
    int m, int n, int k, const void* alpha, const void* A, cudaDataType Atype, int lda, long long int strideA,
    const void* B, cudaDataType Btype, int ldb, long long int strideB, const void* beta, void* C, cudaDataType Ctype,
    int ldc, long long int strideC, int batchCount, cublasComputeType_t computeType, cublasGemmAlgo_t algo);
"""
"""Declarations of cublas_api.h."""


class Status(IntEnum):
    SUCCESS, NOT_INITIALIZED, ALLOC_FAILED, INVALID_VALUE, ARCH_MISMATCH, MAPPING_ERROR = 0, 1, 3, 7, 8, 11
    EXECUTION_FAILED, INTERNAL_ERROR, NOT_SUPPORTED, LICENSE_ERROR = 13, 14, 15, 16


class Operation(IntEnum):
    CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C = 0, 1, 2


class GemmAlgo(IntEnum):
    CUBLAS_GEMM_DEFAULT, CUBLAS_GEMM_DEFAULT_TENSOR_OP = -1, 99


class ComputeType(IntEnum):
    CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_PEDANTIC, CUBLAS_COMPUTE_64F, CUBLAS_COMPUTE_64F_PEDANTIC = 68, 69, 70, 71
    CUBLAS_COMPUTE_32F_FAST_16BF, CUBLAS_COMPUTE_32F_FAST_TF32 = 75, 77


class CudaDataType(IntEnum):
    CUDA_R_32F, CUDA_R_64F, CUDA_R_16BF = 0, 1, 14


DTYPES = {CudaDataType.CUDA_R_32F: np.float32, CudaDataType.CUDA_R_64F: np.float64}
DTYPES |= {CudaDataType.CUDA_R_16BF: np.uint16}  # the bits
COMPUTED = {kind: np.float64 if "64F" in kind.name else np.float32 for kind in ComputeType}
MANTISSAS = {ComputeType.CUBLAS_COMPUTE_32F_FAST_TF32: 10, ComputeType.CUBLAS_COMPUTE_32F_FAST_16BF: 7}


@dataclass
class Handle:
    """A cuBLAS handle, with the stream that products run on and the memory set as workspace."""

    stream: Any
    workspace: tuple[Block, ...] = ()


def rounded(x: np.ndarray, bits: int) -> np.ndarray:
    """Round float32 to this many bits of mantissa; ties go to the even number."""
    drop = np.uint32(23 - bits)
    whole = x.view(np.uint32)
    up = ((whole >> drop) & np.uint32(1)) + np.uint32((1 << (drop - 1)) - 1)
    return np.where(np.isfinite(x), ((whole + up) >> drop << drop).view(np.float32), x)


def numbers(bits: np.ndarray) -> np.ndarray:
    """Return numbers given as bfloat16 in float32."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def bfloat16(x: np.ndarray) -> np.ndarray:
    """Return the bits of numbers rounded to bfloat16."""
    return np.where(np.isnan(x), 0x7FFF, rounded(x, 7).view(np.uint32) >> np.uint32(16)).astype(np.uint16)


def matrices(ptr: int, dtype: type, rows: int, columns: int, ld: int, stride: int, count: int) -> np.ndarray:
    """Return a view of memory, of shape (count, rows, columns)."""
    size = np.dtype(dtype).itemsize
    memory = np.frombuffer((ctypes.c_byte * (size * span(rows, columns, ld, stride, count))).from_address(ptr), dtype)
    return as_strided(memory, (count, rows, columns), (size * stride, size, size * ld))


def span(rows: int, columns: int, ld: int, stride: int, count: int) -> int:
    """Return the number of elements from the first to the last of a batch."""
    return (count - 1) * stride + (columns - 1) * ld + rows if count and rows and columns else 0


def require(truth: bool, status: Status) -> None:
    if not truth:
        raise StatusError(status)


class Library:
    """libcublas of this GPU.

    missing: if True, it is not installed: neither cuda.pathfinder nor the system finds it.
    refused: statuses that functions return instead of doing anything, by name. calls: names of the functions called.
    handles: those that are not destroyed.
    """

    def __init__(self, gpu: Gpu) -> None:
        self._gpu, self._made = gpu, 0
        self.missing = False
        self.refused: dict[str, int] = {}
        self.calls: list[str] = []
        self.handles: dict[int, Handle] = {}
        self._names = {
            int(status): ctypes.create_string_buffer(b"CUBLAS_STATUS_%s" % status.name.encode()) for status in Status
        }

    def open(self, name: str) -> Any:
        """Imitate ``ctypes.CDLL``."""
        if self.missing or name != PATH:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        opened = type("CDLL", (), {})()
        for function, result, types in declarations(HEADER):
            setattr(opened, function, Function(self._function(function), result, types))
        return opened

    def _function(self, name: str) -> Callable[..., Any]:
        do = getattr(self, f"_{name}")

        @wraps(do)
        def function(*args: Any) -> Any:
            self.calls.append(name)
            return self.refused[name] if name in self.refused else do(*args)

        return function

    def _handle(self, handle: int | None) -> Handle:
        require(handle in self.handles, Status.NOT_INITIALIZED)
        return self.handles[handle]

    def _cublasGetStatusName(self, status: int) -> int:
        return ctypes.addressof(self._names[status])

    def _cublasCreate_v2(self, handle: int) -> None:
        self._made += 1
        ctypes.c_void_p.from_address(handle).value = self._made << 32
        self.handles[self._made << 32] = Handle(self._gpu.null)

    def _cublasDestroy_v2(self, handle: int) -> None:
        """Wait for all work of the GPU, which cannot be done during a capture."""
        self._handle(handle)
        try:
            self._gpu.finish_unless_running()
        except CUDARuntimeError:
            raise StatusError(Status.INTERNAL_ERROR) from None
        del self.handles[handle]

    def _cublasSetStream_v2(self, handle: int, stream: int | None) -> None:
        """Set the stream and, as cuBLAS does, reset the workspace."""
        found = self._handle(handle)
        found.stream, found.workspace = self._gpu.stream(stream or 0), ()

    def _cublasSetWorkspace_v2(self, handle: int, workspace: int, size: int) -> None:
        require(workspace % 256 == 0, Status.INVALID_VALUE)
        self._handle(handle).workspace = (self._gpu.memory.block(workspace, size),)

    def _cublasGemmEx(
        self,
        handle,
        transa,
        transb,
        m,
        n,
        k,
        alpha,
        a,
        atype,
        lda,
        b,
        btype,
        ldb,
        beta,
        c,
        ctype,
        ldc,
        compute_type,
        algo,
    ):
        self._cublasGemmStridedBatchedEx(
            handle, transa, transb, m, n, k, alpha, a, atype, lda, 0, b, btype, ldb, 0, beta, c, ctype, ldc,
            0, 1, compute_type, algo,
        )  # fmt: skip

    def _cublasGemmStridedBatchedEx(
        self, handle, transa, transb, m, n, k, alpha, a, atype, lda, stride_a, b, btype, ldb, stride_b, beta, c, ctype,
        ldc, stride_c, batch_count, compute_type, algo,
    ):  # fmt: skip
        gpu, found = self._gpu, self._handle(handle)
        require(min(m, n, k, batch_count) >= 0, Status.INVALID_VALUE)
        flat_a, flat_b = (
            (m, k) if transa == Operation.CUBLAS_OP_N else (k, m),
            (k, n) if transb == Operation.CUBLAS_OP_N else (n, k),
        )
        fits = all(ld >= max(1, rows) for ld, rows in ((lda, flat_a[0]), (ldb, flat_b[0]), (ldc, m)))
        require(fits and transa in set(Operation) and transb in set(Operation), Status.INVALID_VALUE)
        dtype = COMPUTED.get(compute_type)
        halves = compute_type == ComputeType.CUBLAS_COMPUTE_32F and atype == btype == CudaDataType.CUDA_R_16BF
        half = halves and ctype == CudaDataType.CUDA_R_16BF
        others = (*(() if halves else (atype, btype)), *(() if half else (ctype,)))
        require(all(DTYPES.get(kind, "") == dtype for kind in others), Status.NOT_SUPPORTED)
        require(algo in set(GemmAlgo) or 0 <= algo <= 23, Status.INVALID_VALUE)
        if found.stream.is_capturing() and not found.workspace:
            raise MemoryFaultError("a product is captured without a workspace, and cuBLAS would allocate one")
        laid = [
            (ptr, DTYPES[kind], *shape, ld, stride, batch_count)
            for ptr, kind, shape, ld, stride in (
                (a, atype, flat_a, lda, stride_a),
                (b, btype, flat_b, ldb, stride_b),
                (c, ctype, (m, n), ldc, stride_c),
            )
        ]
        used = [gpu.memory.block(ptr, span(*lay) * np.dtype(kind).itemsize) for ptr, kind, *lay in laid if span(*lay)]
        if batch_count > 1 and abs(stride_c) < span(m, n, ldc, 0, 1):  # unless they interleave
            offsets = np.add.outer(np.arange(batch_count) * stride_c, np.add.outer(np.arange(n) * ldc, np.arange(m)))
            if np.unique(offsets).size != offsets.size:
                raise MemoryFaultError("products of one batch are written over one another")
        number = ctypes.c_double if dtype is np.float64 else ctypes.c_float
        scale, old = (dtype(number.from_address(ptr).value) for ptr in (alpha, beta))
        bits = MANTISSAS.get(compute_type)

        def multiply() -> None:
            A, B, C = (matrices(*lay) for lay in laid)
            if any(np.may_share_memory(C, X) and np.shares_memory(C, X) for X in (A, B) if X.size):
                raise MemoryFaultError("a product is written over its operands")
            A, B = A if transa == Operation.CUBLAS_OP_N else A.mT, B if transb == Operation.CUBLAS_OP_N else B.mT
            if halves:
                A, B = numbers(A), numbers(B)
            if bits is not None:
                A, B = rounded(np.ascontiguousarray(A), bits), rounded(np.ascontiguousarray(B), bits)
            with np.errstate(all="ignore"):
                product = scale * (A @ B)
                if old != 0:  # where β is 0, C is not read
                    product = product + old * (numbers(C) if half else C)
                C[...] = bfloat16(product) if half else product

        if m and n and batch_count:
            found.stream.push(Work("gemm", multiply, (*used, *found.workspace)))
