"""Loops of training steps in JAX, a whole epoch as one compiled call."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from anynet.backends.base import Backend
from anynet.backends.jax_images import OPERATIONS
from anynet.backends.jax_images_cpu import OPERATIONS_ON_CPU
from anynet.backends.jax_vectors import KeptParts, Parts, is_long
from anynet.compiler import PLAIN, Fallback, SplitStep, Step, Tick, explain, generator_states, split_step

EXECUTION = "one compiled loop"
"""Name of how the steps of a `ScannedLoop` run."""

COMPILED_STEPS = "compiled steps"
"""The same if each is a call of its own."""


class _NotRecordedError(Exception):
    """Raised while JAX traces a loop if the step cannot be recorded; the message is the reason."""


class _LongStepsError(Exception):
    """Raised while JAX traces a loop of several steps that are to be calls of their own."""


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

    Steps that take long are compiled calls of their own on the CPU: no signal ends a call before its end, and it says
    nothing about progress. Those are the steps with convolutions, or other operations that have a definition.

    Parameters
    ----------
    backend : Backend
    step : Step
    strict : bool
        If True, raise CompileError in place of the warning that a step cannot be recorded.
    """

    def __init__(self, backend: Backend, step: Step, *, strict: bool) -> None:
        self._fallback = Fallback(backend.plain_loop(step), strict=strict)
        on_cpu = backend.device.platform == "cpu"
        programs = _Programs(step, OPERATIONS_ON_CPU if on_cpu else OPERATIONS, on_cpu)
        self._scan, self._split = backend.compile(programs.scan), backend.compile(programs.split)
        self._scan_parts = jax.jit(programs.scan_parts, static_argnums=0, donate_argnums=1)
        self._precision, self._kept = backend.matmul_precision, KeptParts()
        self._keeps, self._one_by_one = on_cpu, False

    @property
    def execution(self) -> str:
        """Name of how the steps run."""
        return PLAIN if self._fallback.used else COMPILED_STEPS if self._one_by_one else EXECUTION

    def __call__(self, carry: Any, shared: Any, rows: Any, tick: Tick, *, before: int | None = None) -> Any:
        """Run the loop."""
        reason = ""
        if not self._fallback.used:
            try:
                return self._run(carry, shared, rows, tick)
            except _NotRecordedError as error:
                reason = str(error)
        return self._fallback(carry, shared, rows, tick, reason)

    def _run(self, carry: Any, shared: Any, rows: Any, tick: Tick) -> Any:
        steps = jax.tree.leaves(rows)[0].shape[0]
        if not self._one_by_one:
            try:
                carry = self._call(carry, shared, rows)
            except _LongStepsError:
                self._one_by_one = True
            else:
                tick(steps)
                return carry
        columns, structure = jax.tree.flatten(rows)
        columns = [np.asarray(column) for column in columns]  # slices of JAX's take ten times as long
        for i in range(steps):
            carry = self._call(carry, shared, structure.unflatten([column[i : i + 1] for column in columns]))
            tick(1)
        return carry

    def _call(self, carry: Any, shared: Any, rows: Any) -> Any:
        in_parts = self._keeps and any(map(is_long, jax.tree.leaves(carry)))
        return jax.block_until_ready((self._run_in_parts if in_parts else self._scan)(carry, shared, rows))

    def _run_in_parts(self, carry: Any, shared: Any, rows: Any) -> Any:
        """Run the loop on vectors in parts, which are kept for the next call."""
        leaves, structure = jax.tree.flatten(carry)
        parts = self._kept.take(leaves) or self._split(carry, shared, rows)
        several = [own if len(own) > 1 else None for own in parts]
        others = [leaf if own is None else None for leaf, own in zip(leaves, several, strict=True)]
        with self._precision():
            parts = self._scan_parts(structure, several, others, shared, rows)
        return structure.unflatten(self._kept.join(jax.block_until_ready(parts)))


class _Programs:
    """Functions that JAX compiles for the loop over a step, of which each records the step while it is traced."""

    def __init__(self, step: Step, operations: Mapping[str, Callable[..., Any]], on_cpu: bool) -> None:
        self._step, self._operations, self._on_cpu = step, operations, on_cpu

    def scan(self, carry: Any, shared: Any, rows: Any) -> Any:
        """Run the step on all rows, with vectors that are split first and joined at the end."""
        split = self._record(carry, shared, rows)
        return split.join(_steps(split, split.split(carry), shared, rows))

    def split(self, carry: Any, shared: Any, rows: Any) -> list[Parts]:
        """Return the arrays of a carry in the parts that `scan_parts` takes."""
        return self._record(carry, shared, rows).split(carry)

    def scan_parts(self, structure: Any, several: list[Any], others: list[Any], shared: Any, rows: Any) -> list[Parts]:
        """Run the step on all rows, from vectors in parts, which it writes over, and other arrays, to parts."""
        parts = [own or [other] for own, other in zip(several, others, strict=True)]
        whole = [own[0] if len(own) == 1 else jax.numpy.concat(own, axis=-1) for own in parts]  # only recorded with
        return _steps(self._record(structure.unflatten(whole), shared, rows), parts, shared, rows)

    def _record(self, carry: Any, shared: Any, rows: Any) -> SplitStep:
        first = jax.tree.map(lambda column: jax.numpy.empty(column.shape[1:], column.dtype), rows)
        try:
            split = split_step(self._step, jax.numpy, carry, shared, first, self._operations)
        except Exception as error:  # if it is the step's own, the plain loop raises it again
            raise _NotRecordedError(explain(error)) from None
        if self._on_cpu and split.has_operations and jax.tree.leaves(rows)[0].shape[0] > 1:
            raise _LongStepsError
        return split


def _steps(split: SplitStep, parts: list[Parts], shared: Any, rows: Any) -> list[Parts]:
    fixed = split.fixed(shared)

    def one(parts: Any, row: Any) -> tuple[Any, None]:
        return split.run(parts, fixed, row), None

    last: list[Parts] = jax.lax.scan(one, parts, rows)[0]
    return last
