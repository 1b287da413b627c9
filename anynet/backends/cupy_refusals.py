"""Reasons why CuPy cannot compute here, each in one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import cupy

from anynet.backends.base import BackendError
from anynet.compiler.cuda import cache_advice, lacks_toolkit, out_of_memory, toolkit
from anynet.core.formatting import first_line

NO_DEVICE, DRIVER_TOO_OLD = 100, 35
"""CUDA's error codes cudaErrorNoDevice and cudaErrorInsufficientDriver; the latter also if there is no driver."""

OTHER = "another backend, such as numpy"
"""Advice where no GPU can be used."""


def find_device(device: str | None) -> int:
    """Return the number of a GPU, by default the current one.

    Raises BackendError: no driver, an old driver, no GPU, or no such GPU.
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
    return int(number)


@contextmanager
def refusing(number: int) -> Iterator[None]:
    """Context manager that raises BackendError for what fails within, on the GPU of this number."""
    try:
        yield
    except BackendError:
        raise
    except Exception as error:
        raise BackendError(_why_it_failed(error, number)) from error


def check_values() -> None:
    """Raise BackendError if results are wrong; what CuPy lacks to compute them raises errors of its own."""
    ones = cupy.ones((2, 2))
    found = float((ones @ ones + ones).sum())
    if found != 12:
        raise BackendError(
            f"cupy computes wrong numbers on this GPU: expected 12 as the sum of a product, got {found:g}; "
            "update the driver, test the GPU, or choose another device"
        )


def _why_no_device(status: int) -> str:
    if cupy.cuda.runtime.is_hip:
        return f"cupy for ROCm cannot reach a GPU (HIP error {status}); check rocminfo, or choose {OTHER}"
    driver, needed = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
    if status == DRIVER_TOO_OLD and driver == 0:
        return f"cupy found no NVIDIA driver; install one on a machine with an NVIDIA GPU, or choose {OTHER}"
    if status == DRIVER_TOO_OLD:
        return (
            f"cupy needs an NVIDIA driver for CUDA {needed // 1000}, and the one here is for CUDA {driver // 1000}."
            f"{driver % 1000 // 10}; update the driver, or pip install 'cupy-cuda12x[ctk]' for an older one"
        )
    if status == NO_DEVICE:
        return "cupy found an NVIDIA driver, but no GPU; see nvidia-smi and CUDA_VISIBLE_DEVICES"
    return f"cupy cannot reach a GPU: CUDA error {status}; check nvidia-smi, or choose {OTHER}"


def _why_it_failed(error: Exception, number: int) -> str:
    if out_of_memory(error):
        return _why_full(number)
    why = f"({first_line(error)})"
    if cupy.cuda.runtime.is_hip:
        return f"cupy for ROCm cannot compute on this GPU {why}; check rocminfo, or choose {OTHER}"
    if "dlopen" in str(error):  # by cuda.pathfinder, which has found the file
        return f"cupy cannot open a library of CUDA {why}; pip install --force-reinstall {toolkit()} brings a whole one"
    if lacks_toolkit(error):
        return f"cupy lacks files of the CUDA toolkit {why}; pip install {toolkit()} brings them"
    if isinstance(error, OSError):
        return f"cupy cannot use a file {why}; {cache_advice()}"
    if isinstance(error, cupy.cuda.compiler.CompileException):
        return f"cupy cannot compile for this GPU {why}; pip install -U {toolkit()} brings a newer compiler"
    return f"cupy cannot compute on this GPU {why}; check nvidia-smi, update the driver, or pip install {toolkit()}"


def _why_full(number: int) -> str:
    runtime = cupy.cuda.runtime
    try:
        free, total = cupy.cuda.Device(number).mem_info
    except runtime.CUDARuntimeError:  # not even a context fits
        free, total = 0, runtime.getDeviceProperties(number)["totalGlobalMem"]
    other = "another GPU" if runtime.getDeviceCount() > 1 else OTHER
    return (
        f"cupy on cuda:{number} is out of memory: {free / 1e9:.3g} GB are free of {total / 1e9:.3g} GB, and other "
        f"programs, or arrays of this one, hold the rest; end those that nvidia-smi lists, or choose {other}"
    )
