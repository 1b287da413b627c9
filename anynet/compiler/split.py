"""Steps that carry vectors in parts, for libraries in which slices of an array are copies.

All parameters of a net are one vector, and its layers take slices of it. If slices and concatenations are copies, the
fastest step is one without the vector.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from types import ModuleType
from typing import Any

from anynet.compiler.concat import is_vector
from anynet.compiler.graph import NO_FUNCTIONS, Functions, Graph, Node, evaluate
from anynet.compiler.ops import OPERATIONS
from anynet.compiler.recording import record_step
from anynet.compiler.target import Step
from anynet.core.tree import flatten
from anynet.core.typing import ConcreteArray as Array

LONG = 1 << 12
"""Least number of elements of a part; shorter neighbors stay together."""

SLICES = {"expand_dims", "getitem", "reshape", "squeeze"}
"""Operations that are views in other libraries."""

Parts = list[Array]
"""Array in parts along the last axis."""

Bounds = list[int]
"""Indices on the last axis where parts begin, and where the last one ends; [0] for an array without axes."""


def split_step(
    step: Step, xp: ModuleType, carry: Any, shared: Any, row: Any, functions: Functions = NO_FUNCTIONS
) -> "SplitStep":
    """Record a step, and return it as one that carries vectors in parts.

    Parameters
    ----------
    step : callable
        Pure function ``step(carry, shared, row)`` that returns the next carry.
    xp : module
        Namespace of the arrays.
    carry, shared, row : containers of arrays
        Arguments of the step.
    functions : Functions
        Functions for operations that have a definition.

    Returns
    -------
    SplitStep

    Raises
    ------
    UntraceableError
        If the step cannot be recorded; see `record_step`.
    """
    return SplitStep(record_step(step, xp, carry, shared, row), len(flatten(carry)[0]), xp, functions)


class SplitStep:
    """Recorded step whose carry is a list of arrays in parts.

    Parameters
    ----------
    graph : Graph
        ``step(carry, shared, row)``; its first inputs are the leaves of the carry.
    n_carry : int
        Number of the carry's leaves.
    xp : module
        Namespace of the arrays.
    functions : Functions
        Functions for operations that have a definition.
    """

    def __init__(self, graph: Graph, n_carry: int, xp: ModuleType, functions: Functions = NO_FUNCTIONS) -> None:
        self._graph, self._xp, self._functions = graph, xp, functions
        self._carry = graph.inputs[:n_carry]
        used = [*graph.outputs, *(node for made in graph.nodes for node in made.inputs)]
        self._constants = {node: [node.value] for node in used if node.op == "constant"}
        self._bounds = {node: [0, *node.shape[-1:]] for node in (*graph.inputs, *graph.nodes, *self._constants)}
        before: list[Bounds] = []
        while before != (before := [self._bounds[node] for node in self._carry]):
            for node in graph.nodes:
                self._bounds[node] = self._find(node)
            for old, new in zip(self._carry, graph.outputs, strict=True):
                self._bounds[old] = sorted({*self._bounds[old], *self._bounds[new]})

    @property
    def has_operations(self) -> bool:
        """True if operations of the step have a definition."""
        return any(node.definition is not None for node in self._graph.nodes)

    def split(self, carry: Any) -> list[Parts]:
        """Return the arrays of a carry in parts."""
        leaves = flatten(carry)[0]
        return [self._cut([array], self._bounds[node]) for array, node in zip(leaves, self._carry, strict=True)]

    def join(self, carry: Sequence[Parts]) -> Any:
        """Return a carry in its containers, with whole arrays."""
        return self._graph.build([self._whole(parts) for parts in carry])

    def fixed(self, shared: Any) -> dict[Node, Parts]:
        """Return what is the same in all steps: the shared arrays, and the slices of them that a step takes."""
        arrays = [[array] for array in flatten(shared)[0]]
        values = dict(zip(self._graph.inputs[len(self._carry) :], arrays, strict=False)) | self._constants
        for node in self._graph.nodes:
            if node.op in SLICES and all(used in values for used in node.inputs):
                values[node] = self._evaluate(node, values)
        return values

    def run(self, carry: Sequence[Parts], fixed: Mapping[Node, Parts], row: Any) -> list[Parts]:
        """Run the step with what `fixed` returned, and return the next carry in parts."""
        rows = [[array] for array in flatten(row)[0]]
        inputs = [*self._carry, *self._graph.inputs[len(self._graph.inputs) - len(rows) :]]
        values = {**fixed, **dict(zip(inputs, [*carry, *rows], strict=True))}
        for node in self._graph.nodes:
            if node not in values:
                values[node] = self._evaluate(node, values)
        results = zip(self._graph.outputs, self._carry, strict=True)
        return [self._cut(values[new], self._bounds[old]) for new, old in results]

    def _find(self, node: Node) -> Bounds:
        """Return the bounds of an operation's result, given those of its arguments."""
        found = {0, *node.shape[-1:]}
        if _is_joined(node):
            starts = accumulate((piece.shape[-1] for piece in node.args[0]), initial=0)
            pairs = zip(starts, node.args[0], strict=False)
            return _without_short(sorted(found | {s + b for s, piece in pairs for b in self._bounds[piece]}))
        if (part := _part(node)) is not None:
            found |= {b - part.start for b in self._bounds[node.args[0]] if part.start <= b <= part.stop}
        elif node.op in OPERATIONS and node.op != "take":
            found |= {b for used in node.inputs if _has_last_axis(used, node) for b in self._bounds[used]}
        return sorted(found)

    def _evaluate(self, node: Node, values: dict[Node, Parts]) -> Parts:
        bounds = self._bounds[node]
        if _is_joined(node):
            return self._cut([part for piece in node.args[0] for part in values[piece]], bounds)
        if (part := _part(node)) is not None:
            return self._cut(values[node.args[0]], [part.start + b for b in bounds])
        leaves, rebuild = flatten((node.args, node.kwargs))
        columns: list[Any] = []
        n = max(len(bounds) - 1, 1)
        for leaf in leaves:
            if isinstance(leaf, Node) and n > 1 and _has_last_axis(leaf, node):
                columns.append(self._cut(values[leaf], bounds))
            else:
                columns.append([self._whole(values[leaf]) if isinstance(leaf, Node) else leaf] * n)
        made = (rebuild(list(row)) for row in zip(*columns, strict=True))
        return [evaluate(self._xp, node, args, kwargs, self._functions) for args, kwargs in made]

    def _cut(self, parts: Parts, bounds: Bounds) -> Parts:
        """Return the parts between other bounds."""
        if len(bounds) < 2:
            return parts
        return [self._whole(_between(parts, start, stop)) for start, stop in pairwise(bounds)]

    def _whole(self, parts: Parts) -> Array:
        return parts[0] if len(parts) == 1 else self._xp.concat(parts, axis=-1)


