"""What the members of a sweep came to, each, and on average over the seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anynet.app.sweep.points import Point, combination
from anynet.core.history import History, mean_and_deviation
from anynet.training import Runs

ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy", "best_val_accuracy", "best_test_accuracy")
"""Of a member: after its last epoch, and after the one that was best in validation."""


def progress(history: History) -> dict[str, Any]:
    """What a history says by itself, by the names in result.json."""
    if not history:
        return {"epochs": 0}
    best = history.best
    return {
        "epochs": len(history),
        "train_accuracy": history[-1].train_accuracy,
        "val_accuracy": history[-1].val_accuracy,
        "best_epoch": best.epoch,
        "best_val_accuracy": best.val_accuracy,
    }


def groups(points: Sequence[Point]) -> list[tuple[Point, list[int]]]:
    """The combinations of swept settings but the seed, each with the numbers of its members."""
    found: list[tuple[Point, list[int]]] = []
    for k, point in enumerate(points):
        own = combination(point)
        members = next((members for other, members in found if other == own), None)
        if members is None:
            found.append((own, [k]))
        else:
            members.append(k)
    return found


def over_seeds(points: Sequence[Point], runs: Runs, results: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each combination its settings, its members' numbers, which of them diverged, and of the others' accuracies
    mean and deviation; the best in validation first.

    results: of the members that did not diverge, by number. The square of a deviation is the sum of squares divided by
        their number less one; of a single one it is 0.
    """
    rows = []
    for settings, members in groups(points):
        row: dict[str, Any] = {
            "settings": settings,
            "members": members,
            "diverged": [k for k in members if k in runs.diverged],
        }
        sound = [results[k] for k in members if k in results]
        if sound:
            row |= {name: _mean([result[name] for result in sound]) for name in ACCURACIES}
        rows.append(row)
    return sorted(rows, key=lambda row: -row["best_val_accuracy"]["mean"] if "best_val_accuracy" in row else np.inf)


def _mean(values: Sequence[float]) -> dict[str, float]:
    mean, deviation = mean_and_deviation(values)
    return {"mean": float(mean), "deviation": float(deviation)}
