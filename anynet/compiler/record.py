"""A recorded step with the targets that can run it: where one fails, the next slower one takes over."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Thread

from anynet.compiler.graph import Graph
from anynet.compiler.recording import CompileError
from anynet.compiler.target import CompiledStep, Target, Tick
from anynet.core.collective import sum_over_ranks
from anynet.core.ranks import RanksError
from anynet.core.typing import Array

OutOfMemory = Callable[[BaseException], bool]
"""``out_of_memory(error)`` is True for errors that an array library raises when memory runs out."""


def is_memory_error(error: BaseException) -> bool:
    """Return True for MemoryError."""
    return isinstance(error, MemoryError)


class NoTargetError(Exception):
    """Raised if no target can run a recorded step; the message is the reason."""


class Record:
    """A recorded step and its program, which is compiled further once it has run often.

    The step at which the compiled program takes over depends on numbers of steps alone, so that a training rounds in
    the same way whenever it runs. It is compiled ahead of that, in a thread.

    An error before the first step of a loop is done makes the record run the loop again with the next slower target,
    from the same arguments. Later errors are raised: steps that are done cannot be repeated. So are errors of memory,
    the second time if the target can release some. If the step has sums over ranks, it is not run again, which would
    add the sums of other steps of the other ranks.

    Parameters
    ----------
    graph : Graph
        ``step(carry, shared, row)``, as from `trace`.
    n_carry : int
        Number of the carry's leaves.
    shared : list of array
        Arrays that stay the same during the loop.
    target : Target
        The fastest target.
    strict : bool
        If True, raise CompileError in place of the warning that steps run more slowly.
    out_of_memory : callable
        ``out_of_memory(error)`` is True for errors that are raised as they are.

    Attributes
    ----------
    target : Target
        The target that runs the step.
    build : callable
        ``Graph.build``.
    cause : str
        Why faster targets could not run the step; "" if none failed.
    """

    def __init__(
        self,
        graph: Graph,
        n_carry: int,
        shared: list[Array],
        target: Target,
        *,
        strict: bool = False,
        out_of_memory: OutOfMemory = is_memory_error,
    ) -> None:
        self.build = graph.build
        self.target, self.cause = target, ""
        self._strict, self._out_of_memory = strict, out_of_memory
        self._settings = graph, n_carry, shared
        self._has_sums = any(node.op == sum_over_ranks.name for node in graph.nodes)
        self._program: CompiledStep | None = None
        self._compiled: Future[CompiledStep] | None = None
        self._process = os.getpid()
        self._newest: CompiledStep | None = None
        self._first = self._first_compiled()
        self._steps = 0

    def program(self, steps: int) -> CompiledStep:
        """Return the program that runs most of so many steps."""
        return self._uncompiled() if steps <= self._first else self._wait()

    def _first_compiled(self) -> int:
        """Return the number of the first step that is run compiled."""
        return int(min(self.target.waits(self._settings[0]), sys.maxsize))

    def _uncompiled(self) -> CompiledStep:
        if self._program is None:
            self._program = self.target.program(*self._settings)
        self._newest = self._program
        return self._program

    def _start(self) -> Future[CompiledStep]:
        """Begin to compile the step, in a thread if the target can."""
        if self._compiled is None or self._process != os.getpid():  # a forked child has no thread that compiles
            self._compiled, self._process = Future(), os.getpid()
            make = partial(_fulfill, self._compiled, partial(self.target.program, *self._settings, hot=True))
            if self.target.compiles_in_background:
                Thread(target=make, name="anynet compiler").start()
            else:
                make()
        return self._compiled

    def _wait(self) -> CompiledStep:
        """Return the compiled program; if it cannot be compiled, the other one or that of a slower target."""
        try:
            self._newest = self._start().result()
        except Exception as error:
            if self._out_of_memory(error):
                self._compiled = None  # to try again
                raise
            if self.target.slower is not None:
                self.fall_back(error)
            self._newest = self._uncompiled()
        else:
            self._program = None
        return self._newest

    @property
    def launches(self) -> int:
        """Number of functions that a step calls; on a GPU, of kernels."""
        return 0 if self._newest is None else self._newest.launches

    def run(
        self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick, before: int | None = None
    ) -> list[Array]:
        """Run a whole loop, after `before` steps, and return copies of the last carry's arrays.

        Raises
        ------
        NoTargetError
            If all targets fail before the first step is done.
        """
        ticked, released = False, self._has_sums
        if self._has_sums and self._newest is None:
            self.target.release_memory()
        begin, steps = self._steps if before is None else before, columns[0].shape[0]
        self._steps = begin + steps

        def note_and_tick(steps: int) -> None:
            nonlocal ticked
            ticked = True
            tick(steps)

        while True:
            try:
                return self._run(carry, shared, columns, note_and_tick, begin)
            except (CompileError, NoTargetError, RanksError):
                raise
            except Exception as error:
                if ticked:
                    raise
                if not self._out_of_memory(error):
                    self.fall_back(error)
                elif released or not self.target.release_memory():
                    raise
                else:
                    released = True

    def _run(
        self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick, begin: int
    ) -> list[Array]:
        """Run steps from number `begin` on, the later ones compiled."""
        steps = columns[0].shape[0]
        if 2 * (begin + steps) > self._first:
            self._start()
        ahead = min(max(self._first - begin, 0), steps)
        if ahead:
            carry = self._uncompiled().run(carry, shared, [column[:ahead, ...] for column in columns], tick)
        if ahead < steps:
            carry = self._wait().run(carry, shared, [column[ahead:, ...] for column in columns], tick)
        return carry

    def fall_back(self, error: Exception) -> None:
        """Choose the next slower target because of an error.

        Parameters
        ----------
        error : Exception

        Raises
        ------
        CompileError
            If `strict`, or if the step has sums over ranks.
        NoTargetError
            If there is no slower target.
        """
        cause = self.target.explain(error)
        if self._strict:
            raise CompileError(f"steps cannot run as {self.target.execution}: {cause}") from error
        if self._has_sums:
            raise CompileError(
                f'steps cannot run as {self.target.execution}: {cause}; choose compile="off", with which all ranks run '
                "plain steps"
            ) from error
        if cause not in self.cause:
            self.cause = f"{self.cause}; then {cause}" if self.cause else cause
        if self.target.slower is None:
            raise NoTargetError(self.cause) from error
        self._program = self._compiled = None
        self.target = self.target.slower
        self._first = self._first_compiled()


def _fulfill(future: Future[CompiledStep], make: Callable[[], CompiledStep]) -> None:
    try:
        future.set_result(make())
    except BaseException as error:
        future.set_exception(error)
