"""In which order a graph's operations run, and which of them together, block by block.

Operations on whole large arrays, one after another, send every value through memory once for each operation. Done block
by block, a chain of them stays in cache.
"""

from collections.abc import Callable

from anynet.compiler.graph import Graph, Node

VIEWS = {"broadcast_to", "expand_dims", "flip", "getitem", "matrix_transpose", "permute_dims", "reshape", "squeeze"}
"""Operations that may give another view of the same memory."""


def schedule(graph: Graph, fuse: Callable[[Node], bool]) -> list[list[Node]]:
    """The graph's operations in the order to run them in, grouped.

    fuse: whether an operation, which gives each row of its result from the same rows of its arguments, or takes
        rows from a table, is to run together with others.

    Returns lists of one operation each, and of several that run together, with results of the same shape.
    """
    done: list[list[Node]] = []
    group: list[Node] = []
    for node in graph.nodes:
        waits = any(needed in group for needed in node.inputs)
        if not fuse(node):
            if waits:
                done.append(group)
                group = []
            done.append([node])
        elif group and not waits and node.shape != group[0].shape:  # it goes ahead
            if done and _joins(node, done[-1], fuse):
                done[-1].append(node)
            else:
                done.append([node])
        elif group and _joins(node, group, fuse):
            group.append(node)
        else:
            done += [group] if group else []
            group = [node]
    return [*done, group] if group else done


def _joins(node: Node, group: list[Node], fuse: Callable[[Node], bool]) -> bool:
    """Whether a node can be the group's last: a table, or what names its rows, has to be there before."""
    waits = any(needed in group for needed in node.inputs)
    return fuse(group[0]) and node.shape == group[0].shape and not (waits and node.op == "take")
