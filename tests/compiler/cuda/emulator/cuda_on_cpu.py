"""CUDA C compiled by g++ and run over NumPy memory, a block's threads as fibers with real barriers and shuffles.

What this can show: what a kernel computes, whether all its threads reach each barrier, and, by running threads in other
orders, whether one is missing. What it cannot: how fast it is, and what NVRTC says of the source (see nvrtc_here.py).
"""

import atexit
import ctypes
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

ORDERS = ("ascending", "descending", "random")

order = ORDERS[0]
"""In which order blocks run, and a block's threads between barriers; for tests to monkeypatch."""

HERE = Path(__file__).parent
BOUNDS = r"(?:__launch_bounds__\((\d+)[^)]*\)\s*)?"
KERNEL = re.compile(rf"__global__\s+{BOUNDS}void\s+{BOUNDS}(\w+)\s*\(")
DTYPES = {"f4": "float32", "f8": "float64", "i4": "int32", "i8": "int64", "u4": "uint32", "u8": "uint64"} | {
    "i1": "int8", "i2": "int16", "u1": "uint8", "u2": "uint16", "b1": "bool"
}  # fmt: skip
THREADS, GRID = (1024, (1024, 1024, 64)), (2**31 - 1, 65535, 65535)
"""The most threads in a block and along its axes, and the most blocks along a grid's."""

_lock = threading.Lock()
_numbers = count()  # of modules, each with its own, whichever thread compiles it


class CompileError(Exception):
    """g++ does not take the source."""


class LaunchError(Exception):
    """CUDA would not start this, or the kernel's threads do not meet."""


@cache
def folder() -> Path:
    """Where this process's objects are, as long as it lives."""
    made = TemporaryDirectory(prefix="cuda-on-cpu-")
    atexit.register(made.cleanup)
    return Path(made.name)


def compiler() -> str:
    found = shutil.which(os.environ.get("CXX", "g++"))
    if sys.platform != "linux":
        pytest.skip("shared memory is imitated by a section as Linux's objects have it")
    if found is None:
        pytest.skip("no C++ compiler: g++, or the one that $CXX names")
    return found


def build(source: Path, *flags: str) -> Path:
    """The shared object made of a C++ file."""
    made = source.with_suffix(".so") if source.is_relative_to(folder()) else folder() / f"{source.stem}.so"
    call = [compiler(), "-O1", "-std=c++20", "-shared", "-fPIC", "-fno-builtin", "-fno-strict-aliasing", "-w"]
    done = subprocess.run([*call, str(source), *flags, "-o", str(made)], capture_output=True, text=True)
    if done.returncode:
        raise CompileError(done.stderr)
    return made


@cache
def runtime() -> ctypes.CDLL:
    path = build(HERE / "cuda_on_cpu.cpp", "-U_FORTIFY_SOURCE")
    library = ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    library.cuda_on_cpu_launch.restype = ctypes.c_char_p
    return library


class Kernel:
    """A ``__global__`` function. limit: the most threads in a block, as its launch bounds say."""

    def __init__(self, library: ctypes.CDLL, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self._library = library
        self._run = getattr(library, f"{name}__run")
        kinds, sizes = (getattr(library, f"{name}__{what}") for what in ("kinds", "sizes"))
        kinds.restype = sizes.restype = ctypes.c_char_p
        self.parameters = [kind + size for kind, size in zip(kinds().decode(), sizes().decode(), strict=True)]

    def pack(self, args: Sequence[Any]) -> list[bytes]:
        """The arguments' bytes: arrays' addresses and NumPy's numbers, or Python's as 8 bytes, as CuPy takes them.

        Raises TypeError where one is not what the kernel's parameter is: CUDA would read other bytes.
        """
        if len(args) != len(self.parameters):
            raise TypeError(f"{self.name}: {len(self.parameters)} arguments expected, {len(args)} given")
        packed = []
        for i, (arg, parameter) in enumerate(zip(args, self.parameters, strict=True)):
            if isinstance(arg, np.ndarray):
                kind, data = "p8", np.uint64(arg.ctypes.data)
            else:
                data = np.asarray(arg)
                kind = f"{data.dtype.kind}{data.dtype.itemsize}"
            if kind != parameter:
                expected = DTYPES.get(parameter, "an array")
                raise TypeError(
                    f"{self.name}: argument {i} is {expected}, and {DTYPES.get(kind, 'an array')} was given"
                )
            packed.append(data.tobytes())
        return packed

    def launch(self, grid: Sequence[int], block: Sequence[int], packed: list[bytes]) -> None:
        """Run it on the memory that is there now."""
        grid, block = (tuple(int(n) for n in sizes) + (1,) * (3 - len(sizes)) for sizes in (grid, block))
        fits = all(1 <= n <= most for n, most in zip(grid + block, GRID + THREADS[1], strict=True))
        if not fits or int(np.prod(block)) > min(self.limit, THREADS[0]):
            raise LaunchError(f"{self.name}: CUDA starts no grid of {grid} blocks of {block} threads")
        buffers = [ctypes.create_string_buffer(data, len(data)) for data in packed]
        addresses = (ctypes.c_void_p * len(buffers))(*map(ctypes.addressof, buffers))
        start, stop = (getattr(self._library, f"cuda_shared_{end}") for end in ("start", "stop"))
        start.restype = stop.restype = ctypes.c_void_p
        shared = start() or 0
        size = ctypes.c_size_t((stop() or 0) - shared)
        three = ctypes.c_uint * 3
        with _lock:
            why = runtime().cuda_on_cpu_launch(
                self._run, addresses, three(*grid), three(*block), ORDERS.index(order), ctypes.c_void_p(shared), size
            )
        if why:
            raise LaunchError(f"{self.name}: {why.decode()}")

    def __call__(self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any]) -> None:
        self.launch(grid, block, self.pack(args))


@cache
def compile_kernels(code: str, options: tuple[str, ...] = ()) -> dict[str, Kernel]:
    """The kernels of a source, by name; g++ is called once for each source.

    options: NVRTC's, of which ``-DN=3`` alone matters here.

    Raises CompileError.
    """
    with _lock:  # or two threads would have two of them
        runtime()
    kernels = {name: int(one or other or THREADS[0]) for one, other, name in KERNEL.findall(code)}
    source = folder() / f"module{next(_numbers)}.cpp"
    ends = [f"CUDA_ON_CPU_KERNEL({name})" for name in kernels]
    defines = [f"#define {option[2:].replace('=', ' ', 1)}" for option in options if option.startswith("-D")]
    start = [f'#include "{HERE / "cuda_on_cpu.h"}"', *defines, "#line 1"]
    source.write_text("\n".join([*start, code, *ends, "CUDA_ON_CPU_MODULE\n"]))
    library = ctypes.CDLL(str(build(source)))
    return {name: Kernel(library, name, limit) for name, limit in kernels.items()}


class RawModule:
    """``cupy.RawModule``, whose kernels run at once and over NumPy's arrays."""

    def __init__(self, code: str, *, options: tuple[str, ...] = ()) -> None:
        self.code, self.options = code, options

    def get_function(self, name: str) -> Kernel:
        return compile_kernels(self.code, self.options)[name]
