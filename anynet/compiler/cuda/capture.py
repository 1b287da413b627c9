"""Capture a recorded step as a CUDA graph, which the GPU runs without launching every kernel from the host."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import cupy

from anynet.compiler.cuda import kernels, lowering
from anynet.compiler.cuda.dependences import UNKNOWN, Footprint, address_range
from anynet.compiler.cuda.expressions import TYPES
from anynet.compiler.cuda.kernels import Kernel
from anynet.compiler.cuda.launch import Launch, SingleKernel, compile_all, copy_values
from anynet.compiler.cuda.phases import Access, Phase
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Tick
from anynet.core.typing import ConcreteArray as Array

STEPS = 16
"""Number of steps of a graph; the remaining steps of a loop run in a graph of one step."""


class GraphProgram(Program):
    """A program whose steps are captured; kernels read the row of their step from the rows of all steps.

    Its kernels are the program's calls, joined where possible. The very first step runs without a graph, because CUDA
    loads kernels when they first run, and must not do so during a capture. If a step calls functions of CuPy itself,
    not all of which can be captured, its kernels are launched one by one.

    Parameters
    ----------
    *args, **kwargs
        As of `Program`.

    Attributes
    ----------
    captures : bool
        True if the steps are captured.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stream = cupy.cuda.Stream(non_blocking=True)  # work of the default stream cannot be captured
        self._graphs: dict[int, Any] = {}
        self._ran = False
        self._rows: list[Array] = []  # of all steps
        self._first = cupy.zeros((), "int64")  # index of a graph's first step
        calls = [_phase(call) or call for call in self.calls if not _does_nothing(call)]
        joined = kernels.join(calls, _footprint)
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
        """Number of kernels that a step launches, those of cuBLAS included."""
        return len(self._joined)

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns; the current stream waits for the steps."""
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
        """Copy the rows of all steps to where kernels read them; new buffers need new graphs, which hold addresses."""
        n = columns[0].shape[0]
        if not self._rows or n > self._rows[0].shape[0]:
            self._rows = [cupy.empty((n, *row.shape), row.dtype) for row in self._row]
            self._graphs = {}
        for mine, column in zip(self._rows, columns, strict=True):
            mine[:n, ...] = column
        self._first[...] = 0

    def _run_some(self, left: int) -> int:
        """Run some of the remaining steps, and return how many."""
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
                with suppress(RuntimeError):  # it only says that the capture has failed
                    self._stream.end_capture()
                raise
            self._graphs[n] = self._stream.end_capture()
        self._graphs[n].launch(self._stream)
        return n

    def _run_each(self, n: int) -> None:
        """Run n steps, launch by launch."""
        for later in range(n):
            for call in self._joined:
                if isinstance(call, Launch):
                    call(self._rows, self._first, later)
                else:
                    function, args = call
                    function(*args)
        self._advance[n]()


def _phase(call: Call) -> Phase | None:
    match call:
        case SingleKernel(phase=phase), _:
            return phase
        case function, (into, array) if function is copy_values and {str(into.dtype), str(array.dtype)} <= TYPES.keys():
            return lowering.copy(into, array)
    return None


def _does_nothing(call: Call) -> bool:
    """Return True if the call copies an array without elements."""
    function, args = call
    return function is copy_values and args[0].size == 0


def _footprint(call: Call) -> Footprint:
    found: Footprint = getattr(call[0], "footprint", UNKNOWN)
    return found


def _can_be_captured(call: Call, rows: Sequence[Array]) -> bool:
    """Return True if the memory that a call accesses is known, and holds no row: calls would read the first one."""
    used = _footprint(call)
    return used is not UNKNOWN and not any(address_range(row).overlaps(read) for row in rows for read in used.reads)


def _advance(first: Array, n: int) -> Kernel:
    """Return a kernel that adds n to the index of the first step."""
    here, kernel = Access(first, (0,)), Kernel()
    kernel.add(Phase((1,), (here,), (here,), (f"{{y0}} = {{x0}} + {n};",)))
    return kernel
