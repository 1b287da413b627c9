"""Training in several processes, on one machine or on many, which MPI starts and connects.

``mpiexec -n 4 python train.py`` trains one net on a fourth of every batch in each process. In Python,
``anynet.fit(..., ranks=anynet.mpi.ranks())`` does the same. Needs the extra ``mpi``.
"""

from anynet.core.ranks import RankLost, Ranks, RanksError
from anynet.mpi.connect import ranks

__all__ = ["RankLost", "Ranks", "RanksError", "ranks"]
