"""Capture a recorded step as a CUDA graph, which the GPU runs without launching every kernel from the host."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import cupy

from anynet.compiler.cuda import kernels, lowering
from anynet.compiler.cuda.capturing import CAPTURING
from anynet.compiler.cuda.dependences import UNKNOWN, Footprint, address_range
from anynet.compiler.cuda.expressions import TYPES
from anynet.compiler.cuda.kernel_source import Source, write
from anynet.compiler.cuda.kernels import Kernel
from anynet.compiler.cuda.launch import Launch, SingleKernel, compile_all, copy_values
from anynet.compiler.cuda.phases import Access, Phase
from anynet.compiler.cuda.products import TiledProduct
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Tick
from anynet.core.typing import ConcreteArray as Array

STEPS = 16
"""Number of steps of a graph; the remaining steps of a loop run in a graph of one step."""


class CaptureError(RuntimeError):
    """Raised for steps that cannot be captured as a graph."""


class Capture:
    """Stream and memory to run a step in, and to capture it as a graph.

    The stream is a new one, because work of the default stream cannot be captured. So is the memory pool: functions of
    CuPy allocate, and a graph uses the same addresses in every run, so nothing else may get that memory.
    """

    def __init__(self) -> None:
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self._pool = cupy.cuda.MemoryPool()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Context manager within which work runs in the stream, after earlier work and before later work outside."""
        here = cupy.cuda.get_current_stream()
        self.stream.wait_event(here.record())
        try:
            with self.stream, cupy.cuda.using_allocator(self._pool.malloc):
                yield
        except BaseException:
            with suppress(RuntimeError):
                self.stream.synchronize()  # what has been launched uses memory that may be freed now
            raise
        here.wait_event(self.stream.record())

    def graph(self, run: Callable[[], object]) -> Any:
        """Return the graph of what a function does; it must have run before, so that CUDA has loaded its kernels."""
        with CAPTURING:
            try:
                self.stream.begin_capture()
                run()
            except BaseException:
                with suppress(RuntimeError):  # it only says that the capture has failed
                    self.stream.end_capture()
                raise
            return self.stream.end_capture()

    def prove(self, graph: Any) -> None:
        """Launch a new graph and wait for it: the error of one that cannot run is raised here, and not later."""
        graph.launch(self.stream)
        self.stream.synchronize()


