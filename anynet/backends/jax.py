"""JAX, on the CPU, or on GPUs or TPUs if it is installed for them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import jax
import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends.array_library import DeviceMemory
from anynet.backends.base import Backend, BackendError, Function, step_by_step
from anynet.backends.exchange import to_numpy
from anynet.backends.jax_loops import EXECUTION, ScannedLoop, is_pure
from anynet.backends.numpy import host_memory
from anynet.backends.options import ROUNDED, check_compile, rounds
from anynet.compiler import Loop, Step, Tick
from anynet.core.formatting import first_line
from anynet.core.typing import Array, ConcreteArray, DType

PRODUCTS = {"float32": "float32", "tf32": "TF32_TF32_F32", "bf16": "BF16_BF16_F32"}
"""JAX's names of the matmul precisions. On GPUs, XLA rounds to TF32 by default, and "bfloat16" is TF32 too."""

FLOAT64 = 'float64: JAX converts it to float32; call dtype("float64") first, which enables it'
"""Message about arrays of 64 bits while JAX has 32."""


def connect(device: str | None) -> "Jax":
    """Return the backend on a device ("cpu", "gpu", "gpu:1"); by default JAX's default device.

    Raises BackendError for devices that are not here.
    """
    platform, _, number = (device or "").partition(":")
    try:
        here = jax.devices(platform or None)
    except (RuntimeError, AssertionError) as error:
        if not platform:
            raise BackendError(f"jax finds no device ({first_line(error)}); see JAX_PLATFORMS") from None
        here = []
    if not (number or "0").isdecimal() or int(number or 0) >= len(here):
        cuda = "; pip install 'jax[cuda12]' brings GPUs" if platform in ("gpu", "cuda") else ""
        choices = ", ".join(f"jax:{name}" for name in _devices()) or "another backend"
        raise BackendError(f'jax has no device "{device}" here; choose {choices}{cuda}')
    return Jax("jax", here[int(number or 0)])


def holder(array: jax.Array) -> "Jax":
    """Return the backend on the device of an array, the first one of an array on several."""
    return Jax("jax", min(array.devices(), key=lambda device: device.id))


def _devices() -> dict[str, jax.Device]:
    """Return the devices of the default platform and of the CPU, by name."""
    found: dict[str, jax.Device] = {}
    for platform in (None, "cpu"):
        with suppress(RuntimeError, AssertionError):
            found |= {f"{device.platform}:{i}": device for i, device in enumerate(jax.devices(platform))}
    return found


def _memory(device: jax.Device) -> DeviceMemory | None:
    if device.platform == "cpu":
        return host_memory()
    stats = device.memory_stats() or {}
    if "bytes_limit" not in stats:
        return None
    return DeviceMemory(stats["bytes_limit"] - stats["bytes_in_use"], stats["bytes_limit"])


def _check_32_bits(array: ConcreteArray) -> None:
    """Raise TypeError or OverflowError for what JAX would convert to 32 bits, unless those have the values."""
    name = str(array.dtype).rpartition(".")[2]
    if name in ("float64", "complex128"):
        raise TypeError(FLOAT64.replace("float64", name, 1))
    if name in ("int64", "uint64") and 0 not in array.shape:
        values = to_numpy(array) if name == "uint64" else array  # PyTorch has no max of uint64
        limits, xp = np.iinfo(name.replace("64", "32")), array_namespace(values)
        low, high = int(xp.min(values)), int(xp.max(values))
        if low < limits.min or high > limits.max:
            beyond = high if high > limits.max else low
            advice = 'call dtype("float64") first, which enables 64 bits'
            raise OverflowError(f"{name}: JAX converts it to {limits.dtype}, which lacks {beyond}; {advice}")


