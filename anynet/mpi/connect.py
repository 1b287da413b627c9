"""The processes that an MPI launcher has started, connected."""

import atexit
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from anynet.core.formatting import first_line
from anynet.core.ranks import RankLost, Ranks, RanksError
from anynet.mpi.cores import share_cores
from anynet.mpi.launched import launched
from anynet.mpi.mpi_ranks import MpiRanks
from anynet.mpi.watch import Watch

INSTALL = "pip install 'anynet-array[mpi]'"
"""Command that installs mpi4py, with an MPI that it can use."""


def ranks() -> Ranks | None:
    """Return the processes that ``mpiexec`` or ``srun`` has started this one with.

    All of them call this function. Each then uses its part of the cores that they share.

    Returns
    -------
    Ranks or None
        None if this process is alone.

    Raises
    ------
    RanksError
        If mpi4py is not installed or does not work, or uses another MPI than the one that started the processes.

    Examples
    --------
    >>> from anynet import mpi
    >>> print(mpi.ranks())
    None
    """
    expected = launched()
    if expected is None:
        return None
    started, how = f"this process is one of {expected} that MPI has started", f"install it with: {INSTALL}"
    if importlib.util.find_spec("mpi4py") is None:
        raise RanksError(f"{started}, but mpi4py is not installed; {how}, or start it without mpiexec")
    try:
        comm = _world()
    except Exception as error:
        raise RanksError(f"{started}, but mpi4py does not work here ({error}); {how}") from error
    if comm.Get_size() != expected:
        raise RanksError(
            f"{started}, but mpi4py's MPI finds {comm.Get_size()}: it is another MPI; start them with the mpiexec "
            f"beside this Python, or with srun --mpi=pmix for Open MPI and --mpi=pmi2 for MPICH, or build mpi4py with "
            f"this MPI"
        )
    share_cores(comm)
    return MpiRanks(comm, Watch(comm))


def _world() -> Any:
    """Return the communicator of all processes. MPI is ended at exit only if all goes well: it waits for all ranks."""
    import mpi4py

    mpi4py.rc.finalize, mpi4py.rc.thread_level = False, "serialized"
    from mpi4py import MPI

    atexit.register(_finalize, MPI)
    sys.excepthook = partial(_leave, sys.excepthook)
    return MPI.COMM_WORLD


def _leave(shown: Callable[..., object], kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Tell the other ranks that an error ends this one, and show it: as ever, or in a line if another has caused it."""
    if isinstance(error, RankLost):
        print(f"anynet: {error}", file=sys.stderr)
    else:
        shown(kind, error, trace)
    if Watch.current is not None and not Watch.broken:
        Watch.current.leave(first_line(error) if isinstance(error, Exception) else "")


def _finalize(mpi: Any) -> None:
    if Watch.current is not None:
        Watch.current.end()
    if not Watch.broken and mpi.Is_initialized() and not mpi.Is_finalized():
        mpi.Finalize()
