"""Results of a run, or of several as one row: means and deviations."""

from collections.abc import Sequence
from typing import NamedTuple

from anynet.core.history import mean_and_deviation
from anynet.training.run import Run
from anynet.training.runs_html import counts


class Result(NamedTuple):
    """Results of a run, or of several that are one row.

    Attributes
    ----------
    name : str
    members : int
        Number of the runs that neither diverged nor were dropped.
    epochs : int
        Largest number of epochs.
    best_epoch : float
        Mean of the best epochs.
    train, val, test : tuple of float, or None
        Mean and deviation of accuracies with the best parameters, or of losses if targets are numbers; None if they
        were not measured. Deviations divide by n - 1 and are 0 for one run.
    seconds : float
        Time of training and evaluation of all.
    """

    name: str
    members: int
    epochs: int
    best_epoch: float
    train: tuple[float, float] | None
    val: tuple[float, float] | None
    test: tuple[float, float] | None
    seconds: float


def finished(runs: Sequence[Run]) -> list[Run]:
    """Return the runs with an epoch or more that neither diverged nor were dropped."""
    return [run for run in runs if run.history and counts(run)]


def result_of(name: str, runs: Sequence[Run]) -> Result:
    """Return the results of runs that are one row.

    Parameters
    ----------
    name : str
    runs : sequence of Run
        One or more.

    Returns
    -------
    Result
    """
    ended = finished(runs)
    bests = [run.history.best for run in ended]
    accuracy = bool(runs[0].classes)
    tests = [run.best_test and (run.best_test.accuracy if accuracy else run.best_test.loss) for run in ended]
    trains = [row.train_accuracy if accuracy else row.train_loss for row in bests]
    vals = [row.val_accuracy if accuracy else row.val_loss for row in bests]
    best = float(mean_and_deviation([row.epoch for row in bests])[0]) if bests else 0.0
    epochs, seconds = max(len(run.history) for run in runs), max(run.seconds for run in runs)
    return Result(name, len(ended), epochs, best, _mean(trains), _mean(vals), _mean(tests), seconds)


def _mean(values: Sequence[float | None]) -> tuple[float, float] | None:
    there = [value for value in values if value is not None]
    if not there or len(there) < len(values):
        return None
    mean, deviation = mean_and_deviation(there)
    return float(mean), float(deviation)
