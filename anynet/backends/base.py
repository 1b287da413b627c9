"""Interface of the backends: what anynet needs of an array library beyond the array API standard.

These are devices, moving arrays, memory, and running steps. What a library does differently from others is in its file
in this folder and in its target in ``anynet/compiler``, and nowhere else.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from numpy.typing import DTypeLike

from anynet.backends.array_library import ArrayLibrary
from anynet.backends.options import PRECISIONS, check_compile, check_dtype, check_precision
from anynet.backends.staging import CopiedStaging, Staging
from anynet.compiler import PLAIN, Loop, Step, Target, Tick, compile_loop
from anynet.core.errors import Error
from anynet.core.html_table import html_block, html_table
from anynet.core.tree import flatten
from anynet.core.typing import DType

Function = TypeVar("Function", bound=Callable[..., Any])


class BackendError(Error, RuntimeError):
    """Raised for backends that cannot be used here; one line says why, and what to do."""


def step_by_step(step: Step) -> Loop:
    """Return the loop that calls a step for one row after another."""

    def run(carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
        leaves, rebuild = flatten(rows)
        for i in range(leaves[0].shape[0]):
            carry = step(carry, shared, rebuild([leaf[i, ...] for leaf in leaves]))
            tick(1)
        return carry

    return run


@dataclass(frozen=True)
class Backend(ArrayLibrary):
    """Array library on one device, and ways to run steps there.

    Parameters
    ----------
    name : str
        "numpy", "cupy", "torch" or "jax".
    device : object
        The library's own device object or name.
    precision : str
        Matmul precision, one of `precisions`.
    """

    precision: str = "float32"

    @property
    def precisions(self) -> tuple[str, ...]:
        """Matmul precisions that the library has on this device, of those in `PRECISIONS`."""
        return ("float32",)

    def with_precision(self, precision: str) -> Self:
        """Return the same backend with another matmul precision.

        Parameters
        ----------
        precision : str
            One of `precisions`.

        Returns
        -------
        Backend

        Raises
        ------
        ValueError
            If it is not in `PRECISIONS`.
        BackendError
            If the library does not have it on this device.
        """
        check_precision(precision)
        if precision != "float32" and precision not in self.precisions:
            raise BackendError(
                f"{self.name} on {self.device_name} multiplies in {', '.join(self.precisions)} only; for {precision} "
                f"choose {PRECISIONS[precision]}"
            )
        return replace(self, precision=precision)

    def matmul_precision(self) -> AbstractContextManager[Any]:
        """Context manager that sets the matmul precision. Functions returned by `compile` set it themselves."""
        return nullcontext()

    def compile(self, function: Function) -> Function:
        """Return a function that does the same, compiled if the library can.

        Parameters
        ----------
        function : callable
            Pure function of arrays in any containers.

        Returns
        -------
        callable
        """
        return function

    @property
    def target(self) -> Target | None:
        """Target that runs recorded steps; None if the backend runs steps in another way."""
        return None

    @property
    def execution(self) -> str:
        """Name of how recorded steps run, in the words of ``anynet.compiler.execution``."""
        return PLAIN if self.target is None else self.target.execution

    @property
    def slow_because(self) -> str:
        """Why steps run more slowly than the backend's steps do elsewhere; "" if they do not."""
        return ""

    def loop(self, step: Step, compile: str = "auto") -> Loop:
        """Return a loop over a step.

        Parameters
        ----------
        step : Step
            Function that computes a step; see `anynet.compiler.target.Step`.
        compile : {"auto", "on", "off"}
            "auto" records and compiles the step as far as the backend can; one `CompileWarning` says why steps run more
            slowly than usual. "on" raises CompileError instead. "off" runs the step as it is.

        Returns
        -------
        Loop
        """
        check_compile(compile)
        plain = self.plain_loop(step)
        if compile == "off" or self.target is None:
            return plain
        strict = compile == "on"
        return self.compile(compile_loop(step, self.target, plain, strict=strict, out_of_memory=self.out_of_memory))

    def plain_loop(self, step: Step) -> Loop:
        """Return a loop over a step that is not recorded: the reference for `loop`."""
        return step_by_step(self.compile(step))

    def staging(self, shape: tuple[int, ...], dtype: DTypeLike) -> Staging:
        """Return buffers of a shape and dtype on the host, from which samples are copied to the device."""
        return CopiedStaging(self.asarray, shape, dtype)

    @property
    def workers(self) -> int:
        """Number of worker threads, one core each, with which members train fastest; 1 if a single stack is faster."""
        return 1

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        """Context manager within which the library uses one core per thread that calls it."""
        yield

    def dtype(self, name: str) -> DType:
        """Return the library's dtype of a name, enabled if need be.

        Parameters
        ----------
        name : {"float32", "float64"}
            Name of the dtype.

        Returns
        -------
        dtype

        Raises
        ------
        ValueError
            If it is not in `DTYPES`, or is float64 while the matmul precision is not "float32".
        """
        check_dtype(name, self.precision)
        return getattr(self.xp, name)

    def __hash__(self) -> int:
        """Return the hash of the device's name: CuPy's devices have none."""
        return hash((self.name, self.device_name, self.precision))

    def _repr_html_(self) -> str:
        rows = {
            "device": self.device_name,
            "version": str(getattr(sys.modules.get(self.name), "__version__", "")),
            "matmul precision": self.precision,
            "training steps": self.execution,
        }
        return html_block(f"Backend {self}", html_table(("", ""), rows.items()))

    def __str__(self) -> str:
        products = "" if self.precision == "float32" else f" with {self.precision} products"
        return f"{self.name} on {self.device_name}{products}"
