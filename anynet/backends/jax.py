"""JAX, on the CPU, or on GPUs or TPUs if it is installed for them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from anynet.backends.base import Backend, BackendError, DeviceMemory, Function, step_by_step
from anynet.backends.numpy import host_memory
from anynet.backends.options import check_compile
from anynet.compiler import PLAIN, Fallback, Loop, Step, Tick, explain, generator_states, split_step
from anynet.core.formatting import first_line
from anynet.core.typing import Array, DType

PRODUCTS = {"float32": "float32", "tf32": "TF32_TF32_F32", "bf16": "BF16_BF16_F32"}
"""JAX's names of the matmul precisions. On GPUs, XLA rounds to TF32 by default, and "bfloat16" is TF32 too."""

KEPT = {"tf32": 1 + 2**-9, "bf16": 1.0}
"""Result of rounding 1 + 2^-9 + 2^-12 to each precision."""

EXECUTION = "one compiled loop"
"""Name of how the steps of a `ScannedLoop` run."""


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


class _NotRecordedError(Exception):
    """Raised while JAX traces a loop if the step cannot be recorded; the message is the reason."""


def _is_pure(step: Step, *args: Any) -> bool:
    """Return True if JAX compiles a step to the same program twice, and the step draws no random numbers."""
    states = generator_states(step)
    try:
        programs: list[str] = [jax.jit(lambda *args: step(*args)).lower(*args).as_text() for _ in range(2)]
    except Exception:  # it reads numbers, which it can only while JAX does not trace it
        return False
    return programs[0] == programs[1] and states == generator_states(step)


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
            raise TypeError('float64: JAX converts it to float32; call dtype("float64") first, which enables it')
        array: Array = jax.device_put(host, self.device)
        return array

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
        return ("float32", *filter(self._rounds, KEPT))

    def _rounds(self, precision: str) -> bool:
        identity = np.eye(128, dtype=np.float32)
        values = np.full_like(identity, 1 + 2**-9 + 2**-12)
        multiply = replace(self, precision=precision).compile(jax.numpy.matmul)
        try:
            return bool(jax.numpy.all(multiply(self.asarray(values), self.asarray(identity)) == KEPT[precision]))
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
                chosen.append(compiled if _is_pure(own, carry, shared, row) else eager)
            return (chosen or [compiled])[0](carry, shared, rows, tick)

        return run

    def dtype(self, name: str) -> DType:
        """Return the dtype. For float64, set JAX's option ``jax_enable_x64``, which is the whole process's."""
        if name == "float64":
            jax.config.update("jax_enable_x64", True)
        return super().dtype(name)


class ScannedLoop:
    """Loop of all steps in one compiled call, with vectors in parts.

    Parameters
    ----------
    backend : Jax
    step : Step
    strict : bool
        If True, raise CompileError in place of the warning that a step cannot be recorded.
    """

    def __init__(self, backend: Jax, step: Step, *, strict: bool) -> None:
        self._step, self._fallback = step, Fallback(backend.plain_loop(step), strict=strict)
        self._compiled = backend.compile(self._scan)

    @property
    def execution(self) -> str:
        """Name of how the steps run."""
        return PLAIN if self._fallback.used else EXECUTION

    def __call__(self, carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
        """Run the loop."""
        reason = ""
        if not self._fallback.used:
            try:
                carry = jax.block_until_ready(self._compiled(carry, shared, rows))
            except _NotRecordedError as error:
                reason = str(error)
            else:
                tick(jax.tree.leaves(rows)[0].shape[0])
                return carry
        return self._fallback(carry, shared, rows, tick, reason)

    def _scan(self, carry: Any, shared: Any, rows: Any) -> Any:
        first = jax.tree.map(lambda column: jax.numpy.empty(column.shape[1:], column.dtype), rows)
        try:
            split = split_step(self._step, jax.numpy, carry, shared, first)
        except Exception as error:  # if it is the step's own, the plain loop raises it again
            raise _NotRecordedError(explain(error)) from None

        def one(parts: Any, row: Any) -> tuple[Any, None]:
            return split.run(parts, shared, row), None

        return split.join(jax.lax.scan(one, split.split(carry), rows)[0])
