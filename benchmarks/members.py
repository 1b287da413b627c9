"""How much faster ten nets train at once than one after another: ``python -m benchmarks.members [BACKEND...]``.

Both ways are ``anynet.fit`` with everything it does, for an epoch of 45,000 random images, in turn, in one process.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

import anynet as an
from anynet.data import Dataset, Split
from anynet.training.fit import Settings
from benchmarks import machine

MEMBERS, REPEATS = 10, 5
TRAIN, REST = 45_000, 5_000

NETS = {
    "100-100 sigmoid": (
        an.Sequential(an.Linear(3072, 100), an.Sigmoid(), an.Linear(100, 100), an.Sigmoid(), an.Linear(100, 10)),
        an.SGD(lr=0.1),
        64,
    ),
    "50-50 batch-normalised": (
        an.Sequential(
            *(an.Linear(3072, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 50), an.BatchNorm(50), an.ReLU()),
            an.Linear(50, 10),
        ),
        an.SGD(lr=0.02, momentum=0.9),
        100,
    ),
}
"""Net, optimizer, batch size."""


def main(names: list[str]) -> None:
    """Measure, print a table, and the same as JSON."""
    data, results = _images(), []
    table = Table("backend", "net", "times faster", "at once", "one after another", title="Ten nets, images/s")
    for name in names or ["numpy", "jax:cpu"]:
        backend = an.backend(name)
        if (library := backend.library) is not None:
            type(library).patience = 1  # compiles ahead what a long run compiles in its course
        for what, (net, optimizer, batch_size) in NETS.items():
            settings = Settings(epochs=1, batch_size=batch_size, backend=backend, progress=False)

            def at_once() -> object:
                return an.fit(net, data, optimizer, seeds=range(MEMBERS), **settings)  # noqa: B023

            def one_after_another() -> object:
                return [an.fit(net, data, optimizer, **settings | {"seed": seed}) for seed in range(MEMBERS)]  # noqa: B023

            seconds = _in_turn(at_once, one_after_another)
            once, apart = (MEMBERS * TRAIN / statistics.median(took) for took in seconds)
            table.add_row(name, what, f"{once / apart:.2f}", f"{once:,.0f}", f"{apart:,.0f}")
            results.append({"backend": name, "net": what, "at once": seconds[0], "one after another": seconds[1]})
    Console(stderr=True).print(table)
    json.dump({"machine": machine.describe(), "members": MEMBERS, "seconds": results}, sys.stdout, indent=1)
    print()


def _in_turn(*ways: Callable[[], object]) -> list[list[float]]:
    """Seconds of each, as often as they are repeated; the first time, in which they compile, does not count."""
    seconds: list[list[float]] = [[] for _ in ways]
    for repeat in range(REPEATS + 1):
        for way, took in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            way()
            if repeat:
                took.append(time.perf_counter() - began)
    return seconds


def _images() -> Dataset:
    rng = np.random.default_rng(0)

    def draw(n: int) -> Split:
        return Split(rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 10, n))

    return Dataset("random", tuple("0123456789"), draw(TRAIN), draw(REST), draw(REST))


if __name__ == "__main__":
    main(sys.argv[1:])
