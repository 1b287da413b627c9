"""Types of arrays, array libraries and named arrays.

Array libraries share no base class, so the types are protocols: structural types that an array of NumPy, CuPy, PyTorch
or JAX satisfies. They hold what this package uses of the array API standard, https://data-apis.org/array-api/latest/
"""

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeAlias, TypeVar

DType: TypeAlias = Any
"""Data type of an array; each library has its own class."""

Device: TypeAlias = Any
"""Device of an array; each library has its own class."""


class Array(Protocol):
    """Array of any library that follows the array API standard.

    Left out on purpose: conversions to Python numbers (``float(x)``, ``bool(x)``), because a training step must not
    read arrays on the host; assignment to elements, which JAX does not have; ``size`` and ``device``, for which
    libraries differ from the standard (use ``math.prod(x.shape)`` and ``array_api_compat.device(x)``). Operands are
    annotated as Any, because NumPy's own annotations do not accept arrays of other libraries.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each axis."""

    @property
    def ndim(self) -> int:
        """Number of axes."""

    @property
    def dtype(self) -> DType:
        """Data type."""

    @property
    def T(self) -> Self:
        """Transpose of an array of two axes."""

    @property
    def mT(self) -> Self:
        """Array with the last two axes swapped."""

    def __getitem__(self, key: Any, /) -> Self: ...

    def __neg__(self) -> Self: ...
    def __pos__(self) -> Self: ...
    def __abs__(self) -> Self: ...
    def __invert__(self) -> Self: ...

    def __add__(self, other: Any, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Self: ...
    def __mul__(self, other: Any, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Self: ...
    def __floordiv__(self, other: Any, /) -> Self: ...
    def __mod__(self, other: Any, /) -> Self: ...
    def __pow__(self, other: Any, /) -> Self: ...
    def __matmul__(self, other: Any, /) -> Self: ...
    def __and__(self, other: Any, /) -> Self: ...
    def __or__(self, other: Any, /) -> Self: ...
    def __xor__(self, other: Any, /) -> Self: ...
    def __lshift__(self, other: Any, /) -> Self: ...
    def __rshift__(self, other: Any, /) -> Self: ...

    def __radd__(self, other: Any, /) -> Self: ...
    def __rsub__(self, other: Any, /) -> Self: ...
    def __rmul__(self, other: Any, /) -> Self: ...
    def __rtruediv__(self, other: Any, /) -> Self: ...
    def __rfloordiv__(self, other: Any, /) -> Self: ...
    def __rmod__(self, other: Any, /) -> Self: ...
    def __rpow__(self, other: Any, /) -> Self: ...
    def __rmatmul__(self, other: Any, /) -> Self: ...
    def __rand__(self, other: Any, /) -> Self: ...
    def __ror__(self, other: Any, /) -> Self: ...
    def __rxor__(self, other: Any, /) -> Self: ...
    def __rlshift__(self, other: Any, /) -> Self: ...
    def __rrshift__(self, other: Any, /) -> Self: ...

    def __lt__(self, other: Any, /) -> "Array": ...
    def __le__(self, other: Any, /) -> "Array": ...
    def __gt__(self, other: Any, /) -> "Array": ...
    def __ge__(self, other: Any, /) -> "Array": ...
    def __eq__(self, other: Any, /) -> "Array": ...  # type: ignore[override]
    def __ne__(self, other: Any, /) -> "Array": ...  # type: ignore[override]


A = TypeVar("A", bound=Array)
"""Array type of a function that returns arrays of the type that it is given."""

_A = TypeVar("_A", bound=Array, covariant=True)


class Namespace(Protocol[_A]):
    """Namespace of an array library, as ``array_api_compat.array_namespace`` returns it.

    Every attribute that is not declared here is taken for a function that returns one array.
    """

    __name__: str
    bool: DType
    uint8: DType
    int32: DType
    int64: DType
    float32: DType
    float64: DType

    def isdtype(self, dtype: DType, kind: str | tuple[str, ...], /) -> "bool":
        """Return True if a dtype is of a kind."""

    def finfo(self, dtype: DType, /) -> Any:
        """Return the precision of a floating-point dtype, such as ``bits`` and ``eps``."""

    def iinfo(self, dtype: DType, /) -> Any:
        """Return the limits of an integer dtype, ``min`` and ``max``."""

    def __getattr__(self, name: str, /) -> Callable[..., _A]: ...


Arrays: TypeAlias = dict[str, Array]
"""Arrays by name, such as the parameters of a layer ("W", "b"), their gradients or running statistics."""

ConcreteArray: TypeAlias = Any
"""Array of one known library, in code that uses more than the standard, such as strides or the address of its data."""
