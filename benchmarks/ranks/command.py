"""Measure training in processes that MPI connects: ``python -m benchmarks.ranks throughput``, ``sums`` or ``steps``.

Every measurement runs in processes that ``mpiexec`` starts; those of different variants take turns.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from benchmarks import common
from benchmarks.peers.base import LeftOutError
from benchmarks.ranks import steps, sums, throughput

PARTS = {"throughput": throughput, "sums": sums, "steps": steps}
REPEATS, QUICK_REPEATS = 5, 1


def main(
    part: Literal["throughput", "sums", "steps"],
    *,
    workloads: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    backends: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    repeats: common.Count | None = None,
    quick: bool = False,
    out: Path | None = None,
) -> None:
    """Measure training in processes that MPI connects, of one thread each.

    Parameters
    ----------
    part:
        throughput: images per second of one process, of one with two threads, of two that train one net, and of two
        that train a net each. sums: seconds of a sum over two ranks by size. steps: seconds of a step of one process by
        batch size, from which `benchmarks.rank_model` computes those of more.
    workloads:
        Names of workloads, as for `benchmarks`. Default: W1, W2, W3, W6 and W5.
    backends:
        Backends of anynet, as for `benchmarks`. Default: numpy+llvm, for the throughput also torch:cpu.
    repeats:
        Timed repeats. Default: 5, or 1 with --quick.
    quick:
        Use few images, as a smoke test.
    out:
        JSON file. Default: stdout.
    """
    common.check_new(out)
    found = throughput.workloads_of(workloads or throughput.WORKLOADS_MEASURED, quick=quick)
    settings: dict[str, Any] = {"repeats": repeats or (QUICK_REPEATS if quick else REPEATS)}
    results: list[dict[str, Any]] = []
    numbers = {"part": part, **settings, "results": results}
    try:
        for result in PARTS[part].measure(found, backends, settings["repeats"]):
            results.append(result)
            common.save(numbers, out)
    except LeftOutError as reason:
        raise ValueError(str(reason)) from None
    common.write_results(PARTS[part].table(results), numbers, out)
