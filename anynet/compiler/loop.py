"""Loops over a recorded step."""

import inspect
from collections.abc import Callable
from typing import Any

from anynet.compiler.graph import Graph, elements
from anynet.compiler.target import CompiledStep, Target, Tick
from anynet.compiler.tracer import trace
from anynet.core.tree import flatten, form
from anynet.core.typing import Array

Step = Callable[[Any, Any, Any], Any]
"""``step(carry, shared, row)`` returns the next carry: a pure function of arrays in any containers."""

Loop = Callable[[Any, Any, Any, Tick], Any]
"""``run(carry, shared, rows, tick)``: ``carry = step(carry, shared, row)`` for row after row; returns the last carry.

rows: arrays whose first axis counts the steps.
"""

MOST = 32
"""Records that a loop keeps, the newest."""


class RecordingWarning(UserWarning):
    """A step that cannot be recorded; the message is the reason. Its loop runs step by step, more slowly."""


def compile_loop(step: Step, target: Target, plain: Loop) -> Loop:
    """Return a loop over a step that is recorded once and run by a target.

    Parameters
    ----------
    step : Step
        Pure function ``step(carry, shared, row)`` that returns the next carry.
    target : Target
        What runs the recorded step.
    plain : Loop
        The same loop without a record, for a step that cannot be recorded.
    """
    return RecordedLoop(step, plain, target)


def compile_graph(graph: Graph, n_carry: int, shared: list[Array], target: Target, steps: int) -> CompiledStep:
    """Return a recorded step as `compile_loop` would run it for so many steps.

    Parameters
    ----------
    graph : Graph
        ``step(carry, shared, row)``, as from `trace`.
    n_carry : int
        Number of the carry's leaves.
    shared : list of array
        Arrays that stay the same during the loop.
    target : Target
    steps : int
        Number of steps that the loop is to run. Parts that run often are compiled further.
    """
    return Record(graph, n_carry, shared, target).program(steps)


def launches(loop: Loop) -> int | None:
    """Return how many functions (on a GPU: kernels) a step of a loop calls; None if no step is recorded."""
    recorded = inspect.unwrap(loop)
    return recorded.launches if isinstance(recorded, RecordedLoop) else None


class Record:
    """A recorded step with its program, which is compiled further once it has run often.

    graph: as from ``trace``. n_carry, shared, target: as of ``compile_graph``.
    """

    def __init__(self, graph: Graph, n_carry: int, shared: list[Array], target: Target) -> None:
        self.build = graph.build
        self._target, self._settings = target, (graph, n_carry, shared)
        self._program = target.program(*self._settings)
        self._work = sum(elements(node) for node in graph.nodes if target.fuses(node, hot=True))
        self._patience = target.patience

    def program(self, steps: int) -> CompiledStep:
        """The program for so many steps more."""
        cold, self._patience = self._patience > 0, self._patience - steps * self._work
        if cold and self._patience <= 0:
            self._program = self._target.program(*self._settings, hot=True)
        return self._program

    @property
    def launches(self) -> int:
        return self._program.launches


class RecordedLoop:
    """Runs a step's record, one for each combination of containers, shapes and shared arrays.

    plain: the same loop without a record, for steps that cannot be recorded: because they read numbers from their
        arrays, use others than they are given, or return something else than they take.
    """

    def __init__(self, step: Step, plain: Loop, target: Target) -> None:
        self._step, self._plain, self._target = step, plain, target
        self._records: dict[tuple[Any, ...], Record | None] = {}

    @property
    def launches(self) -> int | None:
        """Of the newest record."""
        newest = next(reversed(self._records.values()), None)
        return None if newest is None else newest.launches

    def __call__(self, carry: Any, shared: Any, rows: Any, tick: Callable[[int], object]) -> Any:
        before, held, columns = (flatten(tree)[0] for tree in (carry, shared, rows))
        are_arrays = all(map(self._target.is_array, (*before, *held, *columns)))
        if not are_arrays or columns[0].shape[0] == 0:
            return self._plain(carry, shared, rows, tick)
        key = (
            form((carry, shared, rows)),
            *((a.shape, a.dtype) for a in before),
            *(id(a) if self._target.stays(a) else (a.shape, a.dtype) for a in held),
            *((a.shape[1:], a.dtype) for a in columns),
        )
        if key not in self._records:
            self._records[key] = self._record(carry, shared, rows)
            if len(self._records) > MOST:
                del self._records[next(iter(self._records))]
        record = self._records[key]
        if record is None:
            return self._plain(carry, shared, rows, tick)
        return record.build(record.program(columns[0].shape[0]).run(before, held, columns, tick))

    def _record(self, carry: Any, shared: Any, rows: Any) -> Record | None:
        columns, rebuild = flatten(rows)
        try:
            graph = trace(self._step, self._target.xp, carry, shared, rebuild([column[0, ...] for column in columns]))
        except Exception:  # the plain loop will say what is wrong, if anything is
            return None
        if not _returns_alike(graph, carry):
            return None
        return Record(graph, len(flatten(carry)[0]), flatten(shared)[0], self._target)


def _returns_alike(graph: Graph, carry: Any) -> bool:
    """Whether a step returns the same containers, shapes and dtypes as it takes."""
    leaves, rebuild = flatten(carry)
    taken, given = (
        [(node.shape, node.dtype) for node in nodes] for nodes in (graph.inputs[: len(leaves)], graph.outputs)
    )
    return repr(rebuild(taken)) == repr(graph.build(given))