class KernelProgram(Program):
    """A program of generated kernels and products, which read the row of their step from the rows of all steps.

    Its kernels are the program's calls, joined where possible. Steps are captured, or launched call by call. Before the
    first graph a step runs without one. New graphs are captured and run once before a step is reported as done.

    Parameters
    ----------
    *args : object
        As of `Program`.
    captures : bool
        If True, capture the steps as graphs. If False, launch each call.
    join : bool
        If True, join phases into few kernels. If False, each phase is a kernel.
    hot : bool
        As of `Program`.

    Attributes
    ----------
    captures : bool
        True if the steps are captured.

    Raises
    ------
    CaptureError
        If a function of CuPy reads rows of a dtype that kernels do not know.
    """

    def __init__(self, *args: Any, captures: bool, join: bool = True, hot: bool = False) -> None:
        super().__init__(*args, hot=hot)
        self.captures, self._capture = captures, Capture()
        self._graphs: dict[int, Any] = {}
        self._ran = False
        self._rows: list[Array] = []  # of all steps, one buffer for each row array
        self._first = cupy.zeros((), "int64")  # index of a graph's first step
        calls = [_phase(call) or call for call in self.calls if not _does_nothing(call)]
        copies, rows = self._rows_for(calls)
        calls = [*copies, *calls]
        separate = (kernels.alone(call) if isinstance(call, Phase) else call for call in calls)
        joined = kernels.join(calls, _footprint) if join else list(separate)
        sources = {i: source for i, c in enumerate(joined) if (source := _source(c, f"k{i}", rows)) is not None}
        advances = [write(_advance(self._first, n), f"advance{n}") for n in (1, STEPS)]
        *launches, one, many = compile_all([*sources.values(), *advances])
        self._advance = {1: one, STEPS: many}
        for advance in (one, many):
            advance()  # so that CUDA loads them now
        self._joined: list[Launch | Call] = [
            launches.pop(0) if i in sources or isinstance(c, Kernel) else c for i, c in enumerate(joined)
        ]

    @property
    def launches(self) -> int:
        """Number of kernels that a step launches, those of cuBLAS included."""
        return len(self._joined)

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns; the current stream waits for the steps."""
        self._take_all(columns)
        if not self.captures:
            for _ in range(columns[0].shape[0]):
                self._run_each(1)
                tick(1)
            return
        with self._capture():
            left = columns[0].shape[0] - self._prepare(columns[0].shape[0], tick)
            while left:
                n = STEPS if left >= STEPS else 1
                self._graphs[n].launch(self._capture.stream)
                left -= n
                tick(n)

    def _rows_for(self, calls: Sequence[Phase | Call]) -> tuple[list[Phase], list[Array]]:
        """Return the arrays that stand for the rows in kernels.

        Calls that are no kernels cannot read from the rows of all steps, nor can kernels that read a row as numbers of
        another type. The rows that they read are copied to where they expect them, by the first kernels of a step;
        other arrays stand for these rows then.
        """
        others = [_footprint(call) for call in calls if not isinstance(call, Phase)]
        reads = [read for used in others for read in used.reads]
        arrays = [access.array for call in calls if isinstance(call, Phase) for access in call.reads]
        rows, copies = list(self._row), []
        for k, row in enumerate(self._row):
            own = [*reads, *(address_range(array) for array in arrays if array.dtype != row.dtype)]
            if any(address_range(row).overlaps(read) for read in own) or UNKNOWN in others:
                if str(row.dtype) not in TYPES:
                    raise CaptureError(f"no kernel can copy a step's own data of dtype {row.dtype}")
                rows[k] = cupy.empty(row.shape, row.dtype)
                copies.append(lowering.copy(row, rows[k]))
        return copies, rows

    def _take_all(self, columns: list[Array]) -> None:
        """Copy the rows of all steps to where kernels read them; new buffers need new graphs, which hold addresses."""
        n = columns[0].shape[0]
        if not self._rows or n > self._rows[0].shape[0]:
            self._graphs = {}  # first, so that an interrupt leaves none with the addresses of freed buffers
            self._rows = [cupy.empty((n, *row.shape), row.dtype) for row in self._row]
        for mine, column in zip(self._rows, columns, strict=True):
            mine[:n, ...] = column
        self._first[...] = 0

    def _prepare(self, steps: int, tick: Tick) -> int:
        """Run the program's first step, then each graph that so many steps need and that is new; return their steps."""
        done = 0 if self._ran else 1
        if done:
            self._run_each(1)
            self._ran = True
        left = steps - done
        for n in [STEPS] * (left >= STEPS) + [1] * (left % STEPS > 0):
            if n not in self._graphs:
                graph = self._capture.graph(partial(self._run_each, n))
                self._capture.prove(graph)
                self._graphs[n] = graph
                done += n
        if done:
            tick(done)
        return done

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


def _source(call: Kernel | Call, name: str, rows: list[Array]) -> Source | None:
    """Return the source of a kernel or a product by tiles; None for calls of libraries."""
    if isinstance(call, Kernel):
        return write(call, name, rows)
    return call[0].source(name) if isinstance(call[0], TiledProduct) else None


def _does_nothing(call: Call) -> bool:
    """Return True if the call copies an array without elements."""
    function, args = call
    return function is copy_values and args[0].size == 0


def _footprint(call: Call) -> Footprint:
    found: Footprint = getattr(call[0], "footprint", UNKNOWN)
    return found


def _advance(first: Array, n: int) -> Kernel:
    """Return a kernel that adds n to the index of the first step."""
    here = Access(first, (0,))
    return kernels.alone(Phase((1,), (here,), (here,), (f"{{y0}} = {{x0}} + {n};",)))
