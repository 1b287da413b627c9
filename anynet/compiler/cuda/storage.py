"""Choose the values of a recorded step that are stored in bfloat16: large activations and their gradients.

Kernels compute in float32 and round what they store; products read and write bfloat16. Parameters, their gradients and
all that is summed over samples stay float32.
"""

from collections.abc import Callable, Sequence

import numpy as np

from anynet.compiler.cuda.convolution_calls import CONVOLUTIONS
from anynet.compiler.cuda.expressions import BFLOAT16, REDUCTIONS, dtype_name
from anynet.compiler.graph import Graph, Node, elements
from anynet.compiler.schedule import VIEWS, schedule

LARGE = 1 << 16
"""Number of elements of the smallest values that are stored in bfloat16."""

WITH_SAMPLES = {"matmul", "convolve", "convolve_to_input", "max_pool", "max_pool_to_input"} | (
    VIEWS - {"matrix_transpose", "permute_dims"}
)
"""Operations whose results have samples on axis -2 if their first argument has."""

READERS = {"matmul", "max_pool", "max_pool_to_input", *CONVOLUTIONS, *REDUCTIONS}
"""Operations that read bfloat16, beside those that are fused."""

CONTIGUOUS = {"expand_dims", "reshape", "squeeze"}
"""Views that leave elements in their order; a reshape of others is a copy by CuPy."""


def store_in_bfloat16(graph: Graph, rows: Sequence[Node], fuses: Callable[[Node], bool]) -> Graph:
    """Return the graph of a step with `BFLOAT16` as the dtype of the values that are stored so.

    These are the float32 arrays with samples on axis -2 that are large and are in memory, if all operations that take
    them read bfloat16. Everything that takes such a value takes it rounded.

    Parameters
    ----------
    graph : Graph
    rows : sequence of Node
        Inputs of the graph that are the row of a step.
    fuses : callable
        ``fuses(node)`` is True if an operation can run in a group with others.

    Returns
    -------
    Graph
    """
    users, has_samples = graph.users(), _with_samples(graph, rows, fuses)
    group = {node: k for k, nodes in enumerate(schedule(graph, fuses)) for node in nodes}
    new: dict[Node, Node] = {node: node for node in graph.inputs}

    def reads(user: Node) -> bool:
        if user.op in VIEWS:
            copies = user.op == "reshape" and user.args[0].op in VIEWS - CONTIGUOUS
            return not copies and len(user.inputs) == 1 and can_be_read(user)
        return user.op in READERS or fuses(user)

    def can_be_read(node: Node) -> bool:
        return node not in graph.outputs and all(map(reads, users.get(node, ())))

    def is_of_bfloat16(node: Node) -> bool:
        return dtype_name(new.get(node, node)) == BFLOAT16

    def is_stored_so(node: Node) -> bool:
        if node.op in VIEWS:
            return is_of_bfloat16(node.inputs[0])
        if node.op == "max_pool" and not is_of_bfloat16(node.inputs[0]):
            return False  # its gradient compares the maxima with the values that they are taken from
        large = node in has_samples and elements(node) >= LARGE and dtype_name(node) == "float32"
        return large and can_be_read(node) and any(group[user] != group[node] for user in users[node])

    for node in graph.nodes:
        new[node] = node.copy(new, np.dtype(BFLOAT16) if is_stored_so(node) else node.dtype)
    return Graph(graph.inputs, [new[node] for node in graph.nodes], [new[node] for node in graph.outputs], graph.build)


def _with_samples(graph: Graph, rows: Sequence[Node], fuses: Callable[[Node], bool]) -> set[Node]:
    """Return the values that have samples on axis -2, and their pixels if they are images: results of a step's row."""
    found = {row for row in rows if len(row.shape) > 1}
    for node in graph.nodes:
        takes = node.op == "take" and node.args[0] in graph.inputs
        from_any = node.op != "take" and fuses(node) and not found.isdisjoint(node.inputs)
        from_first = node.op in ("take", *WITH_SAMPLES) and node.inputs[0] in found
        if len(node.shape) > 1 and (takes or from_any or from_first):
            found.add(node)
    return found
