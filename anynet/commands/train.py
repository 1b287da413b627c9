"""``anynet train``, which is also ``python train.py``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich import print as show

from anynet import experiment
from anynet.config import Config
from anynet.profiling import profile as time_steps


def train(
    config: Config = Config(),  # noqa: B008
    *,
    run: Path | None = None,
    preset: str | None = None,
    profile: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a classifier of CIFAR-10's images.

    Parameters
    ----------
    preset:
        A report's configuration to start from, as in garcia-sanz/2; what else is given goes on top.
    run:
        Folder for the results, a new one. Default: runs/ and the time.
    profile:
        Instead of training, time some steps and print where their time goes, layer by layer. Writes nothing.
    """
    if profile and run is not None:
        raise ValueError("--profile trains nothing and writes no results; leave out --run, or --profile")
    if profile:
        show(time_steps(experiment.prepare(config)))
        return
    _, folder, result = experiment.train(config, run)
    print(
        f"{'stopped by hand; ' if result['interrupted'] else ''}{result['dataset']}, {result['backend']} on "
        f"{result['device']}: test accuracy {result['test_accuracy']:.2%} after epoch {result['epochs']}, "
        f"{result['best_test_accuracy']:.2%} after epoch {result['best_epoch']}, the best in validation; "
        f"{result['seconds']:.0f} s; results in {folder}"
    )
