"""``anynet train``, which is also ``python train.py``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich import print as show

from anynet.app import experiment
from anynet.app import sweep as sweeps
from anynet.app.config import Config, Count
from anynet.app.profiling import profile as time_steps
from anynet.app.sweep.table import summary, table


def train(
    config: Config = Config(),  # noqa: B008
    *,
    run: Path | None = None,
    preset: str | None = None,
    seeds: Count | None = None,
    sweep: Annotated[list[str] | None, Parameter(negative="")] = None,
    profile: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a classifier of CIFAR-10's images.

    Parameters
    ----------
    preset:
        A report's configuration to start from, as in garcia-sanz/2; what else is given goes on top.
    run:
        Folder for the results, a new one. Default: runs/ and the time.
    seeds:
        Train so many nets at once, with this seed and those that follow, on the same batches.
    sweep:
        A setting in which nets that are trained at once differ, once for each, as in lr=0.001,0.01: lr, l2, momentum,
        init, schedule, warmup or seed. Every combination is trained, with each of the seeds.
    profile:
        Instead of training, time some steps and print where their time goes, layer by layer. Writes nothing.
    """
    if profile and (run is not None or seeds is not None or sweep):
        raise ValueError("--profile trains nothing and writes no results; leave out --run, --seeds and --sweep, or it")
    if profile:
        show(time_steps(experiment.prepare(config)))
    elif seeds is None and not sweep:
        _, folder, result = experiment.train(config, run)
        print(
            f"{_where(result)}: test accuracy {result['test_accuracy']:.2%} after epoch {result['epochs']}, "
            f"{result['best_test_accuracy']:.2%} after epoch {result['best_epoch']}, the best in validation; "
            f"{result['seconds']:.0f} s; results in {folder}"
        )
    else:
        _, folder, result = sweeps.train(config, sweeps.points(config, sweep or (), seeds), run)
        if len(result["over_seeds"]) > 1:
            show(table(result))
        print(f"{_where(result)}: {summary(result)}; {result['seconds']:.0f} s; results in {folder}")


def _where(result: Mapping[str, Any]) -> str:
    stopped = "stopped by hand; " if result["interrupted"] else ""
    return f"{stopped}{result['dataset']}, {result['backend']} on {result['device']}"
