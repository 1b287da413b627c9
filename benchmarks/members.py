"""Speed of ten members of one training: ``python -m benchmarks.members [BACKEND...]``.

Compares one call of ``anynet.fit`` with ten members, ten calls with one net each, and one call with one net, on 45,000
random images, or 2,560 for a convolutional net. The variants take turns in one process. Images per second are summed
over the nets.
"""

import statistics
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

import anynet as an
from anynet.data import Dataset, Split
from anynet.training import Settings
from benchmarks.common import backends, check_new, interleaved, run, save, write_results

MEMBERS, REPEATS = 10, 5
VARIANTS = "members", "sequential", "single net"
TRAIN, FEW = 45_000, 2_560

NETS = {
    "100-100 sigmoid": (
        an.Sequential(an.Linear(3072, 100), an.Sigmoid(), an.Linear(100, 100), an.Sigmoid(), an.Linear(100, 10)),
        an.SGD(lr=0.1),
        64,
        TRAIN,
    ),
    "50-50 batch-normalized": (
        an.Sequential(
            *(an.Linear(3072, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 50), an.BatchNorm(50), an.ReLU()),
            an.Linear(50, 10),
        ),
        an.SGD(lr=0.02, momentum=0.9),
        100,
        TRAIN,
    ),
    "32-64 convolutional": (
        an.Sequential(
            *(an.Conv2d(32), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)),
            *(an.Conv2d(64), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2), an.Flatten(), an.Linear(10)),
            input_shape=(3, 32, 32),
        ),
        an.SGD(lr=0.01, momentum=0.9, nesterov=True),
        128,
        FEW,
    ),
}
"""Net, optimizer, batch size and number of images by name."""


def main(*names: str, epochs: int = 1, out: Path | None = None) -> None:
    """Time ten members, ten single nets one after another, and one net.

    Parameters
    ----------
    names:
        Backends. Default: numpy and jax:cpu.
    epochs:
        Epochs of each training. With more epochs, compile time (once, or once per net) matters less.
    out:
        JSON file. Default: stdout.
    """
    check_new(out)
    results: list[dict[str, Any]] = []
    numbers = {"members": MEMBERS, "epochs": epochs, "seconds": results}
    table = Table("backend", "net", "times sequential", "times single net", title="Ten nets, images/s")
    for column in VARIANTS:
        table.add_column(column, justify="right")
    for name, backend in backends(names or ["numpy", "jax:cpu"]).items():
        for net_name, (net, optimizer, batch_size, images) in NETS.items():
            data = random_images(images, images // 9)
            settings = Settings(epochs=epochs, batch_size=batch_size, backend=backend)

            def members() -> object:
                return an.fit(net, data, optimizer, seeds=range(MEMBERS), progress=False, **settings)  # noqa: B023

            def sequential() -> object:
                each = (settings | {"seed": seed} for seed in range(MEMBERS))  # noqa: B023
                return [an.fit(net, data, optimizer, progress=False, **own) for own in each]  # noqa: B023

            def single() -> object:
                return an.fit(net, data, optimizer, progress=False, **settings)  # noqa: B023

            seconds = interleaved([members, sequential, single], REPEATS)
            rates = [
                n * epochs * images / statistics.median(took)
                for n, took in zip((MEMBERS, MEMBERS, 1), seconds, strict=True)
            ]
            ratios = (f"{rates[0] / rate:.2f}" for rate in rates[1:])
            table.add_row(name, net_name, *ratios, *(f"{rate:,.0f}" for rate in rates))
            results.append({"backend": name, "net": net_name} | dict(zip(VARIANTS, seconds, strict=True)))
            save(numbers, out)
    write_results(table, numbers, out)


def random_images(train: int, others: int) -> Dataset:
    """Return random images and labels for training, and others each for validation and for the test."""
    rng = np.random.default_rng(0)

    def draw(n: int) -> Split:
        return Split(rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 10, n))

    return Dataset("random", tuple("0123456789"), draw(train), draw(others), draw(others))


if __name__ == "__main__":
    run(main)
