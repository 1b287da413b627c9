"""Tracers: arrays whose operations are recorded."""

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from array_api_compat import device, is_array_api_obj

from anynet.compiler.graph import Node
from anynet.compiler.ops import OPERATIONS
from anynet.core.tree import flatten
from anynet.core.typing import Array, Device, DType

HINT = "random numbers must come from rng, and what changes must be in the step's arrays"
"""Advice on functions that are not pure."""


class UntraceableError(TypeError):
    """Raised for functions that do with an array what cannot be recorded, such as reading a number from it."""


def is_array(value: Any) -> bool:
    """Return True for arrays of any library."""
    return is_array_api_obj(value) and not isinstance(value, type)  # NumPy's dtypes are the types of its scalars


class Recorder(Protocol):
    """Namespace of tracers, which records their operations; see `Tape`."""

    label: Any

    def call(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of arrays, and record it."""

    def __getattr__(self, name: str) -> Any: ...


class Tracer:
    """Array whose operations are recorded.

    Parameters
    ----------
    tape : Tape
        The record.
    node : Node
        Operation that computed the array.
    value : array
        The array itself.
    """

    __slots__ = ("node", "tape", "value")
    __array_ufunc__ = None  # so that NumPy's arrays leave operators to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tape: Recorder, node: Node, value: Array) -> None:
        self.tape, self.node, self.value = tape, node, value

    def __array_namespace__(self, *, api_version: str | None = None) -> Recorder:
        return self.tape

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.value.shape)

    @property
    def dtype(self) -> DType:
        """Dtype of the array."""
        return self.value.dtype

    @property
    def device(self) -> Device:
        """Device of the array."""
        return device(self.value)

    def to_device(self, target: Device, /, *, stream: Any = None) -> "Tracer":
        """Return the array itself; moving it to another device cannot be recorded."""
        if target != self.device:
            raise UntraceableError("an array is moved to another device")
        return self

    @property
    def mT(self) -> "Tracer":
        """Transpose of the last two axes."""
        transposed: Tracer = self.tape.matrix_transpose(self)
        return transposed

    @property
    def T(self) -> "Tracer":
        """Transpose of all axes."""
        transposed: Tracer = self.tape.permute_dims(self, tuple(reversed(range(self.ndim))))
        return transposed

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __getitem__(self, key: Any) -> "Tracer":
        if any(is_array(part) for part in flatten(key)[0]):
            raise UntraceableError("an array is an index; use take(array, index, axis=...)")
        item: Tracer = self.tape.call("getitem", lambda array: array[key], self)
        item.node.args = (self.node, key)
        return item

    def __matmul__(self, other: Any) -> "Tracer":
        product: Tracer = self.tape.matmul(self, other)
        return product

    def __rmatmul__(self, other: Any) -> "Tracer":
        product: Tracer = self.tape.matmul(other, self)
        return product

    def __repr__(self) -> str:
        return (
            f"<array of shape {self.shape} and dtype {self.dtype}, without values: the step is recorded; "
            'compile="off" shows them>'
        )


@contextmanager
def label_operations(array: Array, label: Any) -> Iterator[None]:
    """Context manager that labels the operations recorded within it; it does nothing if nothing is recorded.

    Parameters
    ----------
    array : array
        Any array that the operations are done with.
    label : object
        The new `Node.label` of the operations.
    """
    if not isinstance(array, Tracer):
        yield
        return
    before, array.tape.label = array.tape.label, label
    try:
        yield
    finally:
        array.tape.label = before


def _refusal(reason: str) -> Callable[..., Any]:
    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        raise UntraceableError(reason)

    return method


READS = {"__bool__": "if or bool", "__float__": "float", "__int__": "int", "__index__": "an index or range"} | {
    "__complex__": "complex",
    "__iter__": "iteration",
    "__array__": "NumPy",
    "__dlpack__": "DLPack",
    **{name: f".{name}" for name in ("item", "tolist", "tobytes", "numpy", "cpu", "get")},
}
"""Methods that read the values of an array, and how users call them; those of single libraries included."""

IN_PLACE = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"} | {
    "matmul": "@",
    "and": "&",
    "or": "|",
    "xor": "^",
    "lshift": "<<",
    "rshift": ">>",
}
"""Operators that change an array, by their names."""

_REFUSED = {name: f"a number is read from an array, by {how}" for name, how in READS.items()}
_REFUSED |= {f"__i{name}__": f"an array is changed in place; write x = x {sign} y" for name, sign in IN_PLACE.items()}
_REFUSED["__setitem__"] = "an array is changed in place; use where or concat"
for _name, _reason in _REFUSED.items():
    setattr(Tracer, _name, _refusal(_reason))


def _operator(name: str, function: Callable[..., Any]) -> Callable[..., Tracer]:
    def method(self: Tracer, *others: Any) -> Tracer:
        result: Tracer = self.tape.call(name, function, self, *others)
        return result

    return method


def _reflected(name: str, function: Callable[..., Any]) -> Callable[..., Tracer]:
    def method(self: Tracer, other: Any) -> Tracer:
        result: Tracer = self.tape.call(name, function, other, self)
        return result

    return method


for _operation in OPERATIONS.values():
    if _operation.operator:
        _function = getattr(operator, _operation.operator)
        setattr(Tracer, _operation.operator, _operator(_operation.name, _function))
        if _operation.reflected:
            setattr(Tracer, _operation.reflected, _reflected(_operation.name, _function))
