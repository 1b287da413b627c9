"""Call cuBLAS by ctypes, because CuPy refuses to call it while a graph is captured."""

import math
import sys
import threading
from collections import deque
from contextlib import suppress
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_longlong, c_size_t, c_void_p
from functools import cache
from typing import Any

import cupy
import numpy as np

from anynet.compiler.cuda.capturing import CAPTURING

WORKSPACE = 32 << 20
"""Bytes of a handle's workspace; NVIDIA recommends as much for its newest GPUs."""

CUBLAS_STATUS_ALLOC_FAILED = 3
CUBLAS_OP_N, CUBLAS_OP_T = 0, 1
CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_64F = 68, 70
CUBLAS_COMPUTE_32F_FAST_TF32 = 77
CUBLAS_GEMM_DEFAULT = -1
CUDA_R_32F, CUDA_R_64F, CUDA_R_16BF = 0, 1, 14

_MATRIX = (c_void_p, c_int, c_int)  # address, data type, leading dimension
_STACK = (*_MATRIX, c_longlong)  # and the distance between matrices
_BEGIN = (c_void_p, *[c_int] * 5, c_void_p)  # handle, both operations, m, n, k, address of alpha
ARGUMENTS = {
    "cublasCreate_v2": [POINTER(c_void_p)],
    "cublasDestroy_v2": [c_void_p],
    "cublasSetStream_v2": [c_void_p, c_void_p],
    "cublasSetWorkspace_v2": [c_void_p, c_void_p, c_size_t],
    "cublasGemmEx": [*_BEGIN, *_MATRIX, *_MATRIX, c_void_p, *_MATRIX, c_int, c_int],
    "cublasGemmStridedBatchedEx": [*_BEGIN, *_STACK, *_STACK, c_void_p, *_STACK, c_int, c_int, c_int],
    "cublasGetStatusName": [c_int],
}
"""Types of the arguments of each function."""


class CublasError(RuntimeError):
    """Error that a call of cuBLAS returns.

    Parameters
    ----------
    function : str
    status : int
        What the function returned, a ``cublasStatus_t``.
    """

    def __init__(self, function: str, status: int) -> None:
        self.function, self.status = function, status
        super().__init__(f"{function} returned {open_libcublas().cublasGetStatusName(status).decode()}")


class CublasMemoryError(CublasError, MemoryError):
    """Error of a call for which there is too little memory."""


class Handle:
    """A cuBLAS handle on the current device, with its workspace; both are freed when nothing refers to it.

    Two products must not use a handle at the same time: each has to be ordered after the one before it.
    """

    def __init__(self) -> None:
        self._ptr, self._device = c_void_p(), cupy.cuda.Device()
        _destroy_unused()
        self._workspace = cupy.empty(WORKSPACE, "uint8")
        self._scratch: dict[str, cupy.ndarray] = {}
        call("cublasCreate_v2", byref(self._ptr))

    def scratch(self, name: str, shape: tuple[int, ...], dtype: str) -> cupy.ndarray:
        """Return memory for an operand that is written right before a product, or a result that is read right after it.

        It is the same memory for all arrays of a name. If more is needed than before, those that have the memory of
        before hold it.

        Parameters
        ----------
        name : str
            What the memory is for.
        shape : tuple of int
        dtype : str

        Returns
        -------
        cupy.ndarray
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if name not in self._scratch or self._scratch[name].size < size:
            power = 1 << (size - 1).bit_length()  # so that few arrays of lengths in between are left behind
            self._scratch[name] = cupy.empty(power, "uint8")
        return self._scratch[name][:size].view(dtype).reshape(shape)

    def multiply(self, function: str, *args: Any) -> None:
        """Call a function that multiplies, on the current stream.

        Parameters
        ----------
        function : {"cublasGemmEx", "cublasGemmStridedBatchedEx"}
        *args
            Its arguments after the handle; pointers are integers.
        """
        call("cublasSetStream_v2", self._ptr, cupy.cuda.get_current_stream().ptr)
        call("cublasSetWorkspace_v2", self._ptr, self._workspace.data.ptr, WORKSPACE)  # setting the stream resets it
        call(function, self._ptr, *args)

    def __del__(self) -> None:
        if self._ptr and not sys.is_finalizing():  # at exit, CUDA frees it
            _unused.append((self._device, self._ptr))
            _destroy_unused()


class _Handles(threading.local):
    """Handles of a thread, by device."""

    def __init__(self) -> None:
        self.by_device: dict[int, Handle] = {}


_here = _Handles()
_unused: deque[tuple[Any, c_void_p]] = deque()  # handles to destroy, with their devices


def cublas_handle() -> Handle:
    """Return the handle of this thread for the current device, which lives as long as the thread or a program needs it.

    Returns
    -------
    Handle

    Raises
    ------
    ImportError
        If libcublas cannot be opened.
    CublasError
        If cuBLAS does not work on the device.
    """
    device = cupy.cuda.Device().id
    if device not in _here.by_device:
        _here.by_device[device] = Handle()
    return _here.by_device[device]


def call(function: str, *args: Any) -> None:
    """Call a function of cuBLAS.

    Parameters
    ----------
    function : str
        One of `ARGUMENTS` that returns a status.
    *args
        Its arguments; pointers may be integers.

    Raises
    ------
    CublasError
        If the function returns an error; it is a MemoryError too if memory is short.
    """
    status = getattr(open_libcublas(), function)(*args)
    if status:
        raise (CublasMemoryError if status == CUBLAS_STATUS_ALLOC_FAILED else CublasError)(function, status)


@cache
def open_libcublas() -> CDLL:
    """Return libcublas, with the types of the functions' arguments.

    Raises
    ------
    ImportError
        If it cannot be opened.
    """
    try:
        found = CDLL(_path())
        for name, types in ARGUMENTS.items():
            getattr(found, name).argtypes = types
    except (OSError, AttributeError) as error:
        raise ImportError(f"cannot open cuBLAS: {error}") from error
    found.cublasGetStatusName.restype = c_char_p
    return found


def _path() -> str:
    """Return the path where CuPy finds libcublas, or else its name, for the system to find."""
    name = f"libcublas.so.{cupy.cuda.runtime.runtimeGetVersion() // 1000}"
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib  # builds of CuPy for ROCm come without

        return load_nvidia_dynamic_lib("cublas").abs_path or name
    except (ImportError, RuntimeError):
        return name


def _destroy_unused() -> None:
    """Destroy the handles that nothing refers to, later if a graph is captured now: destroying waits for the device."""
    if not CAPTURING.acquire(blocking=False):
        return
    try:
        with suppress(RuntimeError):  # a device that an earlier error made useless
            while _unused:
                device, ptr = _unused.popleft()
                with device:
                    if open_libcublas().cublasDestroy_v2(ptr):
                        _unused.append((device, ptr))
                        return
    finally:
        CAPTURING.release()
