"""What was recorded: operations, each with the operations that its arguments come from."""

import math
from collections.abc import Callable
from typing import Any

from anynet.core.tree import flatten
from anynet.core.typing import ConcreteArray as Array


class Node:
    """An array to be: the operation that makes it.

    op: "input", "constant", or the operation's name in the array API standard; "getitem" is x[key].
    args, kwargs: what it is called with, nodes in the place of arrays; a constant has the function's name ahead.
    shape, dtype: of the array.
    value: of a constant, the array itself.
    label: what the operation was done for, where that was said; see ``Tape``.
    """

    __slots__ = ("args", "dtype", "kwargs", "label", "op", "shape", "value")

    def __init__(self, op: str, args: tuple, kwargs: dict[str, Any], like: Array, *, keep: bool = False) -> None:
        self.op, self.args, self.kwargs = op, args, kwargs
        self.shape, self.dtype = tuple(like.shape), like.dtype
        self.value = like if keep else None
        self.label: Any = None

    @property
    def inputs(self) -> list["Node"]:
        """The nodes among the arguments."""
        return [leaf for leaf in flatten((self.args, self.kwargs))[0] if isinstance(leaf, Node)]

    def __repr__(self) -> str:
        return f"{self.op}{self.shape}"


def elements(node: Node) -> int:
    """Of the array."""
    return math.prod(node.shape)


class Graph:
    """Operations from inputs to outputs.

    inputs, outputs: nodes, in the order of the leaves of what the function takes and gives.
    nodes: the operations that the outputs need, each behind those it needs itself.
    build: puts arrays in the place of the outputs, in the containers that the function returned.
    """

    def __init__(
        self, inputs: list[Node], nodes: list[Node], outputs: list[Node], build: Callable[[list[Any]], Any]
    ) -> None:
        self.inputs, self.nodes, self.outputs, self.build = inputs, nodes, outputs, build
        self.prune()

    def prune(self) -> None:
        """Forget the operations that no output needs."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if node in needed:
                needed.update(node.inputs)
        self.nodes = [node for node in self.nodes if node in needed]

    def users(self) -> dict[Node, list[Node]]:
        """Which operations take each node."""
        users: dict[Node, list[Node]] = {}
        for node in self.nodes:
            for needed in node.inputs:
                users.setdefault(needed, []).append(node)
        return users
