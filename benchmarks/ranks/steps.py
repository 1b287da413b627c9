"""Seconds of a step of one process with one thread, by batch size, for a model of more processes."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.measure import order_of
from benchmarks.ranks import child
from benchmarks.ranks.group import Group
from benchmarks.workloads import Workload

BACKENDS = ("numpy+llvm",)
SIZES = [4**i for i in range(7)]
"""Batch sizes, besides that of the workload and half of it."""

WIDTHS = 32, 128, 512
"""Widths of two hidden layers, of nets besides the workloads."""

IMAGES, STEPS, BEGIN, SINGLE = 1024, 40, 4, 200
"""Images and steps of an epoch at most, steps ahead of timing, and number of steps that are timed one by one."""

LARGE = 1_000_000
"""Parameters of nets, or convolutions, that are measured up to `FEW` samples in a batch only."""
FEW = 256


def measure(workloads: Sequence[Workload], backends: Sequence[str] | None, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield the seconds of a step in each repeat, and, at a workload's batch size, of steps one by one."""
    wide = [Workload(name=f"width {w}", hidden=(w, w), batch_size=512, lr=0.01, images=512) for w in WIDTHS]
    with Group(1, 1) as group:
        for backend in backends or BACKENDS:
            for net in (*workloads, *wide):
                for size in sizes(net):
                    count = max(min(STEPS, IMAGES // size), 1)
                    own = replace(net, batch_size=size, images=size * count)
                    order = order_of(own, 0)
                    group.call(child.begin, net.name, backend, own, order[: BEGIN * size], False)
                    seconds = [group.call(child.time_epoch, net.name, order)[0] / count for _ in range(repeats)]
                    single: list[float] = []
                    if size == net.batch_size:
                        many = order if net.layers or net.parameters > LARGE else np.tile(order, SINGLE // count)
                        (single,) = group.call(child.time_steps, net.name, many)
                    yield {
                        "net": net.name,
                        "backend": backend,
                        "batch size": size,
                        "parameters": net.parameters,
                        "batch-normalized": _normalized(net),
                        "seconds": seconds,
                        "single": single,
                    }
                group.call(child.forget)


def sizes(net: Workload) -> list[int]:
    """Return batch sizes to measure; batch normalization needs two."""
    large = net.layers or net.parameters > LARGE
    least, most = 2 if _normalized(net) else 1, FEW if large else SIZES[-1]
    return sorted({*(n for n in SIZES if least <= n <= most), net.batch_size // 2, net.batch_size})


def _normalized(net: Workload) -> list[int]:
    """Return the widths of the batch normalizations of a net."""
    if net.layers:
        return [each.channels for each in net.sized if "gamma" in each.shapes]
    return list(net.hidden) if net.batch_norm else []


def table(results: Sequence[dict[str, Any]]) -> Table:
    """Return microseconds of a step by net and batch size."""
    made = Table("net", "backend", "batch size", "µs/step", title="Steps of one process with one thread")
    for result in results:
        took = f"{1e6 * statistics.median(result['seconds']):,.0f}"
        made.add_row(result["net"], result["backend"], f"{result['batch size']}", took)
    return made
