"""Signs of an MPI launcher in the environment."""

import os
from collections.abc import Mapping

SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "MPI_LOCALNRANKS")
"""Variables with the number of processes: of Open MPI, of MPICH and Intel MPI (and srun --mpi=pmi2), of MVAPICH2."""


def launched(environment: Mapping[str, str] = os.environ) -> int | None:
    """Return the number of processes that MPI has started together; None if this one is alone, or without MPI.

    Examples
    --------
    >>> launched({"OMPI_COMM_WORLD_SIZE": "4"})
    4
    >>> print(launched({"PMIX_RANK": "0", "SLURM_NTASKS": "1"}))  # srun may have started it; it needs no MPI
    None
    """
    found = next((environment[name] for name in SIZES if environment.get(name, "").isdecimal()), None)
    if found is None and "PMIX_RANK" in environment:  # srun --mpi=pmix
        found = environment.get("SLURM_NTASKS")
    return int(found) if found is not None and int(found) > 1 else None
