"""Streams, events and graphs of a GPU, emulated on the host.

Work stays in the queue of its stream until something waits for it, and streams are independent: code that forgets to
wait sees old values. Calls that CUDA rejects during a capture are rejected, with CUDA's error codes.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fake_compilations import Compilations
from fake_memory import Block, Memory, MemoryFaultError

ALLOCATION, UNSUPPORTED, INVALIDATED, ISOLATION = 2, 900, 901, 905
MESSAGES = {
    ALLOCATION: "cudaErrorMemoryAllocation: out of memory",
    UNSUPPORTED: "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing",
    INVALIDATED: "cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during capture",
    ISOLATION: "cudaErrorStreamCaptureIsolation: dependency created on uncaptured work in another stream",
}


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__(MESSAGES.get(status, f"cudaError{status}: as CUDA puts it"))
        self.status = status


@dataclass
class Work:
    """Work for the GPU. blocks: memory that it uses. keep: objects that must live until it has run."""

    name: str
    do: Callable[[], None]
    blocks: tuple[Block, ...] = ()
    keep: Any = None


@dataclass(eq=False)
class Graph:
    """Work captured from a stream."""

    gpu: "Gpu"
    works: list[Work] = field(default_factory=list)

    def launch(self, stream: Any = None) -> None:
        self._check()
        (stream or self.gpu.current).push(Work("graph", self._run))

    def upload(self, stream: Any = None) -> None:
        self._check()

    def _check(self) -> None:
        for work in self.works:
            try:
                self.gpu.memory.check(work.blocks)
            except MemoryFaultError as error:
                raise MemoryFaultError(f"a graph's {work.name}: {error}") from None

    def _run(self) -> None:
        for work in self.works:
            self.gpu.run(work)


class Gpu:
    """A GPU with its memory and streams.

    pinned_bytes: sizes of the page-locked memory that CuPy has allocated, and keeps: powers of two.
    """

    def __init__(self, multiply: Callable[[], None], limit: int | None = None) -> None:
        self.memory = Memory(limit)
        self.multiply = multiply  # called before each matrix product
        self.streams: list[Any] = []
        self.pinned: list[np.ndarray] = []
        self.pinned_bytes: list[int] = []
        self.compilations = Compilations()
        self.Stream, self.Event = stream_classes(self)
        self.null = self.Stream(null=True)
        self._here, self.lock, self._running = threading.local(), threading.RLock(), False

    @property
    def current(self) -> Any:
        """The current stream of this thread."""
        return getattr(self._here, "stream", self.null)

    @current.setter
    def current(self, stream: Any) -> None:
        self._here.stream = stream

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return new memory, which the memory pool of this thread's allocator keeps, if one is chosen."""
        made = self.memory.allocate(shape, dtype)
        if (pool := getattr(self._here, "pool", None)) is not None:
            pool.kept.append(made)
        return made

    @contextmanager
    def using_allocator(self, allocator: Callable[[int], Any]) -> Iterator[None]:
        """``cupy.cuda.using_allocator`` for the method ``malloc`` of a `MemoryPool`."""
        before = getattr(self._here, "pool", None)
        self._here.pool = allocator.__self__
        try:
            yield
        finally:
            self._here.pool = before

    def run(self, work: Work) -> None:
        before, self._running = self._running, True
        try:
            self.memory.check(work.blocks)
            work.do()
            self.memory.check(work.blocks)
        except MemoryFaultError as error:
            raise MemoryFaultError(f"{work.name}: {error}") from None
        finally:
            self._running = before

    def finish(self) -> None:
        """Run the work of all streams."""
        for stream in self.streams:
            stream.refuse_capture()
        for stream in self.streams:
            stream.run()

    def finish_unless_running(self) -> None:
        """Run the work of all streams, unless garbage collection calls this in the middle of a work."""
        with self.lock:
            if not self._running:
                self.finish()

    def stream(self, ptr: int) -> Any:
        return next(stream for stream in self.streams if stream.ptr == ptr)

    def pin(self, host: np.ndarray) -> np.ndarray:
        """Declare an array's memory page-locked, and return it."""
        self.pinned.append(host)
        self.take_pinned(host.nbytes)
        return host

    def take_pinned(self, size: int) -> None:
        """Note that CuPy allocates page-locked memory of this size."""
        if size:
            self.pinned_bytes.append(max(512, 1 << (size - 1).bit_length()))

    def is_pinned(self, host: np.ndarray) -> bool:
        return any(np.may_share_memory(host, pinned) for pinned in self.pinned)

    def blocks(self, arrays: Iterable[np.ndarray]) -> tuple[Block, ...]:
        return tuple(self.memory.block(array.ctypes.data) for array in arrays if array.size)


