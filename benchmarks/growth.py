"""How the cost grows: one hidden layer, over batch size and over width."""

from collections.abc import Callable

from benchmarks.workloads import Workload

PEERS = ["torch", "anynet-numpy", "anynet-numpy+numba"]

AXES: dict[str, Callable[[Workload], int]] = {
    "batch size": lambda workload: workload.batch_size,
    "width": lambda workload: workload.hidden[0],
}
"""What is varied, and where a workload has it."""


def workloads() -> dict[str, list[Workload]]:
    """By what is varied: batches of 32 to 4096 at width 100, and widths of 16 to 4096 at batches of 128."""
    return {
        "batch size": [_workload(f"batch {2**i}", batch_size=2**i, width=100, images=16_384) for i in range(5, 13)],
        "width": [_workload(f"width {2**i}", batch_size=128, width=2**i, images=8_192) for i in range(4, 13)],
    }


def _workload(name: str, *, batch_size: int, width: int, images: int) -> Workload:
    return Workload(name=name, hidden=(width,), batch_size=batch_size, lr=0.01, images=images)
