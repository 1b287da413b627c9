"""The cores of a machine, shared out to the ranks on it."""

import os
import socket
from collections.abc import Sequence
from typing import Any

from threadpoolctl import threadpool_limits

THREADS = "OMP_NUM_THREADS"
"""Variable with the number of threads; whoever sets it has shared out the cores."""

Place = tuple[str, tuple[int, ...]]
"""Name of a machine, and the numbers of the cores that a process may use there."""


def share_cores(comm: Any) -> None:
    """Let this process use its part of the cores that it has in common with other ranks.

    A launcher may have given each its own already. Nothing changes if the number of threads is set, or on systems where
    a process cannot choose its cores.

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm
    """
    chooses = hasattr(os, "sched_getaffinity") and THREADS not in os.environ
    place: Place = socket.gethostname(), tuple(sorted(os.sched_getaffinity(0))) if chooses else ()
    places = comm.allgather(place)
    own = part_of_cores(places, comm.Get_rank())
    if own and len(own) < len(place[1]):
        os.sched_setaffinity(0, own)
        os.environ[THREADS] = str(len(own))  # for libraries that are loaded later
        threadpool_limits(limits=len(own))


def part_of_cores(places: Sequence[Place], rank: int) -> tuple[int, ...]:
    """Return the cores for a rank, of those that it has in common with others; one at least.

    Examples
    --------
    >>> places = [("a", (0, 1, 2, 3, 4)), ("a", (0, 1, 2, 3, 4)), ("b", (0, 1))]
    >>> [part_of_cores(places, rank) for rank in range(3)]
    [(0, 1), (2, 3, 4), (0, 1)]
    """
    cores = places[rank][1]
    together = [k for k, place in enumerate(places) if place == places[rank]]
    if not cores:
        return ()
    i, n = together.index(rank), len(together)
    return cores[len(cores) * i // n : len(cores) * (i + 1) // n] or (cores[i % len(cores)],)
