"""Groups over large arrays, arranged so that less goes through memory.

Sums over samples run in the group that computes what they add, such as ``sum(dy * x_hat)``, whose product is not stored
then. What a later group needs of an earlier one is computed again if it can be, from an array that it has to read or
that is kept instead: the group is listed with the operations of the other one that it needs, as its own.
"""

import math

from anynet.compiler.graph import Graph, Node
from anynet.compiler.numpy.native.instructions import is_written

LARGE = 1 << 21
"""Number of elements from which on arrays do not stay in the cache."""

MOST = 48
"""Largest number of operations that are done again for a result that would be stored."""

NARROW = 8
"""Number of features up to which sums over samples do not run in groups."""


def join(groups: list[list[Node]], graph: Graph) -> list[list[Node]]:
    """Return groups, as from `schedule`, with sums joined and with operations that are done again."""
    groups = _with_sums(groups)
    again = _done_again(groups, graph)
    return [[*again.get(i, ()), *group] for i, group in enumerate(groups)]


def is_sum(node: Node) -> bool:
    """Return True for a sum or mean over the samples of a large array."""
    if node.op not in ("sum", "mean") or node.kwargs.keys() - {"axis", "keepdims"} or len(node.args) != 1:
        return False
    x, axis = node.args[0], node.kwargs.get("axis")
    if not isinstance(x, Node) or len(x.shape) not in (2, 3) or axis not in (-2, len(x.shape) - 2):
        return False
    fits = x.dtype == node.dtype and x.dtype.name in ("float32", "float64")
    return fits and math.prod(x.shape) >= LARGE and x.shape[-1] > NARROW


def _is_loop(group: list[Node]) -> bool:
    """Return True for a loop over large arrays, without ``take``."""
    first, *others = group
    is_large = math.prod(first.shape) >= LARGE and is_written(first)
    return is_large and all(is_written(node) or is_sum(node) for node in others)


def _with_sums(groups: list[list[Node]]) -> list[list[Node]]:
    found: list[list[Node]] = []
    place: dict[Node, list[Node]] = {}
    for group in groups:
        (first, *more) = group
        before = place.get(first.args[0]) if not more and is_sum(first) else None
        if before is not None and _is_loop(before):
            before.append(first)
            continue
        group = list(group)
        found.append(group)
        place |= dict.fromkeys(group, group)
    return found


def _done_again(groups: list[list[Node]], graph: Graph) -> dict[int, list[Node]]:
    """Return the operations of earlier groups that each group does again."""
    users, outputs = graph.users(), set(graph.outputs)
    loops = list(map(_is_loop, groups))
    place = {node: i for i, group in enumerate(groups) for node in group}
    order = {node: i for i, node in enumerate(place)}
    inner = {
        node for group, is_loop in zip(groups, loops, strict=True) if is_loop for node in group if not is_sum(node)
    }
    stored, found = set[Node](), dict[int, set[Node]]()
    for node in filter(inner.__contains__, place):
        elsewhere = {place[user] for user in users.get(node, ())} - {place[node]}
        stays = node in outputs or any(not loops[i] or groups[i][0].shape != node.shape for i in elsewhere)
        chain = None if stays or not elsewhere else _chain(node, inner, stored)
        if stays or (elsewhere and chain is None):
            stored.add(node)
        for i in elsewhere if chain else ():
            found.setdefault(i, set()).update(chain or ())
    return {i: sorted(nodes.difference(groups[i]), key=order.__getitem__) for i, nodes in found.items()}


def _chain(node: Node, inner: set[Node], stored: set[Node]) -> set[Node] | None:
    """Return the operations that compute a result from one large array in memory; None if that does not pay."""
    chain, leaves, stack = set[Node](), set[Node](), [node]
    while stack:
        top = stack.pop()
        if top in chain:
            continue
        chain.add(top)
        for used in top.inputs:
            if used in inner and used not in stored:
                stack.append(used)
            elif math.prod(used.shape) == math.prod(node.shape):
                leaves.add(used)
    return chain if len(leaves) <= 1 and len(chain) <= MOST else None
