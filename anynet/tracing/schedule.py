"""In which order a graph's operations run, and which of them together, block by block.

Operations on whole large arrays, one after another, send every value through memory once for each operation. Done block
by block, a chain of them stays in cache.
"""

from collections.abc import Callable

from anynet.tracing.graph import Graph, Node

VIEWS = {"broadcast_to", "expand_dims", "flip", "getitem", "matrix_transpose", "permute_dims", "reshape", "squeeze"}
"""Operations that may give another view of the same memory."""


def schedule(graph: Graph, together: Callable[[Node], bool]) -> list[list[Node]]:
    """The graph's operations in the order to run them in, grouped.

    together: whether an operation, which gives each row of its result from the same rows of its arguments, or takes
        rows from a table, is to run together with others.

    Returns lists of one operation each, and of several that run together, with results of the same shape.
    """
    done: list[list[Node]] = []
    group: list[Node] = []
    for node in graph.nodes:
        waits = any(needed in group for needed in node.inputs)
        if together(node) and group and node.shape == group[0].shape and not (waits and node.op == "take"):
            group.append(node)
        elif together(node) or waits:
            done += [group] if group else []
            group = [node] if together(node) else []
            done += [] if group else [[node]]
        else:
            done.append([node])  # it does not wait for the group
    return [*done, group] if group else done
