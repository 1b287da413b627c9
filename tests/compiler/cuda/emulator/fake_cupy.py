"""CuPy without a GPU: a module with its interface, which can also raise the errors of a broken installation.

Arrays are in NumPy memory (fake_arrays.py), kernels are compiled by g++ (fake_kernels.py), work waits in the queue of
its stream, and graphs are captured and replayed (fake_gpu.py). fake_cublas.py has a libcublas in C. The namespace is
that of array-api-compat for CuPy.

Tests with it need no GPU, have no marker ``gpu``, and run where there is a GPU too. Ids of tests that run on several
backends call it "emulated cupy".
"""

import ctypes
import importlib
import pkgutil
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import array_api_compat
import fake_cublas
import fake_nccl
import numpy as np
from fake_arrays import MemoryPointer, array_class
from fake_functions import arrays, functions
from fake_gpu import CUDARuntimeError, Gpu, Graph, MemoryPool, Work
from fake_kernels import CompileException, raw_module
from fake_memory import MemoryFaultError, OutOfMemoryError

import anynet.compiler

__all__ = [
    "CUDARuntimeError",
    "DynamicLibNotFoundError",
    "Fake",
    "MemoryFaultError",
    "OutOfMemoryError",
    "put_in_place",
]

COMPAT = [f"array_api_compat.cupy{end}" for end in ("", "._aliases", "._info", "._typing", ".fft", ".linalg")]
PACKAGE = Path(anynet.compiler.__file__).parent / "cuda"
OURS = ["anynet.compiler.cuda", *(f"anynet.compiler.cuda.{found.name}" for found in pkgutil.iter_modules([PACKAGE]))]
OURS += ["anynet.backends.cupy_refusals", "anynet.backends.cupy", "anynet.mpi.nccl_sums"]
"""Modules of anynet that import CuPy, directly or not."""


class DynamicLibNotFoundError(RuntimeError):
    """Error of cuda.pathfinder; anynet knows it by its name."""


