"""What rounding operands of products costs in accuracy, and gains in speed: ``python -m benchmarks.precision BACKEND``.

For each precision that the backend has: ``anynet.fit`` with everything it does, over three seeds. The backend "rounded"
is NumPy that rounds operands itself: accuracies as a GPU's, at no GPU's speed.
"""

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cyclopts
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import anynet as an
from anynet.app.config import Config, Count
from anynet.app.experiment import prepare
from anynet.core.atomic import write_whole
from anynet.core.history import mean_and_deviation
from anynet.data.sources import find
from anynet.training import Run
from benchmarks import machine
from benchmarks.rounded import RoundedNumpy

SEEDS, ROUNDED = (42, 43, 44), "rounded"

NETS = {
    "512-128 batch-normalised, SGD": Config(),
    "2048-2048, Adam": Config(hidden="2048,2048", batch_norm=False, l2=0.0, optimizer="adam", lr=1e-4, batch_size=512),
}


class Outcome(NamedTuple):
    """What one precision comes to with one net, for each seed.

    images_per_second: trained on, measuring after every epoch included; without the first epoch, in which libraries
        compile, where there are more.
    """

    net: str
    precision: str
    test_accuracy: list[float]
    train_loss: list[float]
    images_per_second: list[float]


def precision(backend: str, *, data: str = "auto", epochs: Count = 20, out: Path | None = None) -> None:
    """Train at every precision that a backend has, print a table, and the same as JSON.

    Parameters
    ----------
    backend:
        As for train; or "rounded".
    data:
        As for train.
    epochs:
        Of each run.
    out:
        File for the JSON, a new one. Default: standard output.
    """
    if out is not None and out.exists():
        raise FileExistsError(f"{out} is there already, and is not overwritten; choose another")
    chosen = RoundedNumpy("numpy", "cpu") if backend == ROUNDED else an.backend(backend)
    outcomes: list[Outcome] = []
    found = find(data)
    for net, config in NETS.items():
        outcomes += _outcomes(net, replace(config, backend=chosen.name, epochs=epochs), chosen, found)
    Console(stderr=True).print(_table(outcomes, f"{chosen}: {found[0]}, {epochs} epochs, {len(SEEDS)} seeds"))
    result = {
        "machine": machine.describe(),
        "backend": backend,
        "device": chosen.device_name,
        "dataset": found[0],
        "epochs": epochs,
        "seeds": SEEDS,
        "results": [outcome._asdict() for outcome in outcomes],
    }
    text = json.dumps(result, indent=1) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        write_whole(out, lambda path: path.write_text(text, encoding="utf-8"))


def _outcomes(net: str, config: Config, chosen: an.Backend, found: Any) -> list[Outcome]:
    """Of one net; the precisions in turn, seed by seed, so that a busy moment of the machine hits all alike."""
    outcomes = [Outcome(net, each, [], [], []) for each in chosen.precisions]
    for seed in SEEDS:
        for outcome in outcomes:
            experiment = prepare(replace(config, seed=seed), found)
            run = experiment._replace(backend=chosen.with_precision(outcome.precision)).fit()
            outcome.test_accuracy.append(run.test.accuracy)
            outcome.train_loss.append(run.history[-1].train_loss)
            outcome.images_per_second.append(_speed(run, int(config.train)))
    return outcomes


def _speed(run: Run, images: int) -> float:
    first, last = run.history[0], run.history[-1]
    if first is last:
        return images / last.seconds
    return (last.epoch - first.epoch) * images / (last.seconds - first.seconds)


def _means(outcome: Outcome) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Mean and deviation of the test accuracy and of the training loss."""
    return [mean_and_deviation(values) for values in (outcome.test_accuracy, outcome.train_loss)]


def _table(outcomes: Sequence[Outcome], title: str) -> Table:
    table = Table(
        *("net", "products", "test accuracy", "to float32", "final training loss", "to float32", "images/s"),
        "times float32",
        title=title,
    )
    for outcome in outcomes:
        base = next(other for other in outcomes if (other.net, other.precision) == (outcome.net, "float32"))
        (accuracy, spread), (loss, _) = _means(outcome)
        (base_accuracy, _), (base_loss, _) = _means(base)
        speed, base_speed = (statistics.median(each.images_per_second) for each in (outcome, base))
        table.add_row(
            outcome.net if outcome is base else "",
            outcome.precision,
            f"{accuracy:.2%} ± {spread:.2%}",
            f"{accuracy - base_accuracy:+.2%}",
            f"{loss:.4f}",
            f"{loss - base_loss:+.4f}",
            f"{speed:,.0f}",
            f"{speed / base_speed:.2f}",
        )
    return table


if __name__ == "__main__":
    try:
        cyclopts.run(precision)
    except (an.BackendError, OSError, ValueError, MemoryError) as error:
        sys.exit(f"{error}")
