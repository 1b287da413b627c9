"""Seconds of a sum over two ranks by size."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from benchmarks.ranks import child
from benchmarks.ranks.group import Group
from benchmarks.workloads import Workload

SIZES = [10**i for i in range(8)]


def measure(workloads: Sequence[Workload], backends: Sequence[str] | None, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield the seconds of sums of so many float32, and of their addition in one process; workloads do not matter."""
    with Group(2, 1) as group:
        for size in SIZES:
            one, other = group.call(child.time_sums, size, repeats)
            slower = {name: list(map(max, one[name], other[name])) for name in one}
            yield {"size": size, "seconds": slower, "addition": group.call(child.time_additions, size, repeats)[0]}


def table(results: Sequence[dict[str, Any]]) -> Table:
    """Return ratios to mpi4py's blocking sum, and microseconds."""
    columns = (f"{name}, µs" for name in child.SUMS)
    made = Table("float32", "anynet / Allreduce", *columns, title="Sums over two ranks")
    for result in results:
        medians = {name: 1e6 * statistics.median(seconds) for name, seconds in result["seconds"].items()}
        ratio = medians["anynet"] / medians["Allreduce"]
        made.add_row(f"{result['size']:,}", f"{ratio:.2f}", *(f"{medians[name]:,.1f}" for name in child.SUMS))
    return made
