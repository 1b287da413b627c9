"""Images per second of one process and of two."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, NamedTuple

from rich.table import Table

from anynet.core.checks import nearest
from benchmarks import reference
from benchmarks.data import Data
from benchmarks.measure import order_of
from benchmarks.ranks import child
from benchmarks.ranks.group import Group
from benchmarks.workloads import WORKLOADS, Workload

WORKLOADS_MEASURED = "W1", "W2", "W3", "W6", "W5"
BACKENDS = "numpy+llvm", "torch:cpu"
IMAGES, LONG, QUICK_IMAGES = 10_000, {"W5": 4096, "W6": 1280}, 512
"""Images per epoch, those of workloads whose steps take long, and those for a smoke test."""

PAUSE = 0.25
"""Seconds between two variants: threads of BLAS wait busily for the next product for a while."""

CHECKED = 2
"""Steps before losses are compared."""


class Variant(NamedTuple):
    """Processes and what they train.

    Attributes
    ----------
    processes, threads : int
    nets : int
        Number of nets: 1 if all processes train one, on shares of its batches.
    parts : int
        The batches of a net are 1 / `parts` as large as those of the workload.
    """

    processes: int
    threads: int
    nets: int
    parts: int = 1


VARIANTS = {
    "1 rank": Variant(1, 1, 1),
    "1 rank, 2 threads": Variant(1, 2, 1),
    "2 ranks": Variant(2, 1, 1),
    "2 nets": Variant(2, 1, 2),
    "2 nets, half batches": Variant(2, 1, 2, 2),
}
"""The last one computes what two ranks do, without their sums."""


def workloads_of(names: Sequence[str], *, quick: bool) -> list[Workload]:
    """Return workloads by name, shortened. Raises ValueError for names that are none."""
    for name in names:
        if name not in WORKLOADS:
            raise ValueError(f"expected names of workloads, got {name!r}{nearest(name, WORKLOADS)}")
    return [WORKLOADS[n].shortened(QUICK_IMAGES if quick else LONG.get(n, IMAGES)) for n in names]


def measure(workloads: Sequence[Workload], backends: Sequence[str] | None, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield the seconds of each epoch of each variant, which take turns; two nets count twice the images.

    Raises LeftOutError if processes cannot be started, ValueError if two ranks have another loss than one process.
    """
    with ExitStack() as stack:
        kinds = dict.fromkeys((variant.processes, variant.threads) for variant in VARIANTS.values())
        groups = {kind: stack.enter_context(Group(*kind)) for kind in kinds}
        for backend in backends or BACKENDS:
            for workload in workloads:
                yield {
                    "workload": workload.name,
                    "backend": backend,
                    "batch size": workload.batch_size,
                    "parameters": workload.parameters,
                    "images": workload.images,
                    "seconds": _times(groups, workload, backend, repeats),
                }


def _times(
    groups: dict[tuple[int, int], Group], workload: Workload, backend: str, repeats: int
) -> dict[str, list[float]]:
    order, data = order_of(workload, 0)[: CHECKED * workload.batch_size], Data.draw(workload)
    expected = reference.loss(workload, data, reference.trained(workload, data, order))
    for name, variant in VARIANTS.items():
        own = replace(workload, batch_size=workload.batch_size // variant.parts)
        shared = variant.processes > variant.nets
        found = groups[variant[:2]].call(child.begin, name, backend, own, order, shared)
        for parameters in found if variant.parts == 1 else ():
            loss = reference.loss(workload, data, parameters)
            if not abs(loss / expected - 1) <= reference.TOLERANCE:
                raise ValueError(f"{workload.name}, {backend}, {name}: expected loss {expected:.6f}, got {loss:.6f}")
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for repeat in range(repeats + 1):
        for name, variant in VARIANTS.items():
            time.sleep(PAUSE)
            took = max(groups[variant[:2]].call(child.time_epoch, name, order_of(workload, repeat)))
            seconds[name] += [took] if repeat else []
    for group in groups.values():
        group.call(child.forget)
    return seconds


def rates(result: dict[str, Any]) -> dict[str, float]:
    """Return the median images per second of each variant, of all nets together."""
    return {
        name: VARIANTS[name].nets * result["images"] / statistics.median(seconds)
        for name, seconds in result["seconds"].items()
    }


def table(results: Sequence[dict[str, Any]]) -> Table:
    """Return ratios to one rank with one thread, and its images per second."""
    names = [name for name in VARIANTS if name != "1 rank"]
    made = Table("net", "backend", *names, "1 rank, images/s", title="Images/s, times those of one rank")
    for result in results:
        found = rates(result)
        ratios = (f"{found[name] / found['1 rank']:.2f}" for name in names)
        made.add_row(result["workload"], result["backend"], *ratios, f"{found['1 rank']:,.0f}")
    return made
