"""Cost of a checkpoint after every epoch: ``python -m benchmarks.checkpoints [BACKEND...] [--out FILE.json]``.

Trains nets of the reports on 45,000 random images with checkpoints and without, in turn. Prints the ratio of the times,
and the share of the time with checkpoints in which training waits for one: copies to the host, and the disk if the one
before is not written yet. The ratio has the work of the thread that writes, too, and the noise of the machine.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from rich.table import Table

import anynet as an
from anynet.training.checkpoints import Checkpoints
from benchmarks.common import backends, check_new, interleaved, run, save, write_results
from benchmarks.members import TRAIN, random_images

EPOCHS, REPEATS = 12, 5


def net(*hidden: int) -> an.Sequential:
    """Return a batch-normalized net of CIFAR-10's shape."""
    sizes = (3072, *hidden)
    layers = [(an.Linear(n, m), an.BatchNorm(m), an.ReLU()) for n, m in zip(sizes, hidden, strict=False)]
    return an.Sequential(*(part for layer in layers for part in layer), an.Linear(sizes[-1], 10))


NETS = {"3072-10": net(), "50-50": net(50, 50), "512-128": net(512, 128)}


def main(*names: str, epochs: int = EPOCHS, out: Path | None = None) -> None:
    """Time trainings with checkpoints and without.

    Parameters
    ----------
    names:
        Backends. Default: numpy.
    epochs:
        Epochs of each training.
    out:
        JSON file. Default: stdout.
    """
    check_new(out)
    data = random_images(TRAIN, TRAIN // 9)
    results: list[dict[str, Any]] = []
    numbers = {"epochs": epochs, "trainings": results}
    table = Table("backend", "net", "ratio", "waiting", "s/epoch", title="A checkpoint after every epoch")
    for name, backend in backends(names or ["numpy"]).items():
        for net_name, layers in NETS.items():

            def train(**settings: Any) -> None:
                an.fit(
                    layers,  # noqa: B023
                    data,
                    an.SGD(0.01, momentum=0.9),
                    epochs=epochs,
                    batch_size=100,
                    backend=backend,  # noqa: B023
                    progress=False,
                    **settings,
                )

            def checkpointed() -> None:
                with TemporaryDirectory() as folder:
                    train(checkpoint=Path(folder, "kept"))

            with waiting() as waited:
                plain, kept = interleaved([train, checkpointed], REPEATS)
            share = statistics.median(map(lambda w, s: w / s, waited[1:], kept))
            ratio = statistics.median(map(lambda a, b: a / b, kept, plain))
            results.append({"backend": name, "net": net_name, "without": plain, "with": kept, "waited": waited[1:]})
            seconds = statistics.median(plain) / epochs
            table.add_row(name, net_name, f"{ratio:.3f}", f"{share:.2%}", f"{seconds:.2f}")
            save(numbers, out)
    write_results(table, numbers, out)


@contextmanager
def waiting() -> Iterator[list[float]]:
    """Context manager that adds up, for each training with checkpoints, the seconds that it waits for them."""
    waited: list[float] = []

    def timed(method: Callable[..., None]) -> Callable[..., None]:
        def call(checkpoints: Checkpoints, *args: Any) -> None:
            before, began = waited[-1], time.perf_counter()
            method(checkpoints, *args)
            waited[-1] = before + time.perf_counter() - began  # `save` calls `finish`, whose time it includes

        return call

    def made(checkpoints: Checkpoints, *args: Any) -> None:
        waited.append(0.0)
        make(checkpoints, *args)

    make = Checkpoints.__init__
    with (
        patch.object(Checkpoints, "__init__", made),
        patch.object(Checkpoints, "save", timed(Checkpoints.save)),
        patch.object(Checkpoints, "finish", timed(Checkpoints.finish)),
    ):
        yield waited


if __name__ == "__main__":
    run(main)
