"""A loop over a recorded step."""

from collections.abc import Callable
from typing import Any

from anynet.compiler.graph import Graph, elements
from anynet.compiler.program import Program
from anynet.compiler.target import Target
from anynet.compiler.tracer import trace
from anynet.core.tree import flatten, form

MOST = 32
"""Records that a loop keeps, the newest."""


class Record:
    """A recorded step with its program, which is compiled further once it has run often.

    graph: as from ``trace``. n_carry, shared, target: as of ``Program``. kind: of program.
    """

    def __init__(
        self, graph: Graph, n_carry: int, shared: list[Any], target: Target, kind: type[Program] = Program
    ) -> None:
        self.build = graph.build
        self._kind, self._settings = kind, (graph, n_carry, shared, target)
        self._program = kind(*self._settings)
        self._work = sum(elements(node) for node in graph.nodes if target.fuses(node, hot=True))
        self._patience = target.patience

    def program(self, steps: int) -> Program:
        """The program for so many steps more."""
        cold, self._patience = self._patience > 0, self._patience - steps * self._work
        if cold and self._patience <= 0:
            self._program = self._kind(*self._settings, hot=True)
        return self._program


class RecordedLoop:
    """Runs a step's record, one for each combination of containers, shapes and shared arrays.

    plain: the same loop without a record, for steps that cannot be recorded: because they read numbers from their
        arrays, use others than they are given, or return something else than they take.
    kind: of program that the records become.
    """

    def __init__(
        self, step: Callable[..., Any], plain: Callable[..., Any], target: Target, kind: type[Program] = Program
    ) -> None:
        self._step, self._plain, self._target, self._kind = step, plain, target, kind
        self._records: dict[tuple, Record | None] = {}

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
        return Record(graph, len(flatten(carry)[0]), flatten(shared)[0], self._target, self._kind)


def _returns_alike(graph: Graph, carry: Any) -> bool:
    """Whether a step returns the same containers, shapes and dtypes as it takes."""
    leaves, rebuild = flatten(carry)
    taken, given = (
        [(node.shape, node.dtype) for node in nodes] for nodes in (graph.inputs[: len(leaves)], graph.outputs)
    )
    return repr(rebuild(taken)) == repr(graph.build(given))
