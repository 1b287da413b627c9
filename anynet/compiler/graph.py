"""Recorded functions: graphs of operations."""

import copy
import math
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType, ModuleType
from typing import Any

from anynet.core.collective import sum_over_ranks
from anynet.core.tree import flatten
from anynet.core.typing import Array, ConcreteArray, DType

Args = tuple[Any, ...]
"""Positional arguments of an operation."""

Kwargs = dict[str, Any]
"""Keyword arguments of an operation."""

Functions = Mapping[str, Callable[..., Any]]
"""Functions of a library that compute an `Operation` faster than its definition, by its name."""

NO_FUNCTIONS: Functions = MappingProxyType({})


class Node:
    """A recorded operation, with the shape and dtype of its result.

    Parameters
    ----------
    op : str
        "input", "constant", or the operation's name in the array API standard; "getitem" is ``x[key]``.
    args, kwargs : tuple, dict
        Arguments of the operation, with nodes in place of arrays. Those of a constant are the name of the function
        that made it and that function's arguments.
    like : array
        The result.
    keep : bool
        If True, the node keeps the result as its value. Only constants do.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    value : array or None
        Value of a constant.
    label : object
        Label set by `label_operations` while the operation was recorded, or None.
    definition : callable or None
        Function that computes the result, of an `Operation`; others are functions of the array library.
    """

    __slots__ = ("_inputs", "args", "definition", "dtype", "kwargs", "label", "op", "shape", "value")

    def __init__(self, op: str, args: Args, kwargs: Kwargs, like: Array, *, keep: bool = False) -> None:
        self.op, self.args, self.kwargs = op, args, kwargs
        self.shape: tuple[int, ...] = tuple(like.shape)
        self.dtype: DType = like.dtype
        self.value: Any = like if keep else None
        self.label: Any = None
        self.definition: Callable[..., Any] | None = None
        self._inputs: list[Node] | None = None

    @property
    def inputs(self) -> list["Node"]:
        """Nodes among the arguments."""
        if self._inputs is None:
            self._inputs = [leaf for leaf in flatten((self.args, self.kwargs))[0] if isinstance(leaf, Node)]
        return self._inputs

    def copy(self, replaced: Mapping["Node", "Node"], dtype: DType) -> "Node":
        """Return the operation with a result of this dtype, taking other nodes in place of those that are replaced."""
        leaves, rebuild = flatten((self.args, self.kwargs))
        made = copy.copy(self)
        made.args, made.kwargs = rebuild([replaced.get(x, x) if isinstance(x, Node) else x for x in leaves])
        made.dtype, made._inputs = dtype, None
        return made

    def __repr__(self) -> str:
        return f"{self.op}{self.shape}"


def elements(node: Node) -> int:
    """Return the number of elements in the node's array."""
    return math.prod(node.shape)


def computes(node: Node) -> bool:
    """Return True if an operation has a definition that computes much, as that of a convolution does."""
    return node.definition is not None and node.op != sum_over_ranks.name


def evaluate(
    xp: ModuleType, node: Node, args: Args, kwargs: Kwargs, functions: Functions = NO_FUNCTIONS
) -> ConcreteArray:
    """Return the result of an operation, computed by the functions of a namespace, or by these ahead of them."""
    if node.op == "getitem":
        array, key = args
        result: ConcreteArray = array[key]
    elif node.definition is not None:
        result = functions.get(node.op, node.definition)(*args)
    else:
        result = getattr(xp, node.op)(*args, **kwargs)
    return result


class Graph:
    """A recorded function: operations from inputs to outputs. Operations that no output needs are removed.

    Parameters
    ----------
    inputs, outputs : list of Node
        Leaves of the function's arguments and of its result.
    nodes : list of Node
        Operations, each after those whose results it takes.
    build : callable
        Puts a list of values in place of the outputs, in the containers that the function returned.
    """

    def __init__(
        self, inputs: list[Node], nodes: list[Node], outputs: list[Node], build: Callable[[list[Any]], Any]
    ) -> None:
        self.inputs, self.nodes, self.outputs, self.build = inputs, nodes, outputs, build
        self.prune()

    def prune(self) -> None:
        """Remove operations that no output needs."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if node in needed:
                needed.update(node.inputs)
        self.nodes = [node for node in self.nodes if node in needed]

    @cached_property
    def tables(self) -> set[Node]:
        """Inputs of which rows are taken, and nothing else is done with: the samples of a training, for instance."""
        users, results = self.users(), set(self.outputs)

        def is_taken_from(node: Node) -> bool:
            return all(
                user.op == "take" and user.inputs[0] is node and node not in user.inputs[1:] for user in users[node]
            )

        return {node for node in self.inputs if node in users and node not in results and is_taken_from(node)}

    def users(self) -> dict[Node, list[Node]]:
        """Return, for each node that is used, the operations that take it."""
        users: dict[Node, list[Node]] = {}
        for node in self.nodes:
            for needed in node.inputs:
                users.setdefault(needed, []).append(node)
        return users
