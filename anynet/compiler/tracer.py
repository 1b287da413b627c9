"""Recording a function: tracers stand for its arrays and record each operation.

The function runs once, with tracers that hold real arrays. A tracer does each operation with its array, and records it,
so layers need not know of recording.
"""

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

from array_api_compat import device, is_array_api_obj

from anynet.compiler.graph import Graph, Node
from anynet.compiler.ops import OPERATIONS, Operation
from anynet.core.tree import flatten
from anynet.core.typing import Array, Device, DType

SHAPED_BY_VALUES = {"arange": 0, "repeat": 1, "unique_values": 0}
"""Operations whose result has a shape that depends on the values of arguments, with the first such argument."""

HINT = "random numbers must come from rng, and what changes must be in the step's arrays"
"""Advice on functions that are not pure."""


class UntraceableError(TypeError):
    """Raised for functions that do with an array what cannot be recorded, such as reading a number from it."""


def trace(function: Callable[..., Any], xp: ModuleType, *args: Any) -> Graph:
    """Run a function once, and return its record.

    Parameters
    ----------
    function : callable
        Pure function of arrays in any containers, which returns arrays in any containers.
    xp : module
        Namespace of the arrays.
    *args : containers of arrays
        Arguments. The record is valid for other arrays of the same shapes and dtypes.

    Returns
    -------
    Graph

    Raises
    ------
    UntraceableError
        If the function does what cannot be recorded. Other errors are the function's own.
    """
    leaves, rebuild = flatten(args)
    tape = Tape(xp)
    inputs = [tape.input(leaf) for leaf in leaves]
    result = function(*rebuild(inputs))
    outputs, build = flatten(result)
    if not all(isinstance(output, Tracer) for output in outputs):
        raise UntraceableError("an array is returned that was not given to the function")
    return Graph([t.node for t in inputs], tape.nodes, [output.node for output in outputs], build)


def _is_array(value: Any) -> bool:
    return is_array_api_obj(value) and not isinstance(value, type)  # NumPy's dtypes are the types of its scalars


class Tape:
    """Namespace of tracers: that of the array library, with each call recorded.

    Parameters
    ----------
    xp : module
        Namespace of the array library.

    Attributes
    ----------
    nodes : list of Node
        Operations recorded so far.
    label : object
        Label of the next operations; see `label_operations`.
    """

    def __init__(self, xp: ModuleType) -> None:
        self._xp = xp
        self.__name__ = f"traced {xp.__name__}"
        self.nodes: list[Node] = []
        self.label: Any = None

    def __getattr__(self, name: str) -> Any:
        thing = getattr(self._xp, name)
        if isinstance(thing, type) or not callable(thing):  # a dtype, a constant
            return thing
        return partial(self.call, name, thing)

    def input(self, value: Array) -> "Tracer":
        """Return a tracer for an argument of the recorded function."""
        return Tracer(self, Node("input", (), {}, value), value)

    def call(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the namespace, record it, and return a tracer of its result.

        Parameters
        ----------
        name : str
            Name of the operation in the array API standard.
        function : callable
            Function of arrays.
        *args, **kwargs
            Arguments of the function, with tracers in place of arrays.

        Returns
        -------
        Tracer, or what the function returns if that is not an array

        Raises
        ------
        UntraceableError
            If the call cannot be recorded.
        """
        if "out" in kwargs:
            raise UntraceableError(f"{name} writes into an array")
        (leaves, rebuild), traced = flatten((args, kwargs)), False
        values, nodes = [], []
        for leaf in leaves:
            is_traced = isinstance(leaf, Tracer)
            traced |= is_traced
            if not is_traced and _is_array(leaf):
                raise UntraceableError(f"{name} takes an array that was not given to the function; {HINT}")
            values.append(leaf.value if is_traced else leaf)
            nodes.append(leaf.node if is_traced else leaf)
        real_args, real_kwargs = rebuild(values)
        result = function(*real_args, **real_kwargs)
        if not _is_array(result):
            if traced and isinstance(result, tuple | list):
                raise UntraceableError(f"{name} returns several arrays")
            return result
        traced_args, traced_kwargs = rebuild(nodes)
        if not traced or all(not isinstance(n, Node) or n.op == "constant" for n in nodes):
            return Tracer(self, Node("constant", (name, *traced_args), traced_kwargs, result, keep=True), result)
        decisive = (*args, *kwargs.values())[SHAPED_BY_VALUES[name] :] if name in SHAPED_BY_VALUES else ()
        if any(isinstance(argument, Tracer) for argument in decisive):
            raise UntraceableError(f"{name} returns an array whose shape depends on values")
        self.nodes.append(Node(name, traced_args, traced_kwargs, result))
        self.nodes[-1].label = self.label
        return Tracer(self, self.nodes[-1], result)


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

    def __init__(self, tape: Tape, node: Node, value: Array) -> None:
        self.tape, self.node, self.value = tape, node, value

    def __array_namespace__(self, *, api_version: str | None = None) -> Tape:
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
        if any(_is_array(part) for part in flatten(key)[0]):
            raise UntraceableError("an array is an index; use take(array, index, axis=...)")
        item: Tracer = self.tape.call("getitem", lambda array: array[key], self)
        item.node.args = (self.node, key)
        return item

    def _refuse(self, *args: Any) -> Any:
        raise UntraceableError("a number is read from an array, or written into it")

    __bool__ = __float__ = __int__ = __index__ = __iter__ = __setitem__ = __array__ = __dlpack__ = _refuse
    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ifloordiv__ = __imod__ = __ipow__ = __imatmul__ = _refuse
    __iand__ = __ior__ = __ixor__ = __ilshift__ = __irshift__ = _refuse


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


for _operation in (*OPERATIONS.values(), Operation("matmul", "__matmul__", "__rmatmul__")):
    if _operation.operator:
        _function = getattr(operator, _operation.operator)
        setattr(Tracer, _operation.operator, _operator(_operation.name, _function))
        if _operation.reflected:
            setattr(Tracer, _operation.reflected, _reflected(_operation.name, _function))