class Jax(Backend):
    """JAX; `compile` is ``jax.jit``."""

    @property
    def xp(self) -> ModuleType:
        namespace: ModuleType = jax.numpy
        return namespace

    def asarray(self, host: NDArray[Any]) -> Array:
        """Return a JAX array. 64-bit integers become 32-bit ones unless JAX's option ``jax_enable_x64`` is set.

        Raises TypeError for float64 unless it is set.
        """
        if host.dtype == np.float64 and not jax.config.jax_enable_x64:
            raise TypeError(FLOAT64)
        array: Array = jax.device_put(host, self.device)
        return array

    def answer(self, array: ConcreteArray) -> Array:
        """Return a result as `put` does, float64 as float32 unless JAX has 64 bits: so JAX's own functions do."""
        is_wide = str(array.dtype).endswith("float64") and not jax.config.jax_enable_x64
        return self.put(array, "float32" if is_wide else None)

    def _place(self, array: ConcreteArray) -> Array:
        if not (jax.config.jax_enable_x64 or isinstance(array, jax.Array)):
            _check_32_bits(array)
        return super()._place(array)

    def _move(self, array: jax.Array) -> Array:
        moved: Array = jax.device_put(array, self.device)
        return moved

    def _from_dlpack(self, array: ConcreteArray) -> Array:
        return self._move(super()._from_dlpack(array))

    def to_host(self, array: Array) -> NDArray[Any]:
        return np.array(array)

    def wait(self, result: Any) -> None:
        jax.block_until_ready(result)

    def memory(self) -> DeviceMemory | None:
        return _memory(self.device)

    def devices(self) -> dict[str, tuple[int | None, int | None]]:
        return {name: _memory(device) or (None, None) for name, device in _devices().items()}

    def out_of_memory(self, error: BaseException) -> bool:
        exhausted = isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
        return exhausted or super().out_of_memory(error)

    @property
    def precisions(self) -> tuple[str, ...]:
        """Matmul precisions, found by multiplying: on the CPU, XLA ignores or refuses the others."""
        return ("float32", *filter(self._rounds, ROUNDED))

    def _rounds(self, precision: str) -> bool:
        multiply = replace(self, precision=precision).compile(jax.numpy.matmul)
        try:
            return rounds(precision, lambda a, b: self.to_host(multiply(self.asarray(a), self.asarray(b))))
        except (ValueError, jax.errors.JaxRuntimeError):
            return False

    @contextmanager
    def matmul_precision(self) -> Iterator[None]:
        """Context manager that sets the matmul precision, and promotes ranks and dtypes as the array API does.

        JAX's options may forbid both in the user's own code.
        """
        allowed = jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard")
        with jax.default_matmul_precision(PRODUCTS[self.precision]), allowed[0], allowed[1]:
            yield

    def compile(self, function: Function) -> Function:
        compiled: Function = jax.jit(self.matmul_precision()(function))
        return compiled

    @property
    def choice(self) -> str:
        return f"jax:{self.device.platform}:{jax.devices(self.device.platform).index(self.device)}"

    @property
    def execution(self) -> str:
        return EXECUTION

    def loop(self, step: Step, compile: str = "auto") -> Loop:
        """Return a loop of all steps in one compiled call, with vectors in parts: XLA copies slices."""
        check_compile(compile)
        if compile == "off":
            return step_by_step(self.matmul_precision()(step))
        return ScannedLoop(self, step, strict=compile == "on")

    def plain_loop(self, step: Step) -> Loop:
        """Return a loop over a step that is compiled only if it is pure: JAX would repeat what its first call did."""
        own = self.matmul_precision()(step)
        compiled, eager = super().plain_loop(step), step_by_step(own)
        chosen: list[Loop] = []

        def run(carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
            if not chosen and jax.tree.leaves(rows)[0].shape[0]:
                row = jax.tree.map(lambda column: column[0], rows)
                chosen.append(compiled if is_pure(own, carry, shared, row) else eager)
            return (chosen or [compiled])[0](carry, shared, rows, tick)

        return run

    def dtype(self, name: str) -> DType:
        """Return the dtype. For float64, set JAX's option ``jax_enable_x64``, which is the whole process's."""
        if name == "float64":
            jax.config.update("jax_enable_x64", True)
        return super().dtype(name)
