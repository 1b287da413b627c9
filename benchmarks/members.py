"""How much faster ten nets train at once than one after another: ``python -m benchmarks.members [BACKEND...]``.

Both ways, and one net alone, are ``anynet.fit`` with everything it does, for an epoch of 45,000 random images, in turn,
in one process. Images a second are those of all ten nets together.
"""

import statistics
from pathlib import Path

import numpy as np
from rich.table import Table

import anynet as an
from anynet.data import Dataset, Split
from anynet.training import Settings
from benchmarks.side_by_side import backends, check_new, in_turn, leave, run

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


def main(*names: str, epochs: int = 1, out: Path | None = None) -> None:
    """Measure, print a table, and the same as JSON.

    Parameters
    ----------
    names:
        Backends; numpy and jax:cpu by default.
    epochs:
        Of each training. The more there are, the less compiling, once for all or once for each net, weighs.
    out:
        File for the JSON, which goes to stdout otherwise.
    """
    check_new(out)
    data, results, images = _images(), [], epochs * TRAIN
    table = Table("backend", "net", "times one after another", "times one alone", title="Ten nets, images/s")
    for column in ("at once", "one after another", "one alone"):
        table.add_column(column, justify="right")
    for name, backend in backends(names or ["numpy", "jax:cpu"]).items():
        for what, (net, optimizer, batch_size) in NETS.items():
            settings = Settings(epochs=epochs, batch_size=batch_size, backend=backend)

            def at_once() -> object:
                return an.fit(net, data, optimizer, seeds=range(MEMBERS), progress=False, **settings)  # noqa: B023

            def one_after_another() -> object:
                each = (settings | {"seed": seed} for seed in range(MEMBERS))  # noqa: B023
                return [an.fit(net, data, optimizer, progress=False, **own) for own in each]  # noqa: B023

            def alone() -> object:
                return an.fit(net, data, optimizer, progress=False, **settings)  # noqa: B023

            seconds = in_turn([at_once, one_after_another, alone], REPEATS)
            rates = [
                n * images / statistics.median(took) for n, took in zip((MEMBERS, MEMBERS, 1), seconds, strict=True)
            ]
            ratios = (f"{rates[0] / rate:.2f}" for rate in rates[1:])
            table.add_row(name, what, *ratios, *(f"{rate:,.0f}" for rate in rates))
            ways = zip(("at once", "one after another", "one alone"), seconds, strict=True)
            results.append({"backend": name, "net": what} | dict(ways))
    leave(table, {"members": MEMBERS, "epochs": epochs, "seconds": results}, out)


def _images() -> Dataset:
    rng = np.random.default_rng(0)

    def draw(n: int) -> Split:
        return Split(rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 10, n))

    return Dataset("random", tuple("0123456789"), draw(TRAIN), draw(REST), draw(REST))


if __name__ == "__main__":
    run(main)
