"""Loops of training steps in JAX, a whole epoch as one compiled call."""

from typing import Any

import jax

from anynet.backends.base import Backend
from anynet.compiler import PLAIN, Fallback, Step, Tick, explain, generator_states, split_step

EXECUTION = "one compiled loop"
"""Name of how the steps of a `ScannedLoop` run."""


class _NotRecordedError(Exception):
    """Raised while JAX traces a loop if the step cannot be recorded; the message is the reason."""


def is_pure(step: Step, *args: Any) -> bool:
    """Return True if JAX compiles a step to the same program twice, and the step draws no random numbers."""
    states = generator_states(step)
    try:
        programs: list[str] = [jax.jit(lambda *args: step(*args)).lower(*args).as_text() for _ in range(2)]
    except Exception:  # it reads numbers, which it can only while JAX does not trace it
        return False
    return programs[0] == programs[1] and states == generator_states(step)


class ScannedLoop:
    """Loop of all steps in one compiled call, with vectors in parts.

    Parameters
    ----------
    backend : Backend
    step : Step
    strict : bool
        If True, raise CompileError in place of the warning that a step cannot be recorded.
    """

    def __init__(self, backend: Backend, step: Step, *, strict: bool) -> None:
        self._step, self._fallback = step, Fallback(backend.plain_loop(step), strict=strict)
        self._compiled = backend.compile(self._scan)

    @property
    def execution(self) -> str:
        """Name of how the steps run."""
        return PLAIN if self._fallback.used else EXECUTION

    def __call__(self, carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
        """Run the loop."""
        reason = ""
        if not self._fallback.used:
            try:
                carry = jax.block_until_ready(self._compiled(carry, shared, rows))
            except _NotRecordedError as error:
                reason = str(error)
            else:
                tick(jax.tree.leaves(rows)[0].shape[0])
                return carry
        return self._fallback(carry, shared, rows, tick, reason)

    def _scan(self, carry: Any, shared: Any, rows: Any) -> Any:
        first = jax.tree.map(lambda column: jax.numpy.empty(column.shape[1:], column.dtype), rows)
        try:
            split = split_step(self._step, jax.numpy, carry, shared, first)
        except Exception as error:  # if it is the step's own, the plain loop raises it again
            raise _NotRecordedError(explain(error)) from None

        def one(parts: Any, row: Any) -> tuple[Any, None]:
            return split.run(parts, shared, row), None

        return split.join(jax.lax.scan(one, split.split(carry), rows)[0])
