"""A recorded step run operation by operation, each as its array library has it."""

from types import ModuleType
from typing import Any

from anynet.compiler.graph import Graph, Node
from anynet.compiler.target import Call, evaluate
from anynet.core.tree import flatten
from anynet.core.typing import Array


class Interpreter:
    """The operations of a graph as one call each.

    Parameters
    ----------
    graph : Graph
    xp : module
        Namespace of the arrays.

    Attributes
    ----------
    calls : list of Call
        One for each operation, in order; they return its result.
    made : list of list of Node
        For each call, a list of its operation.
    """

    def __init__(self, graph: Graph, xp: ModuleType) -> None:
        self._graph, self._xp = graph, xp
        self._values: dict[Node, Any] = {
            used: used.value for node in graph.nodes for used in node.inputs if used.op == "constant"
        }
        self.calls: list[Call] = [(self._compute, (node,)) for node in graph.nodes]
        self.made = [[node] for node in graph.nodes]

    def take(self, *args: Any) -> None:
        """Set the arguments that the recorded function is called with next."""
        self._values.update(zip(self._graph.inputs, flatten(args)[0], strict=True))

    def _compute(self, node: Node) -> Array:
        leaves, rebuild = flatten((node.args, node.kwargs))
        args, kwargs = rebuild([self._values[leaf] if isinstance(leaf, Node) else leaf for leaf in leaves])
        self._values[node] = evaluate(self._xp, node, args, kwargs)
        return self._values[node]
