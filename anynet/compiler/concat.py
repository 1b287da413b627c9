"""Vectors concatenated from parts, such as the gradients of a net.

The operation that computes a part can write it to its place in the vector, so that nothing is left to copy.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from anynet.compiler.graph import Graph, Node
from anynet.compiler.schedule import VIEWS

Users = dict[Node, list[Node]]


class Part(NamedTuple):
    """Part of a vector: elements `start` to `stop` on its last axis.

    Parameters
    ----------
    vector : Node
    start, stop : int
    """

    vector: Node
    start: int
    stop: int

    @property
    def key(self) -> tuple[Any, slice]:
        """Index of the part in the vector's array."""
        return ..., slice(self.start or None, None if self.stop == self.vector.shape[-1] else self.stop)


def pieces(node: Node) -> Iterator[tuple[Part, Node]]:
    """Iterate over the parts of a concatenation along the last axis, each with the node that it is filled from."""
    stop = 0
    for piece in node.args[0]:
        start, stop = stop, stop + piece.shape[-1]
        yield Part(node, start, stop), piece


def is_vector(node: Node) -> bool:
    """Return True for a concatenation along the last axis."""
    return (
        node.op == "concat"
        and len(node.args) == 1
        and node.kwargs.keys() <= {"axis"}
        and node.kwargs.get("axis", 0) in (-1, len(node.shape) - 1)
    )


def parts(graph: Graph, without: set[Node]) -> dict[Node, Part]:
    """Return the operations whose result, perhaps reshaped, is part of a vector, with the part.

    Parameters
    ----------
    graph : Graph
    without : set of Node
        Vectors that have no memory.
    """
    found: dict[Node, Part] = {}
    for node in (node for node in graph.nodes if is_vector(node) and node not in without):
        for part, piece in pieces(node):
            while piece.op == "reshape":
                piece = piece.args[0]
            if piece.op not in ("input", "constant", *VIEWS) and piece.dtype == node.dtype:
                found[piece] = part
    return found


def changed(graph: Graph, without: set[Node], in_place: Callable[[Node], bool]) -> dict[Node, Node]:
    """Return the vectors that may be written over another vector, with the other.

    Such a vector is the other one with some parts changed, and the other is used for nothing else.

    Parameters
    ----------
    graph : Graph
    without : set of Node
        Vectors that have no memory.
    in_place : callable
        ``in_place(node)`` is True if an operation may write its result over an argument.
    """
    users, found = graph.users(), dict[Node, Node]()
    for node in (node for node in graph.nodes if is_vector(node) and node not in without):
        filled = {piece: part for part, piece in pieces(node)}
        bases = dict.fromkeys(piece.args[0] for piece in filled if piece.op == "getitem")  # in a fixed order
        for old in filter(is_vector, [base for base in bases if base not in {*graph.outputs, *found.values()}]):
            if _same_form(old, node) and _only_changed(old, filled, users, set(graph.outputs), in_place):
                found[node] = old
    return found


def stays(part: Part, constant: Node, changed: dict[Node, Node]) -> bool:
    """Return True if a constant part stays as it is in all vectors that may be written over each other.

    Parameters
    ----------
    part : Part
    constant : Node
        What the part is filled from.
    changed : dict of Node to Node
        Vectors and those that they may be written over, as from `changed`.
    """
    later = {old: new for new, old in changed.items()}
    for following in (changed, later):
        vector = following.get(part.vector)
        while vector is not None:
            if not any(_leaves(own, piece, part, constant, changed) for own, piece in pieces(vector)):
                return False
            vector = following.get(vector)
    return True


def _leaves(own: Part, piece: Node, part: Part, constant: Node, changed: dict[Node, Node]) -> bool:
    """Return True if a piece of another vector leaves a constant part as it is: it is equal, or a view of it."""
    if not (own.start <= part.start and part.stop <= own.stop):
        return False
    if piece.op == "constant":
        return (piece.args, piece.kwargs) == (constant.args, constant.kwargs)
    return piece.op == "getitem" and piece.args[0] is changed.get(own.vector)  # it is at the same place there


def _same_form(one: Node, other: Node) -> bool:
    return (one.shape, one.dtype) == (other.shape, other.dtype)


def _only_changed(
    old: Node, filled: dict[Node, Part], users: Users, outputs: set[Node], in_place: Callable[[Node], bool]
) -> bool:
    """Return True if `old` is used only for its parts, each kept or changed into the part at the same place."""
    for view in users[old]:
        if view.op != "getitem":
            return False
        takers = [view] if view in filled else users.get(view, [])
        if any(taker not in filled or filled[taker].key != view.args[1] for taker in takers):
            return False
        if view not in filled and (view in outputs or not all(map(in_place, takers))):
            return False
    return True
