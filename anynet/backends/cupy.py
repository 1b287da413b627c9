"""CuPy, on a CUDA GPU."""

from contextlib import AbstractContextManager
from functools import cache, partial, wraps
from types import ModuleType
from typing import Any, cast

import array_api_compat.cupy as xp
import cupy
import cupyx
import numpy as np
from numpy.typing import DTypeLike, NDArray

from anynet.backends.array_library import DeviceMemory
from anynet.backends.base import Backend, Function
from anynet.backends.cupy_refusals import check_values, find_device, refusing
from anynet.backends.options import check_compile, rounds
from anynet.backends.staging import PinnedStaging, Staging
from anynet.compiler import CompileError, Loop, Step, Target, warn
from anynet.compiler.cuda import CAPTURING, CudaTarget, MatrixProduct, cublas_handle, fastest_target, out_of_memory
from anynet.core.typing import Array, ConcreteArray

PIECE_BYTES = 8_000_000
"""Largest size of an array that is copied to the GPU by way of page-locked memory."""


def connect(device: str | None) -> "Cupy":
    """Return the backend on the GPU of a number, by default the current one, after testing that it can compute.

    Raises BackendError, which says what is wrong: no driver, an old driver, no GPU, no such GPU, missing libraries, a
    full GPU, or wrong numbers.
    """
    number = find_device(device)
    with refusing(number):
        cupy.cuda.Device(number).use()  # CuPy allocates on the current device
        check_values()
        if not cupy.cuda.runtime.is_hip:
            cublas_handle()
    return Cupy("cupy", cupy.cuda.Device(number))


def holder(array: cupy.ndarray) -> "Cupy":
    """Return the backend on the GPU of an array, which does not become the current one."""
    return Cupy("cupy", array.device)


