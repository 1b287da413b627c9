"""``python -m benchmarks``: measure training throughput of anynet and other libraries."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from benchmarks import common
from benchmarks.throughput import run

RESULTS = Path(__file__).resolve().parent / "results"


def main(
    *workloads: str,
    peers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    quick: bool = False,
    threads: common.Count | None = None,
    repeats: common.Count | None = None,
    minutes: common.Positive | None = None,
    out: Path = RESULTS,
    name: str | None = None,
    growth: bool = False,
) -> None:
    """Measure training throughput of anynet and the other installed libraries in one run.

    Parameters
    ----------
    workloads:
        Names of workloads (W1, W2, W2a, W3, W4, W5, W7, W8, W6, W9, W10). Default: all.
    peers:
        Programs to compare. Default: all, on the CPU. The baseline is torch, or else the first peer.
        anynet-BACKEND takes any backend (anynet-torch:cuda) and may end with +eager; torch, torch-compile, jax-step
        and jax-scan take a device (torch:cuda).
    quick:
        Use few images and repeats, as a smoke test.
    threads:
        Threads per peer. Default: the number of available cores.
    repeats:
        Timed epochs. Default: 9, or 3 with --quick.
    minutes:
        Time limit. Repeats, then workloads, are dropped to meet it. Default: none.
    out:
        Output folder for a page, a figure and JSON.
    name:
        Base name of the output files. Default: machine and time.
    growth:
        Vary the batch size of the named workloads; without names, vary the batch size and width of one hidden layer.
    """
    run(
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


if __name__ == "__main__":
    common.run(main)
