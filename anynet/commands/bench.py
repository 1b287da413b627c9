"""``anynet bench``."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import anynet
from anynet.config import Count

SOURCE = Path(anynet.__file__).resolve().parents[1]


def bench(
    *workloads: str,
    peers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    quick: bool = False,
    threads: Count | None = None,
    repeats: Count | None = None,
    out: Path = SOURCE / "benchmarks" / "results",
    name: str | None = None,
    growth: bool = False,
) -> None:
    """Measure training throughput of anynet beside other libraries, those that are installed, in one run.

    Parameters
    ----------
    workloads:
        Which nets; all by default.
    peers:
        Who trains them; by default everyone, on the CPU. torch is the yardstick; anynet-BACKEND takes any backend, as
        in anynet-torch:cuda.
    quick:
        Only a few images and repeats, to see that everything works.
    threads:
        Of each peer. Default: as many as there are cores.
    repeats:
        Epochs that are timed. Default: 9, or 3 with --quick.
    out:
        Folder for a page, a picture and JSON.
    name:
        Of these files. Default: kind of machine and time.
    growth:
        How throughput grows with batch size and width, instead of the nets.
    """
    if not (SOURCE / "benchmarks" / "bench.py").exists():
        raise ValueError("the benchmarks come with anynet's source; run this in a checkout of it")
    sys.path.insert(0, str(SOURCE))  # for the processes of the peers too
    from benchmarks.bench import bench as measure

    measure(
        workloads,
        peers or [],
        grow=growth,
        quick=quick,
        threads=threads,
        repeats=repeats,
        out=out,
        name=name,
    )
