"""JAX, on whatever it was installed for."""

from types import ModuleType
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from anynet.backends.base import Backend, BackendError, Function, Memory
from anynet.backends.numpy import host_memory
from anynet.typing import Array


def connect(device: str | None) -> "Jax":
    """The device named ("cpu", "gpu", "gpu:1"), or JAX's default.

    Raises BackendError for one that is not here.
    """
    platform, _, number = (device or "").partition(":")
    try:
        return Jax("jax", jax.devices(platform or None)[int(number or 0)])
    except (RuntimeError, IndexError, ValueError):
        here = ", ".join(f"jax:{name}" for name in _names())
        raise BackendError(f'jax has no device "{device}" here; choose {here}') from None


def _names() -> list[str]:
    return [
        f"{d.platform}:{i}"
        for p in sorted({d.platform for d in jax.devices()} | {"cpu"})
        for i, d in enumerate(jax.devices(p))
    ]


class Jax(Backend):
    """JAX arrays; ``compile`` is ``jax.jit``."""

    @property
    def xp(self) -> ModuleType:
        return jax.numpy

    def asarray(self, host: NDArray[Any]) -> Array:
        return jax.device_put(host, self.device)

    def to_host(self, array: Array) -> NDArray[Any]:
        return np.array(array)

    def memory(self) -> Memory | None:
        stats = self.device.memory_stats()
        if stats is None:
            return host_memory() if self.device.platform == "cpu" else None
        return Memory(stats["bytes_limit"] - stats["bytes_in_use"], stats["bytes_limit"])

    def devices(self) -> list[str]:
        return _names()

    def compile(self, function: Function) -> Function:
        return jax.jit(function)

    def dtype(self, name: str) -> Any:
        """For float64, JAX's own switch is set, for the whole process: without it JAX makes float32 of everything."""
        if name == "float64":
            jax.config.update("jax_enable_x64", True)
        return super().dtype(name)
