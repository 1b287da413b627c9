"""In which order a graph's operations run, and which of them together, block by block.

Operations on whole large arrays, one after another, send every value through memory once for each operation. Done block
by block, a chain of them stays in cache.
"""

import math
from collections.abc import Container

from anynet.tracing.graph import Graph, Node

VIEWS = {"broadcast_to", "expand_dims", "flip", "getitem", "matrix_transpose", "permute_dims", "reshape", "squeeze"}
"""Operations that may give another view of the same memory."""

LARGE = 1 << 14
"""Elements from which an array's operations are done in blocks: 64 KB of float32."""


def schedule(graph: Graph, elementwise: Container[str]) -> list[list[Node]]:
    """The graph's operations in the order to run them in, grouped.

    elementwise: names of the operations that give each row of their result from the same rows of their arguments.

    Returns lists of one operation each, and of several elementwise ones with results of the same large shape.
    """
    done: list[list[Node]] = []
    group: list[Node] = []
    for node in graph.nodes:
        together = node.op in elementwise and math.prod(node.shape) >= LARGE
        if together and group and node.shape == group[0].shape:
            group.append(node)
        elif together or any(needed in group for needed in node.inputs):
            done += [group] if group else []
            group = [node] if together else []
            done += [] if together else [[node]]
        else:
            done.append([node])  # it does not wait for the group
    return [*done, group] if group else done
