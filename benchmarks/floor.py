"""The least time that a step can take on this machine: its products, and its bytes."""

from dataclasses import dataclass
from typing import NamedTuple

from benchmarks import ceilings
from benchmarks.ceilings import Product
from benchmarks.workloads import PIXELS, Workload


class Machine(NamedTuple):
    """Float32 operations and bytes in a second, at best, on the CPU or a GPU.

    matrix_units: operations in a second of a GPU's products in "tf32" and "bf16", which nobody here computes in.
    """

    peak: float
    bandwidth: float
    floor_of: str = "cpu"
    matrix_units: dict[str, float] | None = None


@dataclass(frozen=True)
class Floor:
    """Seconds that a step needs at least.

    peak: all its products at the machine's peak. shapes: the same, as fast as products of their shapes go here.
    memory: reading uint8 images, reading and writing parameters and the optimizer's moments, from and to memory.
    """

    peak: float
    shapes: float
    memory: float


def measure_machine(threads: int, on_gpu: bool) -> Machine:
    """Peak and bandwidth, in a process whose libraries have so many threads; of a GPU where wanted and there."""
    device = "cuda" if on_gpu and ceilings.libraries("cuda") else "cpu"
    units = ceilings.matrix_units() if device == "cuda" else None
    return Machine(ceilings.peak(device), ceilings.bandwidth(device, threads), device, units)


def measure(workload: Workload, machine: Machine) -> Floor:
    """How long a step's products take here, next to what arithmetic and memory allow."""
    every = products(workload)
    shapes = sum(ceilings.seconds(product, machine.floor_of) for product in every)
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
