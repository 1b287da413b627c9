"""NumPy, on the CPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from anynet.backends.array_library import DeviceMemory
from anynet.backends.base import Backend, BackendError, Function
from anynet.backends.exchange import to_numpy
from anynet.compiler import Target
from anynet.compiler.numpy import NumpyTarget
from anynet.core.typing import Array, ConcreteArray


def connect(device: str | None) -> "Numpy":
    """Return the backend; the only device is "cpu". Raises BackendError for others."""
    if device not in (None, "cpu"):
        raise BackendError(f'numpy has one device, "cpu", not "{device}"; choose numpy without a device')
    return Numpy("numpy", "cpu")


class Numpy(Backend):
    """NumPy, on the CPU."""

    @property
    def xp(self) -> ModuleType:
        namespace: ModuleType = xp
        return namespace

    def asarray(self, host: NDArray[Any]) -> Array:
        return host

    def _place(self, array: ConcreteArray) -> Array:
        return self.asarray(to_numpy(array))

    def to_host(self, array: Array) -> NDArray[Any]:
        return np.array(array)

    def wait(self, result: Any) -> None:
        """Do nothing: NumPy does not run asynchronously."""

    def memory(self) -> DeviceMemory | None:
        return host_memory()

    def devices(self) -> dict[str, tuple[int | None, int | None]]:
        return {f"cpu ({os.cpu_count()} cores)": self.memory() or (None, None)}

    @property
    def shares_memory(self) -> bool:
        return True

    def compile(self, function: Function) -> Function:
        """Return the function without NumPy's floating-point errors; training looks for infinities once an epoch."""
        return np.errstate(all="ignore")(function)

    @property
    def workers(self) -> int:
        """Number of threads of BLAS."""
        return max(
            (library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"), default=1
        )

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        with threadpool_limits(limits=1, user_api="blas"):
            yield

    @property
    def target(self) -> Target:
        return NumpyTarget()


def host_memory() -> DeviceMemory | None:
    """Return the memory of the machine on Linux, None elsewhere."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    except OSError:
        return None
    free, total = (1024 * int(lines[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    return DeviceMemory(free, total)
