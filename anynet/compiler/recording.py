"""Recording of steps that are pure functions, and a loop with a warning for the others."""

import inspect
import math
import warnings
from itertools import zip_longest
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import to_device
from numpy.typing import NDArray

from anynet.compiler.generators import GLOBAL, generator_states
from anynet.compiler.graph import Graph, Node
from anynet.compiler.tape import trace
from anynet.compiler.target import Loop, Step, Target, Tick
from anynet.compiler.tracer import HINT, Tracer, UntraceableError
from anynet.core.errors import Error
from anynet.core.tree import flatten, form
from anynet.core.typing import ConcreteArray

_PACKAGE = Path(__file__).parents[1]

PLAIN = "plain steps"
"""`Target.execution` of steps that no target runs."""

ATTEMPTS = 5
"""Number of times that a step is recorded in which a global generator changes each time."""

DRAWS = f"it draws random numbers from a generator; {HINT}"
"""Cause for steps that do, though the numbers may have made no difference so far."""


class CompileWarning(UserWarning):
    """Warning that steps run more slowly than a backend can run them, with the reason."""


class CompileError(Error, RuntimeError):
    """Raised in place of a `CompileWarning` where steps have to be compiled."""


def record_step(step: Step, xp: ModuleType, carry: Any, shared: Any, row: Any) -> Graph:
    """Return the record of a step that is a pure function.

    The step is called twice. If it counts its calls or reads a clock, it does not record the same operations, constants
    and numbers both times; if it draws random numbers, the state of a generator changes, too. Another thread may change
    the state of a global generator meanwhile: then the step is recorded again.

    Parameters
    ----------
    step : Step
        Pure function ``step(carry, shared, row)`` that returns the next carry.
    xp : module
        Namespace of the arrays.
    carry, shared, row : containers of arrays
        Arguments of the step. The record is valid for others of the same shapes and dtypes.

    Returns
    -------
    Graph

    Raises
    ------
    UntraceableError
        If the step does what cannot be recorded, is not pure, or returns other containers, shapes or dtypes than it
        takes. Other errors are the step's own.
    """
    for _ in range(ATTEMPTS):
        states = generator_states(step)
        graph, again = (trace(step, xp, carry, shared, row) for _ in range(2))
        if (found := _difference(graph, again)) is not None:
            raise UntraceableError(f"it is not a pure function: recorded twice, {found}; {HINT}")
        after = generator_states(step)
        if states == after:
            break
        if states[GLOBAL:] != after[GLOBAL:]:
            raise UntraceableError(DRAWS)
    else:
        raise UntraceableError(DRAWS)
    leaves, rebuild = flatten(carry)
    taken = [(node.shape, node.dtype) for node in graph.inputs[: len(leaves)]]
    returned = [(node.shape, node.dtype) for node in graph.outputs]
    if repr(rebuild(taken)) != repr(graph.build(returned)):
        raise UntraceableError("it returns other containers, shapes or dtypes than it takes")
    return graph


def record_for(target: Target, step: Step, carry: Any, shared: Any, row: Any) -> Graph:
    """Return the record of a step, made with the arrays that a target chooses; see `record_step`."""
    leaves, rebuild = flatten((carry, shared, row))
    with target.recording(leaves) as (xp, arrays):
        return record_step(step, xp, *rebuild(arrays))


class Fallback:
    """Loop for steps that cannot be recorded; it warns once, after the first step that raises no error.

    Parameters
    ----------
    plain : Loop
        The loop without a record.
    strict : bool
        If True, raise CompileError in place of the warning.

    Attributes
    ----------
    used : bool
        True after the warning. Do not record the step again then: a step that is not pure may record the same
        operations twice by chance.
    """

    def __init__(self, plain: Loop, *, strict: bool = False) -> None:
        self._plain, self._strict = plain, strict
        self.used = False

    def __call__(
        self, carry: Any, shared: Any, rows: Any, tick: Tick, reason: str = "", *, before: int | None = None
    ) -> Any:
        """Run the loop; `reason` is why the step cannot be recorded, or its record cannot run."""

        def warn_and_tick(steps: int) -> None:
            if not self.used:
                if self._strict:
                    raise CompileError(f"steps cannot be compiled: {reason}")
                self.used = True
                warn(PLAIN, reason)
            tick(steps)

        return self._plain(carry, shared, rows, warn_and_tick)


