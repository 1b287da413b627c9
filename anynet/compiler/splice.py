"""Groups of operations joined across a concatenation, so that the vector between them needs no memory."""

from collections.abc import Callable

from anynet.compiler.concat import Part, is_vector, pieces
from anynet.compiler.graph import Graph, Node


def splice(groups: list[list[Node]], graph: Graph, fuse: Callable[[Node], bool]) -> list[list[Node]]:
    """Return the groups with those joined that only a concatenation is between.

    An example is a penalty, which is added to the gradient of the weights alone, ahead of the update of all parameters:
    what is concatenated runs with the operations that take it, so the vector needs no memory.

    Parameters
    ----------
    groups : list of list of Node
        As from `schedule`.
    graph : Graph
    fuse : callable
        As for `schedule`.

    Returns
    -------
    list of list of Node
        A joined group has the operations of one part of the vector, the vector, and the operations that take it.
    """
    users, outputs = graph.users(), set(graph.outputs)
    place = {node: group for group in groups for node in group}
    for vector in [node for (node, *more) in groups if is_vector(node) and not more]:
        takers = {id(place[user]): place[user] for user in users.get(vector, ())}
        parts = [piece for piece in vector.args[0] if fuse(piece)]
        if vector in outputs or len(takers) != 1 or len(parts) != 1 or parts[0].dtype != vector.dtype:
            continue
        (after,), before = takers.values(), place[parts[0]]
        ends = {user for node in before for user in users.get(node, ()) if user not in before}
        joins = fuse(after[0]) and after[0].shape == vector.shape and ends == {vector}
        if (
            not joins
            or outputs.intersection(before)
            or any(node.op in ("take", "concat") for node in (*before, *after))
        ):
            continue
        after[:0] = [*before, vector]
        groups = [group for group in groups if group is not before and group != [vector]]
        place |= dict.fromkeys(after, after)
    return groups


def vector_within(group: list[Node]) -> Node | None:
    """Return the vector of a joined group, or None."""
    return next((node for node in group[1:] if is_vector(node)), None)


def part_read(group: list[Node], node: Node, argument: Node) -> list[Part | None]:
    """Return the parts of the vector of a joined group at which a node of the group reads an argument, or None for all.

    Parameters
    ----------
    group : list of Node
    node, argument : Node
        An operation of the group, and an array that it takes.
    """
    vector = vector_within(group)
    if vector is None or group.index(node) > group.index(vector):
        return [None]
    piece = argument if node is vector else group[group.index(vector) - 1]
    return [part for part, other in pieces(vector) if other is piece]
