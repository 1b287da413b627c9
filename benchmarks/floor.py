"""The least time that a step can take on this machine: its products, and its bytes."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import PIXELS, Workload

SIDE = 2048
"""Of the square matrices whose product is the peak."""

COPIED = 2**27
"""Bytes copied to find the bandwidth: more than caches hold."""


class Product(NamedTuple):
    """``A @ B`` with A of shape (m, k) and B of shape (k, n), either given as the transpose of what lies in memory."""

    m: int
    k: int
    n: int
    a_transposed: bool = False
    b_transposed: bool = False

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.m * self.k * self.n


class Machine(NamedTuple):
    """Float32 operations and bytes in a second, at best."""

    peak: float
    bandwidth: float


@dataclass(frozen=True)
class Floor:
    """Seconds that a step needs at least.

    peak: all its products at the machine's peak. shapes: the same, as fast as products of their shapes go here.
    memory: reading uint8 images, reading and writing parameters and the optimizer's moments, from and to memory.
    """

    peak: float
    shapes: float
    memory: float


def measure_machine(threads: int) -> Machine:
    """Peak and bandwidth, in a process whose libraries have so many threads."""
    square = Product(SIDE, SIDE, SIDE)
    return Machine(square.flops / _seconds(square, at_least=0.5), _bandwidth(threads))


def measure(workload: Workload, machine: Machine) -> Floor:
    """How long a step's products take here, next to what arithmetic and memory allow."""
    every = products(workload)
    shapes = sum(map(_seconds, every))
    peak = sum(product.flops for product in every) / machine.peak
    return Floor(min(peak, shapes), shapes, bytes_moved(workload) / machine.bandwidth)


def products(workload: Workload) -> list[Product]:
    """Of each layer: forward, gradient by the weights and, but for the first, by the input."""
    found, N = [], workload.batch_size
    for i, n_in in enumerate(workload.widths[:-1]):
        n_out = workload.widths[i + 1]
        found += [Product(N, n_in, n_out), Product(n_in, N, n_out, a_transposed=True)]
        if i > 0:
            found.append(Product(N, n_out, n_in, b_transposed=True))
    return found


def bytes_moved(workload: Workload) -> int:
    """In a step: pixels once; float32 parameters and the optimizer's moments once each way."""
    moments = 2 if workload.optimizer == "adam" else 1 if workload.momentum else 0
    return workload.batch_size * PIXELS + 2 * 4 * (1 + moments) * workload.parameters


def _seconds(product: Product, at_least: float = 0.2) -> float:
    """The fastest of many, by NumPy and, where it is installed, PyTorch, whose BLAS may be another."""
    rng = np.random.default_rng(0)
    m, k, n, a_transposed, b_transposed = product
    a = rng.random((k, m) if a_transposed else (m, k), np.float32)
    b = rng.random((n, k) if b_transposed else (k, n), np.float32)
    times = []
    for matmul, array in _libraries():
        A, B, out = array(a), array(b), array(np.empty((m, n), np.float32))
        A, B = A.T if a_transposed else A, B.T if b_transposed else B
        times.append(_fastest(lambda: matmul(A, B, out=out), at_least))  # noqa: B023
    return min(times)


def _bandwidth(threads: int) -> float:
    """Bytes in a second, read and written, by a copy that every thread has a part of."""
    source, target = (np.ones(COPIED, np.uint8) for _ in range(2))
    parts = [np.array_split(array, threads) for array in (target, source)]
    with ThreadPoolExecutor(threads) as pool:
        return 2 * COPIED / _fastest(lambda: list(pool.map(np.copyto, *parts)), at_least=0.5)


def _libraries() -> Iterator[tuple[Callable[..., Any], Callable[[NDArray], Any]]]:
    yield np.matmul, np.asarray
    try:
        import torch
    except ModuleNotFoundError:
        return
    yield torch.matmul, torch.from_numpy


def _fastest(function: Callable[[], Any], at_least: float) -> float:
    """Seconds of the fastest call, of as many as fit into so many seconds, three or more."""
    fastest, total, calls = math.inf, 0.0, 0
    while total < at_least or calls < 3:
        began = time.perf_counter()
        function()
        took = time.perf_counter() - began
        fastest, total, calls = min(fastest, took), total + took, calls + 1
    return fastest
