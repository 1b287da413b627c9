"""Loops over a recorded step."""

import inspect
from functools import partial
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from anynet.compiler.graph import Graph
from anynet.compiler.record import NoTargetError, OutOfMemory, Record, is_memory_error
from anynet.compiler.recording import PLAIN, Fallback, explain, record_for, warn
from anynet.compiler.target import CompiledStep, Loop, Step, Target, Tick
from anynet.core.process_lock import ProcessLock
from anynet.core.tree import flatten, form
from anynet.core.typing import Array

MOST = 32
"""Number of records that a loop keeps; the oldest is dropped first."""

_graphs: WeakKeyDictionary[Step, dict[tuple[Any, ...], Graph]] = WeakKeyDictionary()
"""Records of steps, shared by all loops over the same step, such as those of trainings on other samples."""

_recording = ProcessLock(RLock)  # threads that run the same step record it once; recording holds the GIL anyway


def compile_loop(
    step: Step,
    target: Target,
    plain: Loop,
    *,
    strict: bool = False,
    out_of_memory: OutOfMemory = is_memory_error,
) -> Loop:
    """Return a loop over a step that is recorded once and run by a target.

    Parameters
    ----------
    step : Step
        Pure function ``step(carry, shared, row)`` that returns the next carry.
    target : Target
        What runs the recorded step.
    plain : Loop
        The same loop without a record, for a step that cannot be recorded or that no target can run.
    strict : bool
        If True, raise CompileError in place of warnings.
    out_of_memory : callable
        ``out_of_memory(error)`` is True for errors of memory, which are raised as they are.

    Returns
    -------
    Loop
        It raises what the step raises, and gives one `CompileWarning` if steps do not run as the target runs them.

    See Also
    --------
    anynet.compiler.recording.record_step : What can be recorded.
    """
    return RecordedLoop(step, plain, target, strict, out_of_memory)


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


def execution(loop: Loop) -> str:
    """Return how the steps of a loop run: `Target.execution`, or "plain steps"."""
    return getattr(inspect.unwrap(loop), "execution", PLAIN)


class RecordedLoop:
    """Loop over a step, which is recorded once for each combination of containers, shapes and shared arrays.

    Parameters
    ----------
    step, plain, target, strict, out_of_memory
        Arguments of `compile_loop`.
    """

    def __init__(self, step: Step, plain: Loop, target: Target, strict: bool, out_of_memory: OutOfMemory) -> None:
        self._step, self._plain, self._target = step, plain, target
        self._new_record = partial(Record, strict=strict, out_of_memory=out_of_memory)
        self._fallback = Fallback(plain, strict=strict)
        self._graphs = _graphs.setdefault(step, {})
        self._records: dict[tuple[Any, ...], Record] = {}

    @property
    def launches(self) -> int | None:
        """Number of functions that a step of the newest record calls, or None."""
        newest = next(reversed(self._records.values()), None)
        return None if newest is None else newest.launches

    @property
    def execution(self) -> str:
        """Name of how the steps run."""
        return PLAIN if self._fallback.used else self._target.execution

    def __call__(self, carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
        """Run the loop."""
        if self._fallback.used:
            return self._fallback(carry, shared, rows, tick)
        first, held, columns = (flatten(tree)[0] for tree in (carry, shared, rows))
        others = [type(a).__name__ for a in (*first, *held, *columns) if not self._target.is_array(a)]
        if others:
            return self._fallback(carry, shared, rows, tick, f"it takes {others[0]} and not only arrays")
        if columns[0].shape[0] == 0:
            return self._plain(carry, shared, rows, tick)
        like = (
            type(self._target),
            form((carry, shared, rows)),
            *((a.shape, a.dtype) for a in (*first, *held)),
            *((a.shape[1:], a.dtype) for a in columns),
        )
        with _recording():
            graph = self._graphs.get(like) or self._trace(carry, shared, rows)
            if not isinstance(graph, str):
                _add(self._graphs, like, graph)
        if isinstance(graph, str):
            return self._fallback(carry, shared, rows, tick, graph)
        fixed = zip(graph.inputs[len(first) :], held, strict=False)  # rows follow
        key = like, *(id(a) for node, a in fixed if self._target.stays(a, table=node in graph.tables))
        record = self._records.get(key)
        if record is None:
            record = self._new_record(graph, len(first), held, self._target)
            _add(self._records, key, record)

        def warn_and_tick(steps: int) -> None:
            if record.cause and _is_slower(record.target, self._target):
                self._target = record.target  # for the records of other shapes, too
                warn(record.target.execution, record.cause)
            tick(steps)

        try:
            return record.build(record.run(first, held, columns, warn_and_tick, before))
        except NoTargetError as error:
            return self._fallback(carry, shared, rows, tick, str(error))

    def _trace(self, carry: Any, shared: Any, rows: Any) -> Graph | str:
        """Return the record of the step, or why it cannot be recorded."""
        columns, rebuild = flatten(rows)
        row = rebuild([column[0, ...] for column in columns])
        try:
            return record_for(self._target, self._step, carry, shared, row)
        except Exception as error:  # if it is the step's own, the plain loop raises it again
            return explain(error)


def _add(kept: dict[tuple[Any, ...], Any], key: tuple[Any, ...], value: Any) -> None:
    """Add a value to those that are kept, and drop the oldest if there are too many."""
    kept[key] = value
    if len(kept) > MOST:
        kept.pop(next(iter(kept)), None)  # another thread may have dropped it


def _is_slower(one: Target, other: Target) -> bool:
    """Return True if a target is one of the slower ones of another; each record makes objects of its own."""
    slower = other.slower
    return slower is not None and (slower.execution == one.execution or _is_slower(one, slower))