class Cupy(Backend):
    """CuPy on one GPU, which `connect` makes the current one."""

    @property
    def xp(self) -> ModuleType:
        namespace: ModuleType = xp
        return namespace

    def current(self) -> AbstractContextManager[Any]:
        return cast(AbstractContextManager[Any], self.device)

    @property
    def choice(self) -> str:
        return f"cupy:{self.device.id}"

    @property
    def device_name(self) -> str:
        return f"cuda:{self.device.id}"

    def asarray(self, host: NDArray[Any]) -> Array:
        """Return a copy on the GPU, large arrays in pieces.

        `cupy.array` copies by way of page-locked memory, as much as a power of two that holds the array, and CuPy keeps
        it for ever. `set` needs none. Each piece is waited for: then nothing reads its memory any more.
        """
        with self.device:
            if host.nbytes <= PIECE_BYTES:
                return cast(Array, cupy.array(host))
            array = cupy.empty(host.shape, host.dtype.newbyteorder("="))
            rows = max(1, PIECE_BYTES * len(host) // host.nbytes)
            for i in range(0, len(host), rows):
                array[i : i + rows].set(np.ascontiguousarray(host[i : i + rows], array.dtype))
                cupy.cuda.get_current_stream().synchronize()
        return cast(Array, array)

    def _move(self, array: cupy.ndarray) -> Array:
        with self.device:
            return cast(Array, cupy.array(array))

    def _from_dlpack(self, array: ConcreteArray) -> Array:
        """Return the array, bfloat16 as float32: CuPy has it only beside ml_dtypes, and with few functions."""
        with self.device:
            shared = super()._from_dlpack(array)
            return self.xp.astype(shared, cupy.float32) if shared.dtype.kind == "V" else shared

    def to_host(self, array: Array) -> NDArray[Any]:
        host: NDArray[Any] = cupy.asnumpy(array)
        return host

    @property
    def asynchronous(self) -> bool:
        return True

    def wait(self, result: Any) -> None:
        with CAPTURING:
            self.device.synchronize()

    def memory(self) -> DeviceMemory | None:
        """Return the memory of the GPU; what CuPy's pool holds unused counts as free."""
        with self.device:
            free, total = self.device.mem_info
            return DeviceMemory(free + cupy.get_default_memory_pool().free_bytes(), total)

    def devices(self) -> dict[str, tuple[int | None, int | None]]:
        runtime = cupy.cuda.runtime
        found: dict[str, tuple[int | None, int | None]] = {}
        for i in range(runtime.getDeviceCount()):
            gpu = runtime.getDeviceProperties(i)
            memory = self.device.mem_info if i == self.device.id else (None, gpu["totalGlobalMem"])
            found[f"{i} ({gpu['name'].decode()})"] = memory
        return found

    def out_of_memory(self, error: BaseException) -> bool:
        return out_of_memory(error)

    @property
    def precisions(self) -> tuple[str, ...]:
        """Matmul precisions of recorded steps: bf16, for which kernels round, and tf32 if cuBLAS is seen to round.

        Rounding needs an NVIDIA GPU of compute capability 8.0 (Ampere).
        """
        if cupy.cuda.runtime.is_hip or int(self.device.compute_capability) < 80:
            return super().precisions
        with self.device:
            return ("float32", *(["tf32"] if rounds("tf32", _multiply) else []), "bf16")

    def compile(self, function: Function) -> Function:
        """Return the function on this device: CuPy allocates on the current one, and each thread has its own."""

        @wraps(function)
        def on_device(*args: Any, **kwargs: Any) -> Any:
            with self.device:
                return function(*args, **kwargs)

        return cast(Function, on_device)

    @property
    def target(self) -> Target | None:
        """The fastest target that a probe found to compute right."""
        return _prove(self.device.id, self.precision)[0]

    @property
    def slow_because(self) -> str:
        return _prove(self.device.id, self.precision)[1]

    def loop(self, step: Step, compile: str = "auto") -> Loop:
        """Return a loop over a step; where a probe found that the fastest target fails here, this warns."""
        check_compile(compile)
        if compile != "off" and (cause := self.slow_because):
            if compile == "on":
                raise CompileError(f"cupy: steps cannot run as {CudaTarget().execution}: {cause}")
            warn(self.execution, cause)
        return super().loop(step, compile)

    def staging(self, shape: tuple[int, ...], dtype: DTypeLike) -> Staging:
        with self.device:
            copies = cupy.cuda.Stream(non_blocking=True)  # others wait for the default stream, and it for them
        buffers = [cupyx.empty_pinned(shape, dtype) for _ in range(2)]
        return PinnedStaging(buffers, partial(self._copy, copies), self._join)

    def _copy(self, copies: cupy.cuda.Stream, host: NDArray[Any]) -> tuple[Array, cupy.cuda.Event]:
        """Copy on a stream of its own, to memory of the current one, which may still use it for an array freed."""
        with self.device:
            array = cupy.empty(host.shape, host.dtype)
            copies.wait_event(cupy.cuda.get_current_stream().record(_event()))
            array.set(host, stream=copies)
            return array, copies.record(_event())

    def _join(self, event: cupy.cuda.Event) -> None:
        with self.device:
            cupy.cuda.get_current_stream().wait_event(event)


def _multiply(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a product in TF32."""
    left, right = cupy.asarray(a), cupy.asarray(b)
    out = cupy.empty_like(left)
    MatrixProduct(left, right, out, "tf32")()
    product: NDArray[Any] = cupy.asnumpy(out)
    return product


def _event() -> cupy.cuda.Event:
    return cupy.cuda.Event(disable_timing=True)


@cache
def _prove(device: int, precision: str) -> tuple[Target | None, str]:
    """Return the fastest target that computes right on a device, and why it is not the first one."""
    if cupy.cuda.runtime.is_hip:
        return None, "CuPy for ROCm runs plain steps only"
    with cupy.cuda.Device(device):
        return fastest_target(CudaTarget(precision))