class MemoryPool:
    """A pool that gives memory to no other array as long as it exists. CuPy's gives freed memory to its next arrays."""

    def __init__(self, allocator: Any = None) -> None:
        self.kept: list[np.ndarray] = []

    def malloc(self, size: int) -> Any:
        raise NotImplementedError("arrays are allocated by Gpu.allocate")


def stream_classes(gpu: Gpu) -> tuple[type, type]:
    """Return ``cupy.cuda.Stream`` and ``cupy.cuda.Event`` for this GPU."""

    class Stream:
        def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
            self.ptr = 0 if null else 4096 + 16 * len(gpu.streams)
            self.device_id = -1 if null else 0
            self.is_non_blocking = non_blocking
            self._line, self._done, self._stack = [], 0, []
            self._graph, self._valid = None, True
            gpu.streams.append(self)

        def __enter__(self):
            self._stack.append(gpu.current)
            return self.use()

        def __exit__(self, *error):
            gpu.current = self._stack.pop()

        def use(self):
            gpu.current = self
            return self

        def push(self, work):
            """Queue work, or capture it. Not in CuPy."""
            if self._graph is None:
                self._line.append(work)
            else:
                work.keep = None  # a graph holds addresses, not memory
                self._graph.works.append(work)

        def run(self, until=None):
            """Run all queued work, or that before a position in the queue. Not in CuPy."""
            with gpu.lock:  # one thread at a time
                while self._line and (until is None or self._done < until):
                    self._done += 1
                    gpu.run(self._line.pop(0))

        def refuse_capture(self):
            """Fail as CUDA does, if the stream captures. Not in CuPy."""
            if self._graph is not None:
                self._valid = False
                raise CUDARuntimeError(UNSUPPORTED)

        @property
        def done(self):
            self.refuse_capture()
            return not self._line

        def synchronize(self):
            self.refuse_capture()
            self.run()

        def record(self, event=None):
            event = event or Event()
            event.record(self)
            return event

        def wait_event(self, event):
            if event.graph not in (None, self._graph):
                raise NotImplementedError("a capture that another stream joins is not imitated")
            if self._graph is None:
                self._line.append(Work("wait_event", event.wait()))
            elif event.place is not None and event.graph is None:
                self._valid = False
                raise CUDARuntimeError(ISOLATION)

        def begin_capture(self, mode=None):
            if self.ptr == 0:
                raise RuntimeError("cannot capture on the default (legacy) stream")
            self.refuse_capture()
            self._graph, self._valid = Graph(gpu), True

        def end_capture(self):
            graph, self._graph = self._graph, None
            if graph is None or not self._valid:
                raise CUDARuntimeError(INVALIDATED)
            return graph

        def is_capturing(self):
            return self._graph is not None

        @property
        def graph(self):
            """The graph that is being captured, or None. Not in CuPy."""
            return self._graph

        @property
        def place(self):
            """Number of works queued so far. Not in CuPy."""
            return self._done + len(self._line)

    class Event:
        def __init__(self, block=False, disable_timing=False, interprocess=False):
            self.place = self.stream = self.graph = None

        def record(self, stream=None):
            self.stream = stream or gpu.current
            self.place, self.graph = self.stream.place, self.stream.graph

        def wait(self):
            """Return a function that waits for the event as it is recorded now. Not in CuPy."""
            stream, place = self.stream, self.place
            return (lambda: None) if stream is None else (lambda: stream.run(place))

        @property
        def done(self):
            return self.stream is None or self.stream._done >= self.place

        def synchronize(self):
            if self.graph is not None:
                raise CUDARuntimeError(UNSUPPORTED)
            self.wait()()

    return Stream, Event
