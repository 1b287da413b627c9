"""A recorded step captured as a CUDA graph, which the device runs again and again without being told each kernel."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import cupy

from anynet.compiler.cuda import building, kernels
from anynet.compiler.cuda.expressions import TYPES
from anynet.compiler.cuda.kernels import Kernel
from anynet.compiler.cuda.launching import Launch, Single, compile_all, copy_values
from anynet.compiler.cuda.memory_use import ANYTHING, Use, reach
from anynet.compiler.cuda.phases import Access, Phase
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Tick
from anynet.core.typing import ConcreteArray as Array

STEPS = 16
"""Of a graph; what is left of a loop is run by a graph of one."""


class GraphProgram(Program):
    """A program whose steps are captured, with their rows read on the device.

    Its kernels are the program's calls, neighbours joined. The first step of all is run without a graph, for CUDA loads
    kernels when they first run, which may not happen during a capture. Where a step has operations that are CuPy's
    own, which cannot all be captured, its kernels are launched one by one.

    captures: whether they are captured.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stream = cupy.cuda.Stream(non_blocking=True)  # the default stream's work cannot be captured
        self._graphs: dict[int, Any] = {}
        self._ran = False
        self._rows: list[Array] = []  # of all steps
        self._first = cupy.zeros((), "int64")  # the number of the step that a graph begins with
        calls = [_phase(call) or call for call in self.calls if not _does_nothing(call)]
        joined = kernels.join(calls, _use)
        self.captures = all(isinstance(c, Kernel) or _can_be_captured(c, self._row) for c in joined)
        rows = self._row if self.captures else []
        sources = [kernels.write(c, f"k{i}", rows) for i, c in enumerate(joined) if isinstance(c, Kernel)]
        advances = [kernels.write(_advance(self._first, n), f"advance{n}") for n in (1, STEPS)]
        *launches, one, many = compile_all([*sources, *advances])
        self._advance = {1: one, STEPS: many}
        for advance in (one, many):
            advance()  # so that CUDA loads them now
        self._joined: list[Launch | Call] = [launches.pop(0) if isinstance(c, Kernel) else c for c in joined]

    @property
    def launches(self) -> int:
        return len(self._joined)

    def steps(self, columns: list[Array], tick: Tick) -> None:
        if not self.captures:
            for row in zip(*columns, strict=True):
                self.take(row)
                self._run_each(1)
                tick(1)
            return
        self._take_all(columns)
        here = cupy.cuda.get_current_stream()
        self._stream.wait_event(here.record())
        try:
            with self._stream:
                left = columns[0].shape[0]
                while left:
                    done = self._run_some(left)
                    left -= done
                    tick(done)
        finally:
            here.wait_event(self._stream.record())

    def _take_all(self, columns: list[Array]) -> None:
        """Put the rows of all steps where kernels read them; graphs know the place, and a new one makes new graphs."""
        n = columns[0].shape[0]
        if not self._rows or n > self._rows[0].shape[0]:
            self._rows = [cupy.empty((n, *row.shape), row.dtype) for row in self._row]
            self._graphs = {}
        for mine, column in zip(self._rows, columns, strict=True):
            mine[:n, ...] = column
        self._first[...] = 0

    def _run_some(self, left: int) -> int:
        """Run some of the steps that are left. Returns how many."""
        if not self._ran:
            self._run_each(1)
            self._ran = True
            return 1
        n = STEPS if left >= STEPS else 1
        if n not in self._graphs:
            try:
                self._stream.begin_capture()
                self._run_each(n)
            except BaseException:
                with suppress(RuntimeError):  # which says no more than that the capture has failed
                    self._stream.end_capture()
                raise
            self._graphs[n] = self._stream.end_capture()
        self._graphs[n].launch(self._stream)
        return n

    def _run_each(self, n: int) -> None:
        """So many steps, launch by launch."""
        for later in range(n):
            for call in self._joined:
                if isinstance(call, Launch):
                    call(self._rows, self._first, later)
                else:
                    function, args = call
                    function(*args)
        self._advance[n]()


def _phase(call: Call) -> Phase | None:
    """What is called, where that is a phase."""
    match call:
        case Single(phase=phase), _:
            return phase
        case function, (into, array) if function is copy_values and {str(into.dtype), str(array.dtype)} <= TYPES.keys():
            return building.copy(into, array)
    return None


def _does_nothing(call: Call) -> bool:
    """Whether it copies an array without elements."""
    function, args = call
    return function is copy_values and args[0].size == 0


def _use(call: Call) -> Use:
    """What a call that is no phase does with memory."""
    found: Use = getattr(call[0], "use", ANYTHING)
    return found


def _can_be_captured(call: Call, rows: Sequence[Array]) -> bool:
    """Whether it is known what a call does, and that it takes no step's row, which is not where it seems to be."""
    use = _use(call)
    return use is not ANYTHING and not any(reach(row).meets(used) for row in rows for used in use.reads)


def _advance(first: Array, n: int) -> Kernel:
    """A kernel that adds to the number of the first step."""
    here, kernel = Access(first, (0,)), Kernel()
    kernel.add(Phase((1,), (here,), (here,), (f"{{y0}} = {{x0}} + {n};",)))
    return kernel
