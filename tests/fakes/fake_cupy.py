"""A module that answers as CuPy would, on machines without a GPU: well, or in the trouble asked for.

Arrays lie in NumPy's memory (fake_arrays.py), kernels are compiled by g++ (cuda_on_cpu.py), work waits in its stream,
and graphs are captured and replayed (fake_gpu.py); nvmath's products are fake_cublas.py's. The namespace is the one
that array-api-compat has for CuPy.
"""

import importlib
import pkgutil
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import array_api_compat
import cuda_on_cpu
import fake_cublas
import numpy as np
from fake_arrays import LACKING, MemoryPointer, array_class, function
from fake_gpu import CUDARuntimeError, Gpu, Graph, MemoryFaultError, OutOfMemoryError, Work

import anynet.backends.cuda

__all__ = [
    "CUDARuntimeError",
    "DynamicLibNotFoundError",
    "Fake",
    "MemoryFaultError",
    "OutOfMemoryError",
    "put_in_place",
]

COMPAT = [f"array_api_compat.cupy{end}" for end in ("", "._aliases", "._info", "._typing", ".fft", ".linalg")]
OURS = [
    "anynet.backends.cupy",
    "anynet.backends.cupy_library",
    *(f"anynet.backends.cuda.{found.name}" for found in pkgutil.iter_modules(anynet.backends.cuda.__path__)),
]
"""anynet's modules that import CuPy, or others of these."""


class DynamicLibNotFoundError(RuntimeError):
    """What cuda.pathfinder raises; known to anynet by its name only."""


class CompileException(Exception):  # noqa: N818
    def __init__(self, msg: str, source: str, name: str, options: tuple[str, ...], backend: str = "nvrtc") -> None:
        super().__init__(msg)


class Fake:
    """A machine with ``count`` GPUs, whose memory and streams are one's.

    status: what counting them fails with, as CUDA numbers its errors.
    driver, runtime: the CUDA versions of the driver and of CuPy's runtime, as CUDA numbers them; driver 0 is none.
    trouble: what the first multiplication raises.
    limit: the GPU's bytes; None is no limit.

    gpu: what there is of it. cupy, cupyx, nvmath: the modules. xp: the namespace, once they are in place.
    """

    def __init__(
        self,
        count: int = 1,
        status: int | None = None,
        driver: int = 12090,
        runtime: int = 12090,
        trouble: Exception | None = None,
        limit: int | None = None,
    ) -> None:
        self.log: list[str] = []
        self.current, self.count, self.trouble = 0, count, trouble
        self.gpu = Gpu(self._multiply, limit)
        self.Device = device_class(self)
        self.Array = array_class(self.gpu, self.Device)
        self.modules: dict[str, ModuleType] = {}
        self._cuda(status, driver, runtime)
        self.cupy = self._module("cupy", **arrays(self), RawModule=raw_module(self), cuda=self.modules["cupy.cuda"])
        self.cupy.__spec__ = ModuleSpec("cupy", None)
        for name in ("linalg", "fft"):
            setattr(self.cupy, name, self._module(f"cupy.{name}", **functions(self, getattr(np, name))))
        self.cupyx = self._module("cupyx", empty_pinned=lambda *args: self.gpu.pin(np.zeros(*args)))
        self.cublas = fake_cublas.module(self.gpu)
        self.modules[self.cublas.__name__] = self.cublas
        bindings = self._module("nvmath.bindings", cublas=self.cublas)
        self.nvmath = self._module("nvmath", bindings=bindings, CudaDataType=fake_cublas.CudaDataType)
        self.xp: Any = None

    def _module(self, name: str, **things: Any) -> ModuleType:
        module = self.modules[name] = ModuleType(name)
        vars(module).update(things)
        return module

    def _multiply(self) -> None:
        self.log.append("multiply")
        if self.trouble is not None:
            raise self.trouble

    def _cuda(self, status: int | None, driver: int, runtime: int) -> None:
        gpu = self.gpu

        def count_devices() -> int:
            if status is not None:
                raise CUDARuntimeError(status)
            return self.count

        def copy(dst: int, src: int, size: int, kind: int, stream: int) -> None:
            blocks = (gpu.memory.block(dst, size), gpu.memory.block(src, size))
            gpu.stream(stream).push(Work("memcpy", lambda: cuda_on_cpu.ctypes.memmove(dst, src, size), blocks))

        def fill(ptr: int, value: int, size: int, stream: int) -> None:
            work = Work("memset", lambda: cuda_on_cpu.ctypes.memset(ptr, value, size), (gpu.memory.block(ptr, size),))
            gpu.stream(stream).push(work)

        parts = {
            "runtime": self._module(
                "cupy.cuda.runtime",
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=count_devices,
                getDevice=lambda: self.current,
                getDeviceProperties=lambda device: {"name": f"GPU of number {device}".encode()},
                driverGetVersion=lambda: driver,
                runtimeGetVersion=lambda: runtime,
                deviceSynchronize=gpu.finish,
                memcpyAsync=copy,
                memsetAsync=fill,
                memcpyDeviceToDevice=3,
            ),
            "device": self._module("cupy.cuda.device", Device=self.Device),
            "memory": self._module("cupy.cuda.memory", OutOfMemoryError=OutOfMemoryError, MemoryPointer=MemoryPointer),
            "stream": self._module("cupy.cuda.stream", Stream=gpu.Stream, Event=gpu.Event),
            "compiler": self._module("cupy.cuda.compiler", CompileException=CompileException),
        }
        gpu.Stream.null = gpu.null
        self._module(
            "cupy.cuda",
            **parts,
            Device=self.Device,
            Event=gpu.Event,
            Graph=Graph,
            MemoryPointer=MemoryPointer,
            Stream=gpu.Stream,
            get_current_stream=lambda device_id=-1: gpu.current,
        )


