"""Results of the members of a sweep, and their mean and deviation over the seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anynet.app.space import Point
from anynet.app.sweep.points import without_seed
from anynet.core.epoch import score
from anynet.core.history import History, mean_and_deviation
from anynet.training import Runs

ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy", "best_val_accuracy", "best_test_accuracy")
"""Accuracies of a member: after its last epoch, and after the best in validation."""


def history_result(history: History) -> dict[str, Any]:
    """Return the results that a history contains, by their names in ``result.json``.

    Parameters
    ----------
    history : History
        Finished epochs.

    Returns
    -------
    dict
    """
    if not history:
        return {"epochs": 0}
    best = history.best
    results = {
        "epochs": len(history),
        "train_accuracy": history[-1].train_accuracy,
        "val_accuracy": history[-1].val_accuracy,
        "best_epoch": best.epoch,
        "best_val_accuracy": best.val_accuracy,
    }
    return {name: value for name, value in results.items() if value is not None}


def group_by_settings(points: Sequence[Point]) -> list[tuple[Point, list[int]]]:
    """Return the combinations of settings other than the seed, each with the numbers of its members.

    Parameters
    ----------
    points : sequence of dict
        Settings of each member.

    Returns
    -------
    list of tuple
        Settings, and a list of int.
    """
    found: list[tuple[Point, list[int]]] = []
    for k, point in enumerate(points):
        own = without_seed(point)
        members = next((members for other, members in found if other == own), None)
        if members is None:
            found.append((own, [k]))
        else:
            members.append(k)
    return found


def over_seeds(points: Sequence[Point], runs: Runs, results: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return mean and standard deviation over the seeds for each combination of the other settings.

    Parameters
    ----------
    points : sequence of dict
        Settings of each member.
    runs : Runs
        The trained members.
    results : mapping from int to mapping
        Results of the members that did not diverge, by number.

    Returns
    -------
    list of dict
        Settings, members, those that diverged, and "mean" and "deviation" (with n - 1) of each of `ACCURACIES` that was
        measured; the best in validation first or, without validation, that of the lowest mean training loss.
    """
    rows, scores = [], []
    for settings, members in group_by_settings(points):
        row: dict[str, Any] = {
            "settings": settings,
            "members": members,
            "diverged": [k for k in members if k in runs.diverged],
        }
        finished = [results[k] for k in members if k in results]
        if finished:
            measured = [name for name in ACCURACIES if all(name in result for result in finished)]
            row |= {name: _mean([result[name] for result in finished]) for name in measured}
        rows.append(row)
        scores.append(
            _mean([score(runs[k].history.best) for k in members if k in results])["mean"] if finished else -np.inf
        )
    order = sorted(range(len(rows)), key=lambda i: -scores[i])
    return [rows[i] for i in order]


def _mean(values: Sequence[float]) -> dict[str, float]:
    mean, deviation = mean_and_deviation(values)
    return {"mean": float(mean), "deviation": float(deviation)}
