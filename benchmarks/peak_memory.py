"""Peak memory of a training, each peer in a process of its own: ``python -m benchmarks.peak_memory W9``."""

import resource
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from benchmarks import common, peer_process
from benchmarks.environment import cores
from benchmarks.measure import order_of
from benchmarks.peers import check_names
from benchmarks.peers.base import LeftOutError
from benchmarks.throughput import find_workloads
from benchmarks.worker import Worker

PEERS = ["torch", "anynet-numpy+llvm"]


def peak() -> float:
    """Return the largest resident memory that this process has had, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(
    *workloads: str,
    peers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    threads: common.Count | None = None,
    out: Path | None = None,
) -> None:
    """Measure the peak memory of two epochs of each workload, imports and compilation included.

    Parameters
    ----------
    workloads:
        Names of workloads. Default: all.
    peers:
        Programs to compare. Default: torch and anynet-numpy+llvm.
    threads:
        Threads per peer. Default: the number of available cores.
    out:
        JSON file. Default: stdout.
    """
    common.check_new(out)
    names = check_names(peers or PEERS)
    table = Table("peak memory, MB", *names)
    found: dict[str, dict[str, float | str]] = {}
    for workload in find_workloads(workloads):
        found[workload.name] = {}
        for name in names:
            with Worker(threads or cores()) as worker:
                try:
                    worker.call(peer_process.begin, name, workload, order_of(workload, 0))
                    worker.call(peer_process.time_epoch, order_of(workload, 1))
                    found[workload.name][name] = worker.call(peak)
                except LeftOutError as reason:
                    found[workload.name][name] = str(reason)
        cells = found[workload.name].values()
        table.add_row(workload.name, *(each if isinstance(each, str) else f"{each:,.0f}" for each in cells))
    common.write_results(table, {"megabytes": found}, out)


if __name__ == "__main__":
    common.run(main)
