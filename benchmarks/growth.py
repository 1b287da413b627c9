"""Workloads over batch size and width: one hidden layer, or given nets over batch size."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks.workloads import Workload

PEERS = ["torch", "anynet-numpy", "anynet-numpy+llvm"]

AXES: dict[str, Callable[[Workload], int]] = {
    "batch size": lambda workload: workload.batch_size,
    "width": lambda workload: workload.hidden[0],
}
"""Varied sizes by name, as functions of a workload."""

BATCH_SIZES = [2**i for i in range(6, 14)]

LARGE_NET = 1_000_000
"""Number of parameters from which epochs are shorter."""


def workloads(nets: Sequence[Workload] = ()) -> dict[str, list[Workload]]:
    """Return groups of workloads in which one size varies.

    Without `nets`: "batch size" (32 to 8192, width 100) and "width" (16 to 4096, batches of 128). With `nets`: a group
    per net, by its name, with batches of 64 to 8192.
    """
    if nets:
        return {net.name: [_with_batches(net, size) for size in BATCH_SIZES] for net in nets}
    return {
        "batch size": [_workload(f"batch {2**i}", batch_size=2**i, width=100, images=32_768) for i in range(5, 14)],
        "width": [_workload(f"width {2**i}", batch_size=128, width=2**i, images=16_384) for i in range(4, 13)],
    }


def coarse_first(groups: Mapping[str, Sequence[Workload]]) -> list[Workload]:
    """Return the workloads of all groups: the ends of each group first, then the midpoints, and so on."""

    def rank(i: int, n: int) -> float:
        return math.inf if i in (0, n - 1) else i & -i

    ranked = [(rank(i, len(group)), w) for group in groups.values() for i, w in enumerate(group)]
    return [workload for _, workload in sorted(ranked, key=lambda pair: -pair[0])]


def axis(group: str) -> str:
    """Return the name of the size that varies in a group."""
    return group if group in AXES else "batch size"


def _workload(name: str, *, batch_size: int, width: int, images: int) -> Workload:
    return Workload(name=name, hidden=(width,), batch_size=batch_size, lr=0.01, images=images)


def _with_batches(net: Workload, batch_size: int) -> Workload:
    """Return the net with another batch size; the number of images is the same for all batch sizes."""
    images = (2 if net.parameters >= LARGE_NET else 8) * BATCH_SIZES[-1]
    return replace(net, name=f"{net.name} at {batch_size}", batch_size=batch_size, images=images)