def device_class(fake: Fake) -> type:
    class Device:
        compute_capability = "80"
        attributes = {"MultiProcessorCount": 108, "MaxThreadsPerBlock": 1024}  # noqa: RUF012

        def __init__(self, device=None):
            self.id = fake.current if device is None else getattr(device, "id", device)
            self._before = []

        def __eq__(self, other):
            return type(other) is type(self) and other.id == self.id

        def __hash__(self):
            return self.id

        def __repr__(self):
            return f"<CUDA Device {self.id}>"

        def __enter__(self):
            self._before.append(fake.current)
            fake.current = self.id
            return self

        def __exit__(self, *error):
            fake.current = self._before.pop()

        def use(self):
            assert 0 <= self.id < fake.count
            fake.current = self.id
            fake.log.append(f"use {self.id}")

        def synchronize(self):
            fake.gpu.finish()

        @property
        def mem_info(self):
            limit = fake.gpu.memory.limit
            return (3 + self.id, 10) if limit is None else (limit - fake.gpu.memory.used, limit)

        compute_capability = "90"

    return Device


def functions(fake: Fake, namespace: ModuleType) -> dict[str, Any]:
    """Functions of NumPy's for the fake's arrays, and its types and numbers as they are."""
    made = {}
    for name in set(namespace.__all__) - set(LACKING[namespace.__name__].split()):
        thing = getattr(namespace, name)
        if isinstance(thing, type | float | None):
            made[name] = thing
        elif callable(thing):
            made[name] = function(fake.gpu, fake.Array, thing)
    return made


def arrays(fake: Fake) -> dict[str, Any]:
    """What ``cupy`` has for making arrays, and all that NumPy has too."""
    Array, gpu = fake.Array, fake.gpu

    def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
        if isinstance(obj, Array):
            return obj.astype(obj.dtype if dtype is None else dtype, copy=bool(copy))
        gpu.current.synchronize()
        host = np.array(obj.get() if hasattr(obj, "get") else obj, dtype, ndmin=ndmin)
        return Array.of(host)

    def asarray(a, dtype=None, order=None, *, blocking=False):
        same = isinstance(a, Array) and (dtype is None or a.dtype == dtype)
        return a if same else array(a, dtype, copy=False)

    def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
        return a.get(stream, order, out, blocking) if isinstance(a, Array) else np.asarray(a)

    def copyto(dst, src, casting="same_kind", where=None):
        things["add"](src, 0, out=dst, casting=casting) if where is None else things["putmask"](dst, where, src)

    class Pool:
        def free_all_blocks(self, stream=None):
            """What no array uses is free here as it is."""

        def used_bytes(self):
            return gpu.memory.used

    things = functions(fake, np)
    things |= {"array": array, "asarray": asarray, "asnumpy": asnumpy, "copyto": copyto, "ndarray": Array}
    things["empty"] = lambda shape, dtype=float, order="C": Array(shape, dtype, order=order)
    things["empty_like"] = lambda prototype, dtype=None: Array(
        prototype.shape, prototype.dtype if dtype is None else dtype
    )
    things["get_default_memory_pool"] = Pool
    return things


def raw_module(fake: Fake) -> type:
    """``cupy.RawModule``: kernels that go in line on the current stream."""

    class RawModule:
        def __init__(self, code=None, *, options=(), backend="nvrtc"):
            self.code, self.options = code, tuple(options)

        def compile(self, log_stream=None):
            try:
                return cuda_on_cpu.compile_kernels(self.code, self.options)
            except cuda_on_cpu.CompileError as error:
                raise CompileException(str(error), self.code, "", self.options) from None

        def get_function(self, name):
            kernel = self.compile()[name]

            def launch(grid: tuple, block: tuple, args: tuple, *, shared_mem: int = 0) -> None:
                assert isinstance(grid, tuple)
                assert isinstance(block, tuple)
                assert shared_mem == 0
                refused = [type(arg) for arg in args if isinstance(arg, np.ndarray)]
                if refused:
                    raise TypeError(f"Unsupported type {refused[0]}")
                values = [arg.values if isinstance(arg, fake.Array) else arg for arg in args]
                packed, blocks = kernel.pack(values), fake.gpu.blocks(v for v in values if isinstance(v, np.ndarray))
                fake.gpu.current.push(Work(name, lambda: kernel.launch(grid, block, packed), blocks, args))

            return launch

    return RawModule


def put_in_place(monkeypatch: Any, nvmath: bool = True, **machine: Any) -> Fake:
    """A fake CuPy where the real one would be, and anynet's modules for it imported afresh, until all is undone.

    nvmath: whether that is installed. machine: as for ``Fake``.
    """
    fake = Fake(**machine)
    for name, module in fake.modules.items():
        module.__spec__ = ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module if nvmath or not name.startswith("nvmath") else None)
    monkeypatch.setattr(array_api_compat, "cupy", None, raising=False)
    for name in OURS:
        package, _, last = name.rpartition(".")
        monkeypatch.setattr(sys.modules[package], last, None, raising=False)
        delattr(sys.modules[package], last)
    for name in COMPAT + OURS:
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    fake.xp = importlib.import_module("array_api_compat.cupy")
    for name in OURS:
        package, _, last = name.rpartition(".")
        if nvmath or last != "products":
            importlib.import_module(name)
        else:
            setattr(sys.modules[package], last, None)  # which undoing asks for
    return fake