class Fake:
    """A machine with ``count`` GPUs, which share memory and streams.

    status: CUDA's error code if counting the GPUs fails.
    driver, runtime: CUDA versions of the driver and of CuPy, in CUDA's form, 12090 for 12.9; driver 0 is no driver.
    trouble: error that the first multiplication raises.
    limit: bytes of memory; None is no limit.

    gpu: the emulated GPU. cupy, cupyx: the modules. cublas: libcublas. xp: the namespace, after ``put_in_place``.
    compilations: what NVRTC would have compiled so far.
    contexts: numbers of the GPUs on which there is a CUDA context, which takes memory.
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
        self._here, self.count, self.trouble = threading.local(), count, trouble
        self.contexts: set[int] = set()
        self.gpu = Gpu(self._multiply, limit)
        self.compilations = self.gpu.compilations
        self.Device = device_class(self)
        self.Array = array_class(self.gpu, self.Device)
        self.modules: dict[str, ModuleType] = {}
        self._cuda(status, driver, runtime)
        self.cupy = self._module("cupy", **arrays(self), RawModule=raw_module(self), cuda=self.modules["cupy.cuda"])
        self.cupy.__spec__, self.cupy.__version__ = ModuleSpec("cupy", None), "14.2.0"
        for name in ("linalg", "fft"):
            setattr(self.cupy, name, self._module(f"cupy.{name}", **functions(self, getattr(np, name))))
        self.cupyx = self._module("cupyx", empty_pinned=lambda *args: self.gpu.pin(np.zeros(*args)))
        self.cublas = fake_cublas.Library(self.gpu)
        self._module("cuda.pathfinder", load_nvidia_dynamic_lib=self._find_library)
        self.xp: Any = None

    @property
    def current(self) -> int:
        """Number of the current device of this thread."""
        return getattr(self._here, "device", 0)

    @current.setter
    def current(self, device: int) -> None:
        self._here.device = device

    def _module(self, name: str, **things: Any) -> ModuleType:
        module = self.modules[name] = ModuleType(name)
        vars(module).update(things)
        return module

    def _multiply(self) -> None:
        self.log.append("multiply")
        if self.trouble is not None:
            raise self.trouble

    def _find_library(self, libname: str) -> SimpleNamespace:
        if self.cublas.missing:
            raise DynamicLibNotFoundError(f'Failure finding "lib{libname}.so.12"')
        return SimpleNamespace(abs_path=fake_cublas.PATH)

    def _cuda(self, status: int | None, driver: int, runtime: int) -> None:
        gpu = self.gpu

        def count_devices() -> int:
            if status is not None:
                raise CUDARuntimeError(status)
            return self.count

        def copy(dst: int, src: int, size: int, kind: int, stream: int) -> None:
            blocks = (gpu.memory.block(dst, size), gpu.memory.block(src, size))
            gpu.stream(stream).push(Work("memcpy", lambda: ctypes.memmove(dst, src, size), blocks))

        def fill(ptr: int, value: int, size: int, stream: int) -> None:
            work = Work("memset", lambda: ctypes.memset(ptr, value, size), (gpu.memory.block(ptr, size),))
            gpu.stream(stream).push(work)

        parts = {
            "runtime": self._module(
                "cupy.cuda.runtime",
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=count_devices,
                getDevice=lambda: self.current,
                getDeviceProperties=lambda device: {
                    "name": f"GPU of number {device}".encode(),
                    "totalGlobalMem": 10 if gpu.memory.limit is None else gpu.memory.limit,
                },
                driverGetVersion=lambda: driver,
                runtimeGetVersion=lambda: runtime,
                deviceSynchronize=gpu.finish,
                memcpyAsync=copy,
                memsetAsync=fill,
                memcpyDeviceToDevice=3,
                is_hip=False,
            ),
            "device": self._module("cupy.cuda.device", Device=self.Device),
            "memory": self._module("cupy.cuda.memory", OutOfMemoryError=OutOfMemoryError, MemoryPointer=MemoryPointer),
            "stream": self._module("cupy.cuda.stream", Stream=gpu.Stream, Event=gpu.Event),
            "compiler": self._module("cupy.cuda.compiler", CompileException=CompileException),
            "nccl": self._module("cupy.cuda.nccl", **fake_nccl.functions(self)),
        }
        gpu.Stream.null = gpu.null
        self._module(
            "cupy.cuda",
            **parts,
            Device=self.Device,
            Event=gpu.Event,
            Graph=Graph,
            MemoryPointer=MemoryPointer,
            MemoryPool=MemoryPool,
            Stream=gpu.Stream,
            using_allocator=gpu.using_allocator,
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

        __hash__ = None

        def __repr__(self):
            return f"<CUDA Device {self.id}>"

        def __enter__(self):
            self._before.append(fake.current)
            fake.contexts.add(self.id)
            fake.current = self.id
            return self

        def __exit__(self, *error):
            fake.current = self._before.pop()
            fake.contexts.add(fake.current)

        def use(self):
            assert 0 <= self.id < fake.count
            fake.contexts.add(self.id)
            fake.current = self.id
            fake.log.append(f"use {self.id}")

        def synchronize(self):
            fake.gpu.finish()

        @property
        def pci_bus_id(self):
            return f"0000:{self.id:02X}:00.0"

        @property
        def mem_info(self):
            fake.contexts.add(self.id)
            limit = fake.gpu.memory.limit
            return (3 + self.id, 10) if limit is None else (limit - fake.gpu.memory.used, limit)

        compute_capability = "90"

    return Device


def put_in_place(monkeypatch: Any, **machine: Any) -> Fake:
    """Replace CuPy by a fake, and import anynet's modules that use it anew, until monkeypatch undoes it.

    machine: arguments of ``Fake``.
    """
    fake = Fake(**machine)
    for name, module in fake.modules.items():
        module.__spec__ = ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(array_api_compat, "cupy", None, raising=False)
    for name in (
        "anynet.compiler.cuda",
        "anynet.backends.cupy_refusals",
        "anynet.backends.cupy",
        "anynet.mpi.nccl_sums",
    ):
        package, _, last = name.rpartition(".")
        monkeypatch.setattr(importlib.import_module(package), last, None, raising=False)
        delattr(sys.modules[package], last)
    for name in COMPAT + OURS:
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    fake.xp = importlib.import_module("array_api_compat.cupy")
    for name in OURS:
        importlib.import_module(name)
    sys.modules["anynet.compiler.cuda.cublas"].CDLL = fake.cublas.open
    return fake
