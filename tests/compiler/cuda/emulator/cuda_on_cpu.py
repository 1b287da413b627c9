"""Compile CUDA C with g++ and run it on NumPy arrays; the threads of a block are fibers with barriers and shuffles.

It shows what a kernel computes, whether all threads reach each barrier and, by running threads in other orders, whether
a barrier is missing. It does not show how fast a kernel is, or what NVRTC says of the source (see nvrtc_here.py).
"""

import atexit
import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

ORDERS = ("ascending", "descending", "random")

order = ORDERS[0]
"""Order of blocks, and of the threads of a block between barriers. Tests change it by monkeypatch."""

kept: Path | None = None
"""Folder that keeps compiled objects for later runs; if None, they last as long as the process. Set by conftest.py."""

HERE = Path(__file__).parent
BOUNDS = r"(?:__launch_bounds__\((\d+)[^)]*\)\s*)?"
KERNEL = re.compile(rf"__global__\s+{BOUNDS}void\s+{BOUNDS}(\w+)\s*\(")
DTYPES = {"f4": "float32", "f8": "float64", "i4": "int32", "i8": "int64", "u4": "uint32", "u8": "uint64"} | {
    "i1": "int8", "i2": "int16", "u1": "uint8", "u2": "uint16", "b1": "bool"
}  # fmt: skip
THREADS, GRID = (1024, (1024, 1024, 64)), (2**31 - 1, 65535, 65535)
"""The most threads in a block and along its axes, and the most blocks along the axes of a grid."""
FLAGS = ("-Og", "-std=c++20", "-shared", "-fPIC", "-fno-builtin", "-fno-strict-aliasing", "-w", f"-I{HERE}")
DAYS = 30
"""Objects that were not used for as long are removed."""

_lock = threading.Lock()
_numbers = count()  # of files being written, one each


class CompileError(Exception):
    """g++ rejects the source."""


class LaunchError(Exception):
    """CUDA would reject the launch, or threads wait at different barriers."""


@cache
def temporary_folder() -> Path:
    made = TemporaryDirectory(prefix="cuda-on-cpu-")
    atexit.register(made.cleanup)
    return Path(made.name)


@cache
def remove_old(folder: Path) -> None:
    """Remove objects that were not used for long. Other processes may do the same at this moment."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - DAYS * 24 * 3600:
                path.unlink()


def compiler() -> str:
    found = shutil.which(os.environ.get("CXX", "g++"))
    if sys.platform != "linux":
        pytest.skip("shared memory is imitated by a section of an ELF object, which needs Linux")
    if found is None:
        pytest.skip("no C++ compiler: g++, or the one that $CXX names")
    return found


@cache
def version(compiler: str) -> str:
    return subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout


def build(code: str, *flags: str) -> Path:
    """Return the shared object made of C++ code; the same code is compiled once, also by other processes and runs."""
    chosen, folder = compiler(), kept or temporary_folder()
    remove_old(folder)
    parts = (version(chosen), *FLAGS[:-1], *flags, (HERE / "cuda_on_cpu.h").read_text(), code)
    path = folder / f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:40]}.so"
    with suppress(FileNotFoundError):
        os.utime(path)
        return path
    partial = path.with_suffix(f".{os.getpid()}-{next(_numbers)}")
    call = [chosen, *FLAGS, *flags, "-x", "c++", "-", "-o", str(partial)]
    done = subprocess.run(call, input=code, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(done.stderr)
    partial.replace(path)
    return path


@cache
def runtime() -> ctypes.CDLL:
    path = build((HERE / "cuda_on_cpu.cpp").read_text(), "-O2", "-U_FORTIFY_SOURCE")
    library = ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    library.cuda_on_cpu_launch.restype = ctypes.c_char_p
    return library


class Kernel:
    """A ``__global__`` function. limit: the most threads in a block, from its launch bounds."""

    def __init__(self, library: ctypes.CDLL, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self._library = library
        self._run = getattr(library, f"{name}__run")
        kinds, sizes = (getattr(library, f"{name}__{what}") for what in ("kinds", "sizes"))
        kinds.restype = sizes.restype = ctypes.c_char_p
        self.parameters = [kind + size for kind, size in zip(kinds().decode(), sizes().decode(), strict=True)]

    def pack(self, args: Sequence[Any]) -> list[bytes]:
        """Return the bytes of the arguments: arrays as addresses, NumPy numbers, and Python numbers as 8 bytes.

        Raises TypeError if an argument has another type than the parameter: CUDA would read other bytes.
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
        """Run the kernel now."""
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
    """Return the kernels of a source by name. options: those of NVRTC; ``-DN=3`` alone has an effect here."""
    with _lock:  # or two threads would have two of them
        runtime()
    kernels = {name: int(one or other or THREADS[0]) for one, other, name in KERNEL.findall(code)}
    ends = [f"CUDA_ON_CPU_KERNEL({name})" for name in kernels]
    defines = [f"#define {option[2:].replace('=', ' ', 1)}" for option in options if option.startswith("-D")]
    start = ['#include "cuda_on_cpu.h"', *defines, "#line 1"]
    source = "\n".join([*start, code, *ends, "CUDA_ON_CPU_MODULE\n"])
    library = ctypes.CDLL(str(build(source, "-nostdlib")))  # quicker to link; this process has the C library
    return {name: Kernel(library, name, limit) for name, limit in kernels.items()}


class RawModule:
    """``cupy.RawModule`` for NumPy arrays; its kernels run when they are launched."""

    def __init__(self, code: str, *, options: tuple[str, ...] = ()) -> None:
        self.code, self.options = code, options

    def get_function(self, name: str) -> Kernel:
        return compile_kernels(self.code, self.options)[name]
