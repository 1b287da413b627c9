"""Recording what a function does with its arrays.

The function runs once, on tracers around real arrays. Each tracer passes on what it is asked to the array it holds, and
writes down the operation: so a layer needs to know nothing of it.
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
from anynet.core.typing import Array

SHAPED_BY_VALUES = {"arange": 0, "repeat": 1, "unique_values": 0}
"""Operations whose result has a shape that depends on values: those of the arguments from this one on."""

HINT = "random numbers must come from rng, and what changes must be in the step's arrays"
"""What to do about a function that is not pure."""


class UntraceableError(TypeError):
    """A function that does with an array what cannot be recorded, such as reading a number from it."""


def trace(function: Callable[..., Any], xp: ModuleType, *args: Any) -> Graph:
    """Run a function once, and record its operations.

    args: arrays of the library ``xp``, in any containers; their shapes and dtypes are what the record holds for.

    Raises UntraceableError where the function reads numbers from its arrays, and whatever it raises itself.
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
    """The namespace of tracers: the array library's own, of which every call is written down.

    label: what the operations that follow are done for; whoever wants to know may set it.
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
        return Tracer(self, Node("input", (), {}, value), value)

    def call(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do it and write it down."""
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
    """An array of which is written down how it came about.

    tape: where. node: its place there. value: the array itself.
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
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def device(self) -> Any:
        return device(self.value)

    def to_device(self, target: Any, /, *, stream: Any = None) -> "Tracer":
        if target != self.device:
            raise UntraceableError("an array is moved to another device")
        return self

    @property
    def mT(self) -> "Tracer":
        transposed: Tracer = self.tape.matrix_transpose(self)
        return transposed

    @property
    def T(self) -> "Tracer":
        transposed: Tracer = self.tape.permute_dims(self, tuple(reversed(range(self.ndim))))
        return transposed

    @property
    def size(self) -> int:
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
