"""Measure matrix products and memory copies on the CPU or a GPU, with the fastest installed library."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = {"cpu": 2048, "cuda": 8192}
"""Side of the square matrices whose product gives the peak rate."""

COPY_BYTES = {"cpu": 2**27, "cuda": 2**30}
"""Bytes copied to measure bandwidth; larger than the caches."""

MIN_SECONDS = {"cpu": 0.2, "cuda": 0.02}
"""Least time for which a product is repeated."""

CALLS_PER_SYNC = 20
"""Calls on a GPU per synchronization."""


class Product(NamedTuple):
    """Matrix product ``A @ B``, A of shape (m, k) and B of shape (k, n).

    Attributes
    ----------
    m, k, n : int
    a_transposed, b_transposed : bool
        If True, the operand is the transpose of a contiguous array.
    """

    m: int
    k: int
    n: int
    a_transposed: bool = False
    b_transposed: bool = False

    @property
    def flops(self) -> int:
        """Number of multiplications and additions."""
        return 2 * self.m * self.k * self.n


class Library(NamedTuple):
    """An array library on one device.

    Attributes
    ----------
    name : str
    put : callable
        ``put(a)`` moves a NumPy array to the device.
    matmul : callable
        ``matmul(A, B, out=C)``.
    copy : callable
        ``copy(target, source)``.
    seconds : callable
        ``seconds(function, at_least)`` returns the least time of one call, from repeats for `at_least` seconds.
    """

    name: str
    put: Callable[[NDArray[Any]], Any]
    matmul: Callable[..., Any]
    copy: Callable[[Any, Any], Any]
    seconds: Callable[[Callable[[], Any], float], float]


def libraries(device: str) -> list[Library]:
    """Return the libraries that compute on "cpu" or "cuda".

    At most one for "cuda", PyTorch if it can use a GPU; none without a GPU.
    """
    return list((_on_cpu if device == "cpu" else _on_gpu)())


def peak(device: str) -> float:
    """Return float32 operations per second of one large product."""
    square = Product(SIDE[device], SIDE[device], SIDE[device])
    return square.flops / seconds(square, device)


def seconds(product: Product, device: str) -> float:
    """Return the least time of a product, its arrays in the cache if they fit."""
    rng = np.random.default_rng(0)
    m, k, n, a_transposed, b_transposed = product
    a = rng.random((k, m) if a_transposed else (m, k), np.float32)
    b = rng.random((n, k) if b_transposed else (k, n), np.float32)
    times = []
    for library in libraries(device):
        A, B, out = map(library.put, (a, b, np.empty((m, n), np.float32)))
        A, B = A.T if a_transposed else A, B.T if b_transposed else B
        times.append(library.seconds(lambda: library.matmul(A, B, out=out), MIN_SECONDS[device]))  # noqa: B023
    return min(times)


def bandwidth(device: str, threads: int) -> float:
    """Return bytes per second, read plus written, of a copy; on the CPU split among `threads` threads."""
    source, target = (np.ones(COPY_BYTES[device], np.uint8) for _ in range(2))
    if device == "cpu":
        parts = [np.array_split(array, threads) for array in (target, source)]
        with ThreadPoolExecutor(threads) as pool:
            return 2 * len(source) / _fastest(lambda: list(pool.map(np.copyto, *parts)), at_least=0.5)
    (library,) = libraries(device)
    arrays = library.put(target), library.put(source)
    return 2 * len(source) / library.seconds(lambda: library.copy(*arrays), MIN_SECONDS[device])


def matrix_units() -> dict[str, float]:
    """Return operations per second of a GPU's products in "tf32" and "bf16"; empty without PyTorch."""
    if "torch" not in [library.name for library in libraries("cuda")]:
        return {}
    import torch

    side, found = SIDE["cuda"], {}
    a = torch.rand(side, side, device="cuda")
    b, half = torch.rand_like(a), a.bfloat16()
    torch.backends.cuda.matmul.allow_tf32 = True
    found["tf32"] = 2 * side**3 / _captured(lambda: a @ b, MIN_SECONDS["cuda"])
    torch.backends.cuda.matmul.allow_tf32 = False
    found["bf16"] = 2 * side**3 / _captured(lambda: half @ half, MIN_SECONDS["cuda"])
    return found


def _on_cpu() -> Iterator[Library]:
    yield Library("numpy", np.asarray, np.matmul, np.copyto, _fastest)
    with suppress(ModuleNotFoundError):
        import torch

        yield Library("torch", torch.from_numpy, torch.matmul, torch.Tensor.copy_, _fastest)


def _on_gpu() -> Iterator[Library]:
    with suppress(ModuleNotFoundError):
        import torch

        if torch.cuda.is_available():
            yield Library("torch", lambda a: torch.from_numpy(a).cuda(), torch.matmul, torch.Tensor.copy_, _captured)
            return
    with suppress(ModuleNotFoundError):
        import cupy

        if cupy.is_available():
            yield Library("cupy", cupy.asarray, cupy.matmul, cupy.copyto, _synchronized)


def _captured(function: Callable[[], Any], at_least: float) -> float:
    """Time many calls in one CUDA graph, because launching a small product takes longer than running it."""
    import torch

    function()  # initialization at the first call cannot be captured
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(CALLS_PER_SYNC):
            function()

    def replay() -> None:
        graph.replay()
        torch.cuda.synchronize()

    return _fastest(replay, at_least) / CALLS_PER_SYNC


def _synchronized(function: Callable[[], Any], at_least: float) -> float:
    """Time many calls per synchronization of CuPy's current device."""
    import cupy

    def calls() -> None:
        for _ in range(CALLS_PER_SYNC):
            function()
        cupy.cuda.Device().synchronize()

    return _fastest(calls, at_least) / CALLS_PER_SYNC


def _fastest(function: Callable[[], Any], at_least: float) -> float:
    """Return the seconds of the fastest call, from calls for `at_least` seconds, three or more."""
    fastest, total, calls = math.inf, 0.0, 0
    while total < at_least or calls < 3:
        began = time.perf_counter()
        function()
        took = time.perf_counter() - began
        fastest, total, calls = min(fastest, took), total + took, calls + 1
    return fastest
