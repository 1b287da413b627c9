"""``anynet bench``."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import anynet
from anynet.app.config import Count, Positive

SOURCE = Path(anynet.__file__).resolve().parents[1]


def bench(
    *workloads: str,
    peers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    quick: bool = False,
    threads: Count | None = None,
    repeats: Count | None = None,
    minutes: Positive | None = None,
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
        Who trains them; by default everyone, on the CPU. torch is the yardstick, or else the first. anynet-BACKEND
        takes any backend, as in anynet-torch:cuda, and +eager behind it; torch, torch-compile, jax-step and jax-scan
        take a device, as in torch:cuda.
    quick:
        Only a few images and repeats, to see that everything works.
    threads:
        Of each peer. Default: as many as there are cores.
    repeats:
        Epochs that are timed. Default: 9, or 3 with --quick.
    minutes:
        How long it may take: for that it repeats less often and then leaves nets out. Default: as long as it takes.
    out:
        Folder for a page, a picture and JSON.
    name:
        Of these files. Default: kind of machine and time.
    growth:
        How throughput grows: of the nets that are named over batch size, or else of one hidden layer over batch size
        and width.
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
        minutes=minutes,
        out=out,
        name=name,
    )