def _is_joined(node: Node) -> bool:
    """Return True for a concatenation along the last axis that converts no dtypes."""
    return is_vector(node) and all(piece.dtype == node.dtype for piece in node.args[0])


def _has_last_axis(used: Node, node: Node) -> bool:
    """Return True if an argument of an elementwise operation has the result's last axis."""
    return used.shape[-1:] == node.shape[-1:]


def _part(node: Node) -> slice | None:
    """Return the slice that a node takes of another's last axis, if that is all it does and it is not empty."""
    match node.op, node.args:
        case "getitem", (Node() as base, (part_ahead, slice() as part)) if part_ahead is ... and part.step in (None, 1):
            return slice(*part.indices(base.shape[-1])[:2]) if node.shape[-1] > 0 else None
    return None


def _between(parts: Parts, start: int, stop: int) -> Parts:
    ends = list(accumulate(part.shape[-1] for part in parts))
    found = []
    for part, end in zip(parts, ends, strict=True):
        begin = end - part.shape[-1]
        low, high = max(start, begin), min(stop, end)
        if (low, high) == (begin, end):
            found.append(part)
        elif low < high:
            found.append(part[..., low - begin : high - begin])
    return found


def _without_short(bounds: Bounds) -> Bounds:
    """Return the bounds with a long part on at least one side, and the outermost ones."""
    lengths = [stop - start for start, stop in pairwise(bounds)]
    neighbors = zip(bounds, [LONG, *lengths], [*lengths, LONG], strict=True)
    return [bound for bound, before, after in neighbors if max(before, after) >= LONG]
