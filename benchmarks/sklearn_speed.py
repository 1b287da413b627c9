"""Speed of ``anynet.sklearn`` beside scikit-learn's own nets: ``python -m benchmarks.sklearn_speed``.

``NetClassifier`` and ``MLPClassifier`` train a net with two hidden layers of 100 for as many epochs, with Adam, batches
of one size and no penalty. ``NetSearchCV`` and ``GridSearchCV`` over ``MLPClassifier``, with two processes, search 20
candidates with one hidden layer on five folds of digits. The two take turns. Losses differ by the draw of the initial
parameters. What anynet compiles after some seconds of a long training is compiled in the first round, which is not
timed.
"""

import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from anynet.sklearn import NetClassifier, NetSearchCV
from benchmarks.common import backends, check_new, interleaved, run, save, write_results

JOBS, FOLDS = 2, 5
RATES, PENALTIES = (0.001, 0.002, 0.005, 0.01), (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
"""Candidates of the search: 20 combinations of learning rate and of scikit-learn's alpha, in batches of 200."""


def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def images() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return 10,000 images of CIFAR-10's size: ten patterns in noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 10_000)
    patterns = rng.random((10, 3072), np.float32)
    return 0.1 * patterns[y] + rng.random((len(y), 3072), np.float32), y


def main(*, epochs: int = 60, repeats: int = 5, out: Path | None = None) -> None:
    """Time classifiers on digits and on images of CIFAR-10's size, and a search on digits.

    Parameters
    ----------
    epochs:
        Epochs of each training; on the larger images a sixth of them.
    repeats:
        Number of turns.
    out:
        JSON file. Default: stdout.
    """
    check_new(out)
    warnings.simplefilter("ignore", ConvergenceWarning)
    backends(["numpy"])
    results: list[dict[str, Any]] = []
    numbers = {"epochs": epochs, "jobs": JOBS, "results": results}
    table = Table("training", "ratio", "anynet", "scikit-learn", "losses or errors", title="Speed beside scikit-learn")

    def add(name: str, own: Callable[[], float], other: Callable[[], float]) -> None:
        losses: tuple[list[float], list[float]] = ([], [])
        seconds = interleaved([lambda: losses[0].append(own()), lambda: losses[1].append(other())], repeats)
        here, there = map(statistics.median, seconds)
        found = ", ".join(f"{each[-1]:.4g}" for each in losses)
        table.add_row(name, f"{there / here:.2f}", f"{here:.3f} s", f"{there:.3f} s", found)
        results.append({"name": name, "anynet": seconds[0], "scikit-learn": seconds[1], "loss": [*losses]})
        save(numbers, out)

    few = max(epochs // 6, 1)
    for name, (X, y), n, batch in (
        ("digits", digits(), epochs, 200),
        ("10,000 x 3072", images(), few, 200),
        ("10,000 x 3072", images(), few, 100),
    ):

        def net(X: Any = X, y: Any = y, n: int = n, batch: int = batch) -> float:
            settings: dict[str, Any] = {
                "epochs": n,
                "batch_size": batch,
                "tol": 0,
                "patience": np.inf,
                "random_state": 0,
            }
            return float(NetClassifier((100, 100), **settings).fit(X, y).loss_)

        def mlp(X: Any = X, y: Any = y, n: int = n, batch: int = batch) -> float:
            settings: dict[str, Any] = {
                "max_iter": n,
                "batch_size": batch,
                "tol": 0,
                "n_iter_no_change": np.inf,
                "random_state": 0,
            }
            return float(MLPClassifier((100, 100), alpha=0, **settings).fit(X, y).loss_)

        add(f"{name}, {n} epochs in batches of {batch}", net, mlp)
    X, y = digits()
    for width in (32, 100):

        def search(width: int = width) -> float:
            net = NetClassifier((width,), epochs=epochs, tol=0, random_state=0)
            found = NetSearchCV(
                net, {"lr": RATES, "l2": [alpha / 400 for alpha in PENALTIES]}, cv=FOLDS, refit=False
            ).fit(X, y)
            return 1 - float(found.best_score_)

        def grid(width: int = width) -> float:
            mlp = MLPClassifier((width,), max_iter=epochs, tol=0, n_iter_no_change=np.inf, random_state=0)
            grid = {"learning_rate_init": RATES, "alpha": PENALTIES}
            return 1 - float(GridSearchCV(mlp, grid, cv=FOLDS, n_jobs=JOBS, refit=False).fit(X, y).best_score_)

        add(f"search, width {width}", search, grid)
    write_results(table, numbers, out)


if __name__ == "__main__":
    run(main)
