"""The two ways to run a training step operation by operation."""

from collections.abc import Callable
from typing import Any, NamedTuple

from anynet.backends import Backend
from anynet.backends.base import Loop as Run
from anynet.compiler.graph import Graph, Node
from anynet.compiler.loop import Record
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Library, evaluate
from anynet.core.tree import flatten
from anynet.core.typing import Array

Row = tuple[Array, ...]


class Job(NamedTuple):
    """What a loop over a step is given: the first carry, what all steps share, and a row for each."""

    carry: Any
    shared: Any
    rows: Any

    @property
    def each(self) -> list[Row]:
        """The leaves of every step's row."""
        leaves = flatten(self.rows)[0]
        return [tuple(leaf[i, ...] for leaf in leaves) for i in range(leaves[0].shape[0])]


class Runner(NamedTuple):
    """How a step is run.

    loop: runs all steps the way training does.
    take: brings a step's row to where the calls read it. calls: what the step does.
    made: for each call, the operations that it is made for.
    """

    loop: Callable[[], Any]
    take: Callable[[Row], None]
    calls: list[Call]
    made: list[list[Node]]


def recorded(graph: Graph, job: Job, library: Library, kind: type[Program], steps: int) -> Runner:
    """The program of a training of so many steps."""
    (carry, _), (shared, _), (rows, _) = flatten(job.carry), flatten(job.shared), flatten(job.rows)
    program = Record(graph, len(carry), shared, library, kind).program(steps)
    program.start(carry, shared)
    return Runner(lambda: program.steps(rows, lambda n: None), program.take, program.calls, program.made)


def one_by_one(graph: Graph, run: Run, job: Job, backend: Backend) -> Runner:
    """The graph's operations, each on its own."""
    values: dict[Node, Any] = {
        used: used.value for node in graph.nodes for used in node.inputs if used.op == "constant"
    }

    def take(row: Row) -> None:
        values.update(zip(graph.inputs, (*flatten((job.carry, job.shared))[0], *row), strict=True))

    def compute(node: Node) -> Array:
        leaves, rebuild = flatten((node.args, node.kwargs))
        args, kwargs = rebuild([values[leaf] if isinstance(leaf, Node) else leaf for leaf in leaves])
        values[node] = evaluate(backend.xp, node, args, kwargs)
        return values[node]

    calls: list[Call] = [(compute, (node,)) for node in graph.nodes]
    return Runner(lambda: run(*job, lambda n: None), take, calls, [[node] for node in graph.nodes])
