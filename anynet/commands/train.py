"""``anynet train``, which is also ``python train.py``."""

from pathlib import Path

from anynet import experiment
from anynet.config import Config


def train(config: Config = Config(), *, run: Path | None = None, preset: str | None = None) -> None:  # noqa: B008
    """Train a classifier of CIFAR-10's images.

    Parameters
    ----------
    preset:
        A report's configuration to start from, as in garcia-sanz/2; what else is given goes on top.
    run:
        Folder for the results, a new one. Default: runs/ and the time.
    """
    _, folder, result = experiment.train(config, run)
    print(
        f"{'stopped by hand; ' if result['interrupted'] else ''}{result['dataset']}, {result['backend']} on "
        f"{result['device']}: test accuracy {result['test_accuracy']:.2%} after epoch {result['epochs']}, "
        f"{result['best_test_accuracy']:.2%} after epoch {result['best_epoch']}, the best in validation; "
        f"{result['seconds']:.0f} s; results in {folder}"
    )
