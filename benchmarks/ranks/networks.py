"""Times of a sum over ranks by the algorithms that MPI libraries use, on networks that are assumed.

The time of a message of n bytes is α + n β, the addition of n bytes takes n γ. Numbers of ranks are powers of two.

References
----------
R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in MPICH", International
Journal of High Performance Computing Applications 19(1), 2005, 49-66, doi:10.1177/1094342005051521: the costs of
recursive doubling and of Rabenseifner's algorithm.

P. Patarasuk, X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", Journal of Parallel and
Distributed Computing 69(2), 2009, 117-124, doi:10.1016/j.jpdc.2008.09.002: the ring, and the least traffic.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """Parameters of a network.

    Attributes
    ----------
    name : str
    alpha : float
        Seconds of a message without content.
    beta : float
        Seconds per byte.
    gamma : float
        Seconds to add a byte to another: measured here, also where the rest is assumed.
    overhead : float
        Seconds that a sum takes besides, in Python and in the library.
    source : str
        Where `alpha` and `beta` are from.
    """

    name: str
    alpha: float
    beta: float
    gamma: float
    overhead: float
    source: str

    def sum(self, ranks: int, size: int) -> float:
        """Return the seconds of a sum of so many float32, by the fastest algorithm."""
        return self.overhead + min(self.algorithms(ranks, size).values()) if ranks > 1 else 0.0

    def algorithms(self, ranks: int, size: int) -> dict[str, float]:
        """Return the seconds of each algorithm."""
        rounds, part, n = math.log2(ranks), (ranks - 1) / ranks, 4 * size
        scattered = part * n * (2 * self.beta + self.gamma)
        return {
            "recursive doubling": rounds * (self.alpha + n * (self.beta + self.gamma)),
            "Rabenseifner": 2 * rounds * self.alpha + scattered,
            "ring": 2 * (ranks - 1) * self.alpha + scattered,
        }


ASSUMED = (
    (
        "10 Gbit/s Ethernet, TCP",
        30e-6,
        8 / 10e9,
        "assumed: 30 µs, as TCP takes 24 to 35 µs on Ethernet with a switch (measurements of NW-GRID Liverpool, "
        "http://www.nw-grid.ac.uk/LivMPI), and the nominal rate",
    ),
    (
        "100 Gbit/s Ethernet, without the kernel",
        2e-6,
        8 / 100e9,
        "assumed: 2 µs, as Open MPI takes 1.93 µs on 40 Gbit/s Ethernet past the kernel (J. Squyres, 2014, "
        "https://blogs.cisco.com/performance/mpi-over-40gb-ethernet), and the nominal rate",
    ),
)
"""Name, seconds of a message, seconds per byte, and source of networks."""


def assumed(gamma: float, overhead: float) -> list[Network]:
    """Return the assumed networks, with the measured times of an addition and of a call."""
    return [Network(name, alpha, beta, gamma, overhead, source) for name, alpha, beta, source in ASSUMED]
