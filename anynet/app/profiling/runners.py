"""The two ways to run a training step operation by operation."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from anynet.compiler import Call, Graph, Interpreter, Loop, Node, Target, compile_graph
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


def recorded(graph: Graph, job: Job, target: Target, steps: int) -> Runner:
    """The program of a training of so many steps."""
    (carry, _), (shared, _), (rows, _) = flatten(job.carry), flatten(job.shared), flatten(job.rows)
    program = compile_graph(graph, len(carry), shared, target, steps)
    program.start(carry, shared)
    return Runner(lambda: program.steps(rows, lambda n: None), program.take, program.calls, program.made)


def one_by_one(graph: Graph, loop: Loop, job: Job, xp: ModuleType) -> Runner:
    """The graph's operations, each on its own."""
    interpreter = Interpreter(graph, xp)

    def take(row: Row) -> None:
        interpreter.take(job.carry, job.shared, row)

    return Runner(lambda: loop(*job, lambda n: None), take, interpreter.calls, interpreter.made)
