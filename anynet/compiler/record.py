"""A recorded step with the targets that can run it: where one fails, the next slower one takes over."""

from collections.abc import Callable

from anynet.compiler.graph import Graph, elements
from anynet.compiler.recording import CompileError
from anynet.compiler.target import CompiledStep, Target, Tick
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

    An error before the first step of a loop is done makes the record run the loop again with the next slower target,
    from the same arguments. Later errors are raised: steps that are done cannot be repeated. So are errors of memory,
    the second time if the target can release some.

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
        self._programs: dict[bool, CompiledStep] = {}  # by whether the step has run often
        self._work = sum(elements(node) for node in graph.nodes if target.fuses(node, hot=True))
        self._steps = 0

    def program(self, steps: int, before: int | None = None) -> CompiledStep:
        """Return the program to run the next `steps` steps with, if `before` steps were run before."""
        self._steps = (self._steps if before is None else before) + steps
        hot = self._steps * self._work >= self.target.patience
        if hot not in self._programs:
            self._programs[hot] = self._compiled() if hot else self.target.program(*self._settings)
        return self._programs[hot]

    def _compiled(self) -> CompiledStep:
        """Return the program for steps that run often; if its parts cannot be compiled, the other one."""
        try:
            return self.target.program(*self._settings, hot=True)
        except Exception as error:
            if self._out_of_memory(error):
                raise
        return self._programs.get(False) or self.target.program(*self._settings)

    @property
    def launches(self) -> int:
        """Number of functions that a step calls; on a GPU, of kernels."""
        newest = next(reversed(self._programs.values()), None)
        return 0 if newest is None else newest.launches

    def run(
        self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick, before: int | None = None
    ) -> list[Array]:
        """Run a whole loop, after `before` steps, and return copies of the last carry's arrays.

        Raises
        ------
        NoTargetError
            If all targets fail before the first step is done.
        """
        ticked = released = False

        def note_and_tick(steps: int) -> None:
            nonlocal ticked
            ticked = True
            tick(steps)

        while True:
            try:
                return self.program(columns[0].shape[0], before).run(carry, shared, columns, note_and_tick)
            except Exception as error:
                if ticked:
                    raise
                if not self._out_of_memory(error):
                    self.fall_back(error)
                elif released or not self.target.release_memory():
                    raise
                else:
                    released = True

    def fall_back(self, error: Exception) -> None:
        """Choose the next slower target because of an error.

        Parameters
        ----------
        error : Exception

        Raises
        ------
        CompileError
            If `strict`.
        NoTargetError
            If there is no slower target.
        """
        cause = self.target.explain(error)
        if self._strict:
            raise CompileError(f"steps cannot run as {self.target.execution}: {cause}") from error
        if cause not in self.cause:
            self.cause = f"{self.cause}; then {cause}" if self.cause else cause
        if self.target.slower is None:
            raise NoTargetError(self.cause) from error
        self._programs, self.target = {}, self.target.slower
