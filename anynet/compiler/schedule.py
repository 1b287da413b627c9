"""Order and groups in which the operations of a graph run.

Operations on whole large arrays, one after another, send every value through memory once per operation. The operations
of a group run block by block, so that what they share stays in cache.
"""

import math
from collections.abc import Callable

from anynet.compiler.graph import Graph, Node

VIEWS = {"broadcast_to", "expand_dims", "flip", "getitem", "matrix_transpose", "permute_dims", "reshape", "squeeze"}
"""Operations that may return a view of their argument's memory."""


def schedule(graph: Graph, fuse: Callable[[Node], bool]) -> list[list[Node]]:
    """Return a graph's operations in the order to run them in, in groups.

    Parameters
    ----------
    graph : Graph
    fuse : callable
        ``fuse(node)`` is True if an operation can run in a group with others. It must be elementwise, or take rows
        of a table.

    Returns
    -------
    list of list of Node
        Groups of operations that run together, which have results of the same shape; an operation that cannot be
        fused is alone in its group.
    """
    done: list[list[Node]] = []
    ahead: list[Node] = []  # a group that runs before `group`; neither needs what comes after it
    group: list[Node] = []
    for node in graph.nodes:
        waits = any(needed in group for needed in node.inputs)
        if not fuse(node):
            if waits or any(needed in ahead for needed in node.inputs):
                done += filter(None, (ahead, group) if waits else (ahead,))
                ahead, group = [], [] if waits else group
            done.append([node])
        elif group and not waits and _is_smaller(node, group[0]):
            if ahead and _joins(node, ahead):
                ahead.append(node)
            else:
                done += filter(None, (ahead,))
                ahead = [node]
        elif group and _joins(node, group):
            group.append(node)
        else:
            done += filter(None, (ahead,))
            ahead, group = group, [node]
    return [*done, *filter(None, (ahead, group))]


def _is_smaller(node: Node, other: Node) -> bool:
    """Return True if an operation has another shape and no more elements: larger ones had better stay together."""
    return node.shape != other.shape and math.prod(node.shape) <= math.prod(other.shape)


def _joins(node: Node, group: list[Node]) -> bool:
    """Return True if a group can run an operation last; ``take`` needs its table and index before the group runs."""
    waits = any(needed in group for needed in node.inputs)
    return node.shape == group[0].shape and not (waits and node.op == "take")
