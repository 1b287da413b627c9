"""A module that answers as CuPy would, on machines without a GPU: well, or in the trouble asked for."""

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import array_api_compat
import numpy as np

import anynet.backends


class CUDARuntimeError(RuntimeError):
    def __init__(self, status):
        super().__init__(f"cudaError{status}: as CUDA puts it")
        self.status = status


class DynamicLibNotFoundError(RuntimeError):
    """What cuda.pathfinder raises; known to anynet by its name only."""


class Fake:
    """A machine with ``count`` GPUs.

    status: what counting them fails with, as CUDA numbers its errors.
    driver, runtime: the CUDA versions of the driver and of CuPy's runtime, as CUDA numbers them; driver 0 is none.
    trouble: what the first multiplication raises.
    """

    def __init__(self, count=1, status=None, driver=12090, runtime=12090, trouble=None):
        self.log = []
        self.line = []  # what the GPU is still to do
        self.current = 0
        self.cupy, self.cupyx, self.xp = ModuleType("cupy"), ModuleType("cupyx"), ModuleType("array_api_compat.cupy")
        self.cupy.__spec__ = ModuleSpec("cupy", None)
        fake = self

        def count_devices():
            if status is not None:
                raise CUDARuntimeError(status)
            return count

        class Device:
            def __init__(self, number):
                self.id = number

            def __enter__(self):
                self.before, fake.current = fake.current, self.id

            def __exit__(self, *error):
                fake.current = self.before

            def use(self):
                assert 0 <= self.id < count
                fake.current = self.id
                fake.log.append(f"use {self.id}")

            def synchronize(self):
                """All that is in line."""
                for i, work in enumerate(fake.line):
                    work()
                    fake.line[i] = lambda: None

            @property
            def mem_info(self):
                return 3 + self.id, 10

        class Square:
            def __matmul__(self, other):
                fake.log.append("multiply")
                if trouble is not None:
                    raise trouble
                return self

            def __add__(self, other):
                return self

            def sum(self):
                return self

        class Array:
            def __init__(self, shape, dtype):
                self.values = np.zeros(shape, dtype)

            def set(self, host, stream):
                assert stream == "the current stream"
                fake.line.append(lambda: np.copyto(self.values, host))

        class Event:
            def record(self):
                self.behind = len(fake.line)

            def synchronize(self):
                """Only as much as was in line when the event was recorded."""
                for i in range(self.behind):
                    fake.line[i]()
                    fake.line[i] = lambda: None

        def to_device(host):
            array = Array(host.shape, host.dtype)
            array.values[...] = host
            return array

        self.Array = Array
        self.cupy.cuda = SimpleNamespace(
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=count_devices,
                getDevice=lambda: fake.current,
                getDeviceProperties=lambda number: {"name": f"GPU of number {number}".encode()},
                driverGetVersion=lambda: driver,
                runtimeGetVersion=lambda: runtime,
            ),
            Device=Device,
            Event=Event,
            get_current_stream=lambda: "the current stream",
        )
        self.cupy.ones = lambda shape: Square()
        self.cupy.empty = Array
        self.cupy.array = to_device
        self.cupy.asnumpy = lambda array: array.values.copy()
        self.cupyx.empty_pinned = np.zeros


def put_in_place(monkeypatch, **machine):
    """A fake CuPy where the real one would be, and anynet's module for it imported afresh, until all is undone."""
    fake = Fake(**machine)
    for module in (fake.cupy, fake.cupyx, fake.xp):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(array_api_compat, "cupy", fake.xp, raising=False)
    monkeypatch.setattr(anynet.backends, "cupy", None, raising=False)
    monkeypatch.setitem(sys.modules, "anynet.backends.cupy", None)
    del sys.modules["anynet.backends.cupy"]
    importlib.import_module("anynet.backends.cupy")
    return fake
