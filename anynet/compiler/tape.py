"""Recording a function: a namespace that records each call.

The function runs once, with tracers that hold arrays. A tracer does each operation with its array, and records it, so
layers need not know of recording. Large results have no values.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from anynet.compiler.graph import Graph, Node
from anynet.compiler.tracer import HINT, Tracer, UntraceableError, is_array
from anynet.compiler.without_values import compute, stand_in
from anynet.core.operation import Operation
from anynet.core.tree import flatten
from anynet.core.typing import Array

SHAPED_BY_VALUES = {"arange": 0, "repeat": 1, "unique_values": 0} | {
    "delete": 1,
    **dict.fromkeys(("argwhere", "bincount", "compress", "extract", "flatnonzero", "trim_zeros", "unique"), 0),
}
"""Operations whose result has a shape that depends on the values of arguments, with the first such argument.

Those of the array API standard, and functions that NumPy and CuPy have besides.
"""


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

    def input(self, value: Array) -> Tracer:
        """Return a tracer for an argument of the recorded function."""
        return Tracer(self, Node("input", (), {}, value), value)

    def record_operation(self, operation: Operation, *args: Any) -> Any:
        """Record the call of an `Operation`, which is not computed: values of results do not matter.

        Parameters
        ----------
        operation : Operation
        *args
            Its arguments, with tracers in place of arrays.

        Returns
        -------
        Tracer
        """

        def zeros(*args: Any) -> Array:
            like: Array = next(filter(is_array, args))
            return stand_in(like, operation.shape(*args), like.dtype)

        values_matter = all(arg.node.op == "constant" for arg in args if isinstance(arg, Tracer))
        result = self.call(operation.name, operation.definition if values_matter else zeros, *args)
        result.node.definition = operation.definition
        return result

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
            if not is_traced and is_array(leaf):
                raise UntraceableError(f"{name} takes an array that was not given to the function; {HINT}")
            values.append(leaf.value if is_traced else leaf)
            nodes.append(leaf.node if is_traced else leaf)
        real_args, real_kwargs = rebuild(values)
        if all(node.op == "constant" for node in nodes if isinstance(node, Node)):
            result = function(*real_args, **real_kwargs)
        else:
            result = compute(
                name, function, real_args, real_kwargs, [leaf.value for leaf in leaves if isinstance(leaf, Tracer)]
            )
        if not is_array(result):
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
