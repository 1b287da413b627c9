"""Interpreter of recorded steps: one call of the array library per operation."""

from types import ModuleType
from typing import Any

from anynet.compiler.graph import Graph, Node, evaluate
from anynet.compiler.target import Call
from anynet.core.tree import flatten
from anynet.core.typing import Array


class Interpreter:
    """Operations of a graph, as one call each.

    Parameters
    ----------
    graph : Graph
    xp : module
        Namespace of the arrays that the graph is to be run with.

    Attributes
    ----------
    calls : list of Call
        One call per operation, in order; each returns the operation's result.
    made : list of list of Node
        The operation of each call.
    """

    def __init__(self, graph: Graph, xp: ModuleType) -> None:
        self._graph, self._xp = graph, xp
        self._values: dict[Node, Any] = {
            used: used.value for node in graph.nodes for used in node.inputs if used.op == "constant"
        }
        self.calls: list[Call] = [(self._compute, (node,)) for node in graph.nodes]
        self.made = [[node] for node in graph.nodes]

    def take(self, *args: Any) -> None:
        """Set the arguments of the recorded function for the next run of the calls."""
        self._values.update(zip(self._graph.inputs, flatten(args)[0], strict=True))

    def _compute(self, node: Node) -> Array:
        leaves, rebuild = flatten((node.args, node.kwargs))
        args, kwargs = rebuild([self._values[leaf] if isinstance(leaf, Node) else leaf for leaf in leaves])
        result: Array = evaluate(self._xp, node, args, kwargs)
        self._values[node] = result
        return result
