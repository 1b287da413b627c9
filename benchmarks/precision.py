"""Accuracy and speed of matmul precisions: ``python -m benchmarks.precision BACKEND``.

Trains two nets with three seeds at each precision of the backend. The backend "rounded" is NumPy with rounded operands:
it shows a GPU's accuracy, not its speed.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

import anynet as an
from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.core.history import mean_and_deviation
from anynet.data.sources import find
from anynet.training import Run
from benchmarks import common
from benchmarks.rounded import RoundedNumpy

SEEDS, ROUNDED = (42, 43, 44), "rounded"

NETS = {
    "512-128 batch-normalized, SGD": Config(),
    "2048-2048, Adam": Config(hidden="2048,2048", norm="none", l2=0.0, optimizer="adam", lr=1e-4, batch_size=512),
}


class Outcome(NamedTuple):
    """Results of one net at one precision.

    Attributes
    ----------
    net, precision : str
    test_accuracy, train_loss : list of float
        Values for each seed after the last epoch.
    images_per_second : list of float
        Training images per second including evaluation; the first epoch, in which libraries compile, is left out if
        there are others.
    """

    net: str
    precision: str
    test_accuracy: list[float]
    train_loss: list[float]
    images_per_second: list[float]


def main(backend: str, *, data: str = "auto", epochs: common.Count = 20, out: Path | None = None) -> None:
    """Train at every matmul precision of a backend.

    Parameters
    ----------
    backend:
        Backend as for train.py, or "rounded".
    data:
        Images as for train.py.
    epochs:
        Epochs of each run.
    out:
        JSON file. Default: stdout.
    """
    common.check_new(out)
    chosen = RoundedNumpy("numpy", "cpu") if backend == ROUNDED else an.backend(backend)
    found = find(data)
    outcomes = [Outcome(net, precision, [], [], []) for net in NETS for precision in chosen.precisions]
    numbers = {
        "backend": backend,
        "device": chosen.device_name,
        "dataset": found[0],
        "epochs": epochs,
        "seeds": SEEDS,
        "results": [outcome._asdict() for outcome in outcomes],
    }
    for net, config in NETS.items():
        own = [outcome for outcome in outcomes if outcome.net == net]
        for _ in train_all(own, replace(config, backend=chosen.name, epochs=epochs), chosen, found):
            common.save(numbers, out)
    table = results_table(outcomes, f"{chosen}: {found[0]}, {epochs} epochs, {len(SEEDS)} seeds")
    common.write_results(table, numbers, out)


def train_all(outcomes: Sequence[Outcome], config: Config, chosen: an.Backend, found: Any) -> Iterator[Outcome]:
    """Train one net at each precision, and yield after each run; the precisions take turns, seed by seed."""
    for seed in SEEDS:
        for outcome in outcomes:
            experiment = prepare(replace(config, seed=seed), found)
            run = experiment._replace(backend=chosen.with_precision(outcome.precision)).fit()
            if run.test is None or run.test.accuracy is None:
                raise ValueError(f"{run.dataset}: expected test images with classes, got none")
            outcome.test_accuracy.append(run.test.accuracy)
            outcome.train_loss.append(float(run.history["train_loss"][-1]))
            outcome.images_per_second.append(images_per_second(run, len(experiment.data.train)))
            yield outcome


def images_per_second(run: Run, images: int) -> float:
    """Return training images per second, without the first epoch if there are others."""
    first, last = run.history[0], run.history[-1]
    if first is last:
        return images / last.seconds
    return (last.epoch - first.epoch) * images / (last.seconds - first.seconds)


def results_table(outcomes: Sequence[Outcome], title: str) -> Table:
    """Return mean and standard deviation of the accuracy, the loss and the speed, and differences to float32."""
    table = Table(
        *("net", "precision", "test accuracy", "minus float32", "final training loss", "minus float32", "images/s"),
        "times float32",
        title=title,
    )
    for outcome in outcomes:
        base = next(other for other in outcomes if (other.net, other.precision) == (outcome.net, "float32"))
        accuracy, deviation = mean_and_deviation(outcome.test_accuracy)
        base_accuracy, _ = mean_and_deviation(base.test_accuracy)
        loss, base_loss = (mean_and_deviation(each.train_loss)[0] for each in (outcome, base))
        speed, base_speed = (statistics.median(each.images_per_second) for each in (outcome, base))
        table.add_row(
            outcome.net if outcome is base else "",
            outcome.precision,
            f"{accuracy:.2%} ± {deviation:.2%}",
            f"{accuracy - base_accuracy:+.2%}",
            f"{loss:.4f}",
            f"{loss - base_loss:+.4f}",
            f"{speed:,.0f}",
            f"{speed / base_speed:.2f}",
        )
    return table


if __name__ == "__main__":
    common.run(main)