def warn(execution: str, cause: str) -> None:
    """Give a CompileWarning for the line outside of this package that runs the steps, such as a call of `fit`.

    Python's own filter shows it there once, however many loops that line runs.

    Parameters
    ----------
    execution : str
        How the steps run.
    cause : str
        Why they run so.
    """
    off = '; compile="off" runs them so without this warning' if execution == PLAIN else ""
    level, frame = 1, inspect.currentframe()
    while frame is not None and _PACKAGE in Path(frame.f_code.co_filename).parents:
        level, frame = level + 1, frame.f_back
    warnings.warn(f"steps run as {execution}, more slowly: {cause}{off}", CompileWarning, stacklevel=level)


def explain(error: Exception) -> str:
    """Return why a step could not be recorded, in one line, with the line of the step's source."""
    said = next(iter(str(error).splitlines()), "") or type(error).__name__
    said = said.replace(Tracer.__name__, "array")  # for the step that is what it is
    frames = [frame for frame in extract_tb(error.__traceback__) if not _is_library(Path(frame.filename))]
    if not frames:
        return said
    return f"{said} ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})"


def _is_library(path: Path) -> bool:
    here = Path(__file__).parent
    return here in path.parents or path.parent == here.parent / "backends" or "site-packages" in path.parts


def _difference(one: Graph, other: Graph) -> str | None:
    """Return how two records of a function differ, or None."""
    pairs = dict(zip(one.inputs, other.inputs, strict=True))
    for a, b in zip_longest(one.nodes, other.nodes):
        if a is None or b is None or a.op != b.op:
            ops = " and then ".join("nothing" if node is None else node.op for node in (a, b))
            return f"the operations differ: {ops}"
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{a.op} gives {a.dtype} of shape {a.shape} and then {b.dtype} of shape {b.shape}"
        if (found := _other_arguments(a, b, a.op, pairs)) is not None:
            return found
        pairs[a] = b
    for a, b in zip(one.outputs, other.outputs, strict=False):
        if (found := _other_node(a, b, "the next carry", pairs)) is not None:
            return found
    forms = (form(graph.build(list(map(repr, graph.outputs)))) for graph in (one, other))
    return None if len(set(forms)) == 1 else "it returns other containers"


def _other_arguments(one: Node, other: Node, name: str, pairs: dict[Node, Node]) -> str | None:
    trees = [(node.args, node.kwargs) for node in (one, other)]
    if len(set(map(form, trees))) != 1:
        return f"{name} takes other arguments"
    for a, b in zip(*(flatten(tree)[0] for tree in trees), strict=True):
        if isinstance(a, Node) and isinstance(b, Node):
            if (found := _other_node(a, b, name, pairs)) is not None:
                return found
        elif not _same_literal(a, b):
            return f"{name} takes {a!r} and then {b!r}"
    return None


def _other_node(one: Node, other: Node, user: str, pairs: dict[Node, Node]) -> str | None:
    if one.op != "constant" or other.op != "constant":
        return None if pairs.get(one) is other else f"{user} takes the result of another operation"
    name = one.args[0] if one.args else "a constant"
    if (found := _other_arguments(one, other, name, pairs)) is not None:
        return found
    a, b = _host(one.value), _host(other.value)
    same = a is None or b is None or (a.shape == b.shape and a.tobytes() == b.tobytes())
    return None if same else f"{name} gives other values"


def _same_literal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (one != one and other != other)
    return type(one) is type(other) and bool(one == other)


def _host(array: ConcreteArray) -> NDArray[Any] | None:
    """Return the values of an array; None if it has none yet, because JAX is tracing."""
    try:
        return np.asarray(to_device(array, "cpu"))
    except Exception:  # each library raises another error
        return None
