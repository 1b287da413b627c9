"""CuPy, on a CUDA GPU."""

from functools import wraps
from types import ModuleType
from typing import Any, cast

import array_api_compat.cupy as xp
import cupy
import cupyx
import numpy as np
from numpy.typing import NDArray

from anynet.backends.base import (
    Backend,
    BackendError,
    DeviceMemory,
    Function,
    first_line,
)
from anynet.backends.staging import PinnedStaging, Staging
from anynet.compiler import Target
from anynet.compiler.cuda import CudaTarget, find_cublas
from anynet.core.typing import Array

NO_DEVICE, DRIVER_TOO_OLD = 100, 35
"""CUDA's error codes: cudaErrorNoDevice, cudaErrorInsufficientDriver (no driver at all gives it too)."""


def connect(device: str | None) -> "Cupy":
    """The GPU of this number, or the current one, after trying out that it multiplies and compiles.

    Raises BackendError that tells apart: no driver, driver too old, no GPU, no such GPU, CUDA's libraries missing.
    """
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        raise BackendError(_why_no_device(error.status)) from None
    if device is not None and not device.isdecimal():
        raise BackendError(f'cupy\'s devices are numbers, as in cupy:0, not "{device}"')
    number = runtime.getDevice() if device is None else int(device)
    if number >= count:
        raise BackendError(f"cupy has no device {number} here; choose cupy:0" + (f" to cupy:{count - 1}" * (count > 1)))
    # CuPy allocates on the current device, whatever an array's neighbours are on.
    cupy.cuda.Device(number).use()
    try:
        square = cupy.ones((2, 2))
        (square @ square + square).sum()
    except Exception as error:
        toolkit = f"cupy-cuda{runtime.runtimeGetVersion() // 1000}x[ctk]"
        what = "cannot compute on this GPU"
        if isinstance(error, ImportError) or type(error).__name__ in ("DynamicLibNotFoundError", "CompileException"):
            what = "lacks files of the CUDA toolkit"
        raise BackendError(f"cupy {what} ({first_line(error)}); pip install '{toolkit}' brings the toolkit") from error
    try:
        find_cublas()
    except Exception as error:
        raise BackendError(
            f"cupy would multiply by nvmath-python's cuBLAS, which does not work here ({first_line(error)}); "
            "pip install '.[cuda12]' or '.[cuda13]', as cupy's CUDA is, in anynet's source, or remove nvmath-python"
        ) from error
    return Cupy("cupy", cupy.cuda.Device(number))


def _why_no_device(status: int) -> str:
    driver, needed = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
    if status == DRIVER_TOO_OLD and driver == 0:
        return "cupy found no NVIDIA driver; install one on a machine with an NVIDIA GPU, or choose --backend numpy"
    if status == DRIVER_TOO_OLD:
        return (
            f"cupy needs an NVIDIA driver for CUDA {needed // 1000}, and the one here is for CUDA {driver // 1000}."
            f"{driver % 1000 // 10}; update the driver, or pip install 'cupy-cuda12x[ctk]' for an older one"
        )
    if status == NO_DEVICE:
        return "cupy found an NVIDIA driver, but no GPU; see nvidia-smi and CUDA_VISIBLE_DEVICES"
    return f"cupy cannot reach a GPU: CUDA error {status}; check nvidia-smi, or choose --backend numpy"


class Cupy(Backend):
    """CuPy arrays on one GPU, which ``connect`` has made the current one."""

    @property
    def xp(self) -> ModuleType:
        return xp

    @property
    def device_name(self) -> str:
        return f"cuda:{self.device.id}"

    def asarray(self, host: NDArray[Any]) -> Array:
        with self.device:
            return cupy.array(host)

    def to_host(self, array: Array) -> NDArray[Any]:
        return cupy.asnumpy(array)

    def wait(self, result: Any) -> None:
        self.device.synchronize()

    def memory(self) -> DeviceMemory | None:
        """What CuPy keeps for arrays to come is free to it, whatever CUDA says."""
        with self.device:
            free, total = self.device.mem_info
            return DeviceMemory(free + cupy.get_default_memory_pool().free_bytes(), total)

    def devices(self) -> dict[str, DeviceMemory | None]:
        runtime = cupy.cuda.runtime
        names = [runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount())]
        return {f"{i} ({name})": DeviceMemory(*cupy.cuda.Device(i).mem_info) for i, name in enumerate(names)}

    def out_of_memory(self, error: BaseException) -> bool:
        """CuPy's own error is a MemoryError; CUDA's and cuBLAS's are known by what they say."""
        said = any(words in str(error) for words in ("out of memory", "ALLOC_FAILED"))
        return said or super().out_of_memory(error)

    @property
    def precisions(self) -> tuple[str, ...]:
        """In recorded steps, by cuBLAS through nvmath, on GPUs since Ampere, compute capability 8.0."""
        rounded = find_cublas() is not None and int(self.device.compute_capability) >= 80
        return ("float32", "tf32", "bf16") if rounded else super().precisions

    def compile(self, function: Function) -> Function:
        """The function itself, on this device: CuPy allocates on the current one, of which every thread has its own."""

        @wraps(function)
        def on_device(*args: Any) -> Any:
            with self.device:
                return function(*args)

        return cast(Function, on_device)

    @property
    def target(self) -> Target:
        return CudaTarget(self.precision)

    def staging(self, shape: tuple[int, ...]) -> Staging:
        return PinnedStaging([cupyx.empty_pinned(shape, np.uint8) for _ in range(2)], self._copy)

    def _copy(self, host: NDArray[np.uint8]) -> tuple[Array, cupy.cuda.Event]:
        with self.device:
            array, done = cupy.empty(host.shape, host.dtype), cupy.cuda.Event()
            array.set(host, stream=cupy.cuda.get_current_stream())
            done.record()
        return array, done
