"""What anynet asks of an array library beyond the array API: devices, moving arrays, memory, compiling a step.

Everything that one library does differently from another is in its own file beside this one, and nowhere else.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, NamedTuple, Self, TypeVar

from numpy.typing import NDArray

from anynet.backends.staging import CopiedStaging, Staging
from anynet.compiler import Loop, Step, Target, Tick, compile_loop
from anynet.core.tree import flatten
from anynet.core.typing import Array

Function = TypeVar("Function", bound=Callable[..., Any])

DTYPES = ("float32", "float64")
"""What parameters and activations may be."""

PRECISIONS = {
    "float32": "every backend",
    "tf32": "cupy with nvmath-python (pip install nvmath-python), torch:cuda or jax:gpu, on an NVIDIA GPU since Ampere",
    "bf16": "cupy with nvmath-python (pip install nvmath-python) or jax:gpu, on an NVIDIA GPU since Ampere",
}
"""What operands of products of float32 arrays may be rounded to, each with who has it.

They keep 23, 10 or 7 bits behind the point; sums stay float32, and so does every array.
"""


class BackendError(RuntimeError):
    """A backend that cannot be used here; one line says why and what would mend it."""


def first_line(error: BaseException) -> str:
    """What an error says, in one short line: libraries send whole pages, with ruled lines around them."""
    return next((line.strip()[:200] for line in str(error).splitlines() if line.strip(" =")), type(error).__name__)


class DeviceMemory(NamedTuple):
    """Of a device, in bytes."""

    free: int
    total: int


def step_by_step(step: Step) -> Loop:
    """Return the loop that calls a step for one row after another."""

    def run(carry: Any, shared: Any, rows: Any, tick: Tick) -> Any:
        leaves, rebuild = flatten(rows)
        for i in range(leaves[0].shape[0]):
            carry = step(carry, shared, rebuild([leaf[i, ...] for leaf in leaves]))
            tick(1)
        return carry

    return run


@dataclass(frozen=True)
class Backend(ABC):
    """One array library on one device."""

    name: str
    """"numpy", "cupy", "torch" or "jax"."""
    device: Any
    """The library's own name for its device."""
    precision: str = "float32"
    """To what operands of products of float32 arrays are rounded: one of ``precisions``."""

    @property
    @abstractmethod
    def xp(self) -> ModuleType:
        """The library's namespace, after the array API standard."""

    @abstractmethod
    def asarray(self, host: NDArray[Any]) -> Array:
        """A NumPy array's values on the device, of the same dtype.

        The two may share memory: write to neither afterwards.
        """

    @abstractmethod
    def to_host(self, array: Array) -> NDArray[Any]:
        """A NumPy array with the array's values, which later steps do not change. Waits for the device."""

    @abstractmethod
    def wait(self, result: Any) -> None:
        """Return when a result, arrays in any containers, is there: libraries may run behind what they are asked."""

    @abstractmethod
    def memory(self) -> DeviceMemory | None:
        """What the device has; None where the library does not tell."""

    @abstractmethod
    def devices(self) -> dict[str, DeviceMemory | None]:
        """Every device that can be chosen, as written after the colon of "name:device" and with what it is behind."""

    def out_of_memory(self, error: BaseException) -> bool:
        """Whether this is what the library raises where memory runs out."""
        return isinstance(error, MemoryError)

    @property
    def shares_memory(self) -> bool:
        """Whether ``asarray`` copies nothing, so that what is on the host takes no more memory on the device."""
        return False

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those of ``PRECISIONS`` that the library has on this device."""
        return ("float32",)

    def with_precision(self, precision: str) -> Self:
        """The same backend, with products of this precision.

        Raises ValueError for one that is not in ``PRECISIONS``, and BackendError for one that there is not here.
        """
        if precision not in PRECISIONS:
            raise ValueError(f'precision: expected one of {", ".join(PRECISIONS)}, got "{precision}"')
        if precision != "float32" and precision not in self.precisions:
            raise BackendError(
                f"{self.name} on {self.device_name} multiplies in {', '.join(self.precisions)} only; for {precision} "
                f"choose {PRECISIONS[precision]}"
            )
        return replace(self, precision=precision)

    def matmul_precision(self) -> AbstractContextManager[Any]:
        """Within it, what the library multiplies is of this precision; what ``compile`` returns needs no such thing."""
        return nullcontext()

    def compile(self, function: Function) -> Function:
        """The function, made faster where the library can: pure, of arrays and of containers of arrays."""
        return function

    @property
    def target(self) -> Target | None:
        """What runs recorded steps; None where steps are run as they are, or in a way of the backend's own."""
        return None

    def loop(self, step: Step) -> Loop:
        """Many steps, one after another, made faster where the library can."""
        plain = self.plain_loop(step)
        return plain if self.target is None else self.compile(compile_loop(step, self.target, plain))

    def plain_loop(self, step: Step) -> Loop:
        """The step again and again, as it is: what every other way is held against."""
        return step_by_step(self.compile(step))

    def staging(self, shape: tuple[int, ...]) -> Staging:
        """Two uint8 buffers of this shape."""
        return CopiedStaging(self.asarray, shape)

    @property
    def workers(self) -> int:
        """On how many cores members are trained fastest, each core with its own; 1 where one stack of all is faster."""
        return 1

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        """Within it, the library uses no more than one core for each thread that calls it."""
        yield

    def dtype(self, name: str) -> Any:
        """The library's dtype of this name, made ready for use.

        Raises ValueError for one that is not in ``DTYPES``, and for float64 beside a precision of float32 products.
        """
        if name not in DTYPES:
            raise ValueError(f'dtype: expected one of {", ".join(DTYPES)}, got "{name}"')
        if name != "float32" and self.precision != "float32":
            raise ValueError(
                f"precision: {self.precision} is for products of float32 arrays, and the dtype is {name}; "
                "choose dtype float32 or precision float32"
            )
        return getattr(self.xp, name)

    @property
    def device_name(self) -> str:
        """The device, as results write it down."""
        return str(self.device)

    def __str__(self) -> str:
        products = "" if self.precision == "float32" else f" with {self.precision} products"
        return f"{self.name} on {self.device_name}{products}"
