"""Model of the time of a step over ranks, from measured steps and sums of few."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ranks.networks import Network, assumed


@dataclass(frozen=True)
class Net:
    """A net, with the measured times of its steps in one process.

    Attributes
    ----------
    name : str
    batch_size : int
        That of its workload; 512 for nets that are none.
    parameters : int
    normalized : tuple of int
        Widths of its batch normalizations.
    sizes, seconds : tuple
        Measured batch sizes, and seconds of a step with them.
    noise : tuple of float
        Seconds of steps that were timed one by one, divided by their median.
    """

    name: str
    batch_size: int
    parameters: int
    normalized: tuple[int, ...]
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    noise: tuple[float, ...]

    def compute(self, samples: float) -> float:
        """Return the seconds of a step with so many samples in one process, interpolated between measured sizes."""
        if not self.sizes[0] <= samples <= self.sizes[-1]:
            raise ValueError(f"{self.name}: steps of {self.sizes[0]} to {self.sizes[-1]} samples were measured")
        return float(np.interp(samples, self.sizes, self.seconds))

    @property
    def sums(self) -> tuple[int, ...]:
        """Numbers of float32 that a step sums over the ranks: gradient and loss, and statistics."""
        return self.parameters + 1, *(n for width in self.normalized for n in (width, width, 2 * width))


def step(net: Net, batch: int, ranks: int, network: Network) -> float:
    """Return the seconds of a step of so many ranks: that of the largest share, and the sums one after another."""
    return net.compute(-(-batch // ranks)) + sum(network.sum(ranks, n) for n in net.sums)


def speedup(net: Net, batch: int, ranks: int, network: Network) -> float:
    """Return how many times as fast as one process ranks are."""
    return net.compute(batch) / step(net, batch, ranks, network)


def members_speedup(members: int, ranks: int) -> float:
    """Return the same for members, which exchange nothing: the rank with most of them decides."""
    return members / -(-members // ranks)


def simulate(net: Net, batch: int, ranks: int, network: Network, steps: int, rng: np.random.Generator) -> float:
    """Return the mean seconds of a step, simulated: each share takes a random time, and ranks wait for each other.

    The times of shares are those of the model times numbers drawn from `Net.noise`. Sums exchange messages in the
    rounds of recursive doubling, in which a rank goes on when it and its partner are ready; each round takes its part
    of the sum.
    """
    clock: NDArray[Any] = np.zeros(ranks)
    share = net.compute(-(-batch // ranks))
    rounds = int(np.log2(ranks))
    partners = [np.arange(ranks) ^ (1 << k) for k in range(rounds)]
    for _ in range(steps):
        clock += share * rng.choice(net.noise, ranks)
        for n in net.sums if ranks > 1 else ():
            for partner in partners:
                clock = np.maximum(clock, clock[partner]) + network.sum(ranks, n) / rounds
    return float(clock.max()) / steps


def nets(steps: Sequence[Mapping[str, Any]]) -> dict[str, Net]:
    """Return the nets of ``python -m benchmarks.ranks steps``, by name."""
    found = {}
    for name in dict.fromkeys(result["net"] for result in steps):
        own = [result for result in steps if result["net"] == name]
        (whole,) = [result for result in own if result["single"]]
        found[name] = Net(
            name,
            whole["batch size"],
            whole["parameters"],
            tuple(whole["batch-normalized"]),
            tuple(result["batch size"] for result in own),
            tuple(statistics.median(result["seconds"]) for result in own),
            tuple(np.divide(whole["single"], statistics.median(whole["single"])).tolist()),
        )
    return found


def networks(sums: Sequence[Mapping[str, Any]]) -> list[Network]:
    """Return shared memory, fitted to ``python -m benchmarks.ranks sums``, and the assumed networks.

    With few elements, what mpi4py's own sum takes is a message, the rest an overhead. With many, the time per byte is
    that of Rabenseifner's algorithm, β + γ / 2: the median over the sizes from `LARGE` on.
    """
    sizes = np.asarray([result["size"] for result in sums])
    took = np.asarray([statistics.median(result["seconds"]["anynet"]) for result in sums])
    added = np.asarray([statistics.median(result["addition"]) for result in sums])
    blocking = statistics.median(sums[0]["seconds"]["Allreduce"])
    large = sizes >= LARGE
    gamma = float(np.median(added[large] / sizes[large])) / 4
    slope = float(np.median((took[large] - took[0]) / sizes[large])) / 4
    overhead = max(float(took[0]) - blocking, 0.0)
    here = Network("shared memory", blocking, max(slope - gamma / 2, 0.0), gamma, overhead, "measured with two ranks")
    return [here, *assumed(gamma, overhead)]


LARGE = 10**5
"""Elements from which on a sum's time per element is that of its memory traffic."""
