"""How fast products and copies go here, on the CPU or a GPU, by the fastest library that is installed."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = {"cpu": 2048, "cuda": 8192}
"""Of the square matrices whose product is the peak."""

COPIED = {"cpu": 2**27, "cuda": 2**30}
"""Bytes copied to find the bandwidth: more than caches hold."""

AT_LEAST = {"cpu": 0.2, "cuda": 0.02}
"""Seconds for which a product is repeated."""

IN_A_ROW = 20
"""Calls on a GPU for which the host waits once."""


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


class Library(NamedTuple):
    """One array library on one device.

    put: brings a NumPy array there. matmul: takes ``out``. copy: from its second array into its first.
    seconds: that a call takes at best, of as many as fit into so many seconds.
    """

    name: str
    put: Callable[[NDArray], Any]
    matmul: Callable[..., Any]
    copy: Callable[[Any, Any], Any]
    seconds: Callable[[Callable[[], Any], float], float]


def libraries(device: str) -> list[Library]:
    """Those that compute on "cpu" or "cuda"; of a GPU one, PyTorch if it can, and none where there is no GPU."""
    return list((_on_cpu if device == "cpu" else _on_gpu)())


def peak(device: str) -> float:
    """Float32 operations in a second, by one large product."""
    square = Product(SIDE[device], SIDE[device], SIDE[device])
    return square.flops / seconds(square, device)


def seconds(product: Product, device: str) -> float:
    """Of the product at best, its arrays in the cache where they fit."""
    rng = np.random.default_rng(0)
    m, k, n, a_transposed, b_transposed = product
    a = rng.random((k, m) if a_transposed else (m, k), np.float32)
    b = rng.random((n, k) if b_transposed else (k, n), np.float32)
    times = []
    for library in libraries(device):
        A, B, out = map(library.put, (a, b, np.empty((m, n), np.float32)))
        A, B = A.T if a_transposed else A, B.T if b_transposed else B
        times.append(library.seconds(lambda: library.matmul(A, B, out=out), AT_LEAST[device]))  # noqa: B023
    return min(times)


def bandwidth(device: str, threads: int) -> float:
    """Bytes in a second, read and written, by a copy, on the CPU one of which every thread has a part."""
    source, target = (np.ones(COPIED[device], np.uint8) for _ in range(2))
    if device == "cpu":
        parts = [np.array_split(array, threads) for array in (target, source)]
        with ThreadPoolExecutor(threads) as pool:
            return 2 * len(source) / _fastest(lambda: list(pool.map(np.copyto, *parts)), at_least=0.5)
    (library,) = libraries(device)
    arrays = library.put(target), library.put(source)
    return 2 * len(source) / library.seconds(lambda: library.copy(*arrays), AT_LEAST[device])


def matrix_units() -> dict[str, float]:
    """Operations in a second of a GPU's products in "tf32" and "bf16"; empty without PyTorch, which alone is asked."""
    if "torch" not in [library.name for library in libraries("cuda")]:
        return {}
    import torch

    side, found = SIDE["cuda"], {}
    a = torch.rand(side, side, device="cuda")
    b, half = torch.rand_like(a), a.bfloat16()
    torch.backends.cuda.matmul.allow_tf32 = True
    found["tf32"] = 2 * side**3 / _captured(lambda: a @ b, AT_LEAST["cuda"])
    torch.backends.cuda.matmul.allow_tf32 = False
    found["bf16"] = 2 * side**3 / _captured(lambda: half @ half, AT_LEAST["cuda"])
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
            yield Library("cupy", cupy.asarray, cupy.matmul, cupy.copyto, _in_a_row)


def _captured(function: Callable[[], Any], at_least: float) -> float:
    """By a CUDA graph of many calls, for launching a small one takes longer than running it."""
    import torch

    function()  # what a first call sets up cannot be captured
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(IN_A_ROW):
            function()

    def replay() -> None:
        graph.replay()
        torch.cuda.synchronize()

    return _fastest(replay, at_least) / IN_A_ROW


def _in_a_row(function: Callable[[], Any], at_least: float) -> float:
    import cupy

    def calls() -> None:
        for _ in range(IN_A_ROW):
            function()
        cupy.cuda.Device().synchronize()

    return _fastest(calls, at_least) / IN_A_ROW


def _fastest(function: Callable[[], Any], at_least: float) -> float:
    """Seconds of the fastest call, of as many as fit into so many seconds, three or more."""
    fastest, total, calls = math.inf, 0.0, 0
    while total < at_least or calls < 3:
        began = time.perf_counter()
        function()
        took = time.perf_counter() - began
        fastest, total, calls = min(fastest, took), total + took, calls + 1
    return fastest
