"""Lower bounds on the time of a training step, from its matrix products and its memory traffic."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks import hardware
from benchmarks.hardware import Product
from benchmarks.image_nets import SHAPE, Sized
from benchmarks.workloads import PIXELS, Workload


class Machine(NamedTuple):
    """Measured peak rates of the CPU or a GPU.

    Attributes
    ----------
    peak : float
        Float32 operations per second.
    bandwidth : float
        Bytes per second.
    floor_of : str
        "cpu" or "cuda": the device that was measured.
    matrix_units : dict of str to float, or None
        Operations per second of a GPU's products in "tf32" and "bf16", for information; no peer uses them.
    """

    peak: float
    bandwidth: float
    floor_of: str = "cpu"
    matrix_units: dict[str, float] | None = None


@dataclass(frozen=True)
class Floor:
    """Lower bounds on the seconds of a step.

    Attributes
    ----------
    peak : float
        Matrix products at the machine's peak rate.
    shapes : float
        Matrix products at the rate measured for their shapes.
    memory : float
        Reading uint8 images; reading and writing parameters and the optimizer's moments.
    """

    peak: float
    shapes: float
    memory: float


def measure_machine(threads: int, on_gpu: bool) -> Machine:
    """Measure peak rate and bandwidth, of a GPU if `on_gpu` and there is one.

    Must run in a process whose libraries use `threads` threads.
    """
    device = "cuda" if on_gpu and hardware.libraries("cuda") else "cpu"
    units = hardware.matrix_units() if device == "cuda" else None
    return Machine(hardware.peak(device), hardware.bandwidth(device, threads), device, units)


def measure(workload: Workload, machine: Machine) -> Floor:
    """Measure a step's matrix products and compute its lower bounds."""
    every = products(workload)
    shapes = sum(hardware.seconds(product, machine.floor_of) for product in every)
    peak = sum(product.flops for product in every) / machine.peak
    return Floor(min(peak, shapes), shapes, bytes_moved(workload) / machine.bandwidth)


def products(workload: Workload) -> list[Product]:
    """Return the matrix products of a step.

    Each layer has the forward product, the weight gradient and, except the first, the input gradient.
    """
    found, N = [], workload.batch_size
    if workload.layers:
        return [product for each in workload.sized for product in _of_images(each, N)]
    for i, n_in in enumerate(workload.widths[:-1]):
        n_out = workload.widths[i + 1]
        found += [Product(N, n_in, n_out), Product(n_in, N, n_out, a_transposed=True)]
        if i > 0:
            found.append(Product(N, n_out, n_in, b_transposed=True))
    return found


def _of_images(sized: Sized, images: int) -> list[Product]:
    """Return the products of a layer of a convolutional net: a convolution is one, of patches and its kernel."""
    if "W" not in (shapes := sized.shapes):
        return []
    (*sides, n_out), N = shapes["W"], images * sized.side_out**2
    n_in = math.prod(sides)
    found = [Product(N, n_in, n_out), Product(n_in, N, n_out, a_transposed=True)]
    is_first = sized.side == SHAPE[1] and sized.channels == SHAPE[0]
    return found if is_first else [*found, Product(N, n_out, n_in, b_transposed=True)]


def bytes_moved(workload: Workload) -> int:
    """Return the memory traffic of a step: pixels once, float32 parameters and moments once each way."""
    moments = 2 if workload.optimizer == "adam" else 1 if workload.momentum else 0
    return workload.batch_size * PIXELS + 2 * 4 * (1 + moments) * workload.parameters
