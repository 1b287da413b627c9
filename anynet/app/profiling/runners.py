"""Two ways to run a training step operation by operation: recorded calls, and an interpreter."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from anynet.compiler import Call, Graph, Interpreter, Loop, Node, Target, compile_graph
from anynet.core.tree import flatten
from anynet.core.typing import Array

Row = tuple[Array, ...]


class Job(NamedTuple):
    """Arguments of a loop over a step.

    Attributes
    ----------
    carry : arrays in containers
        What the first step is given.
    shared : arrays in containers
        What all steps are given.
    rows : arrays in containers, shapes (steps, ...)
        One row for each step.
    """

    carry: Any
    shared: Any
    rows: Any

    @property
    def each(self) -> list[Row]:
        """Arrays of each step's row."""
        leaves = flatten(self.rows)[0]
        return [tuple(leaf[i, ...] for leaf in leaves) for i in range(leaves[0].shape[0])]


class Runner(NamedTuple):
    """A step, as a whole and call by call.

    Attributes
    ----------
    loop : callable
        Runs all steps as training does.
    take : callable
        Copies a step's row to where the calls read it.
    calls : list of Call
        Calls of one step.
    made : list of list of Node
        For each call, the operations that it computes.
    """

    loop: Callable[[], Any]
    take: Callable[[Row], None]
    calls: list[Call]
    made: list[list[Node]]


def recorded(graph: Graph, job: Job, target: Target, steps: int) -> Runner:
    """Return the calls of a compiled step.

    Parameters
    ----------
    graph : Graph
    job : Job
    target : Target
    steps : int
        Number of steps of the training, by which targets decide how much to compile.

    Returns
    -------
    Runner
    """
    (carry, _), (shared, _), (rows, _) = flatten(job.carry), flatten(job.shared), flatten(job.rows)
    program = compile_graph(graph, len(carry), shared, target, steps)
    program.start(carry, shared)
    return Runner(lambda: program.steps(rows, lambda n: None), program.take, program.calls, program.made)


def one_by_one(graph: Graph, loop: Loop, job: Job, xp: ModuleType) -> Runner:
    """Return the operations of a graph as single calls.

    Parameters
    ----------
    graph : Graph
    loop : callable
        Runs all steps as training does.
    job : Job
    xp : module
        Namespace of the array library.

    Returns
    -------
    Runner
    """
    interpreter = Interpreter(graph, xp)

    def take(row: Row) -> None:
        interpreter.take(job.carry, job.shared, row)

    return Runner(lambda: loop(*job, lambda n: None), take, interpreter.calls, interpreter.made)
