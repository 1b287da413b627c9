"""What ``forty_epochs`` has a fresh process do: ``python -m benchmarks.first_run BACKEND FOLDER``.

Writes the seconds of its parts, from the import on, and how often the device was read an epoch, as JSON on stdout.
"""

import time

BEGAN = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from itertools import pairwise  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any  # noqa: E402

import anynet as an  # noqa: E402

EPOCHS = 40


class Watch:
    """When things happened."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.epochs: list[float] = []
        self.reads: list[float] = []

    def watched(self, backend: an.Backend) -> an.Backend:
        """The backend, which notes when a loop is begun, and when its device is read."""
        kind = type(backend)

        def loop(own: an.Backend, step: Any) -> Callable[..., Any]:
            run = kind.loop(own, step)

            def noted(*args: Any) -> Any:
                self.steps.append(time.perf_counter())
                return run(*args)

            return noted

        def to_host(own: an.Backend, array: Any) -> Any:
            self.reads.append(time.perf_counter())
            return kind.to_host(own, array)

        return type("Watched", (kind,), {"loop": loop, "to_host": to_host})(backend.name, backend.device)

    def epoch(self, row: Any) -> None:
        """To be called after every epoch."""
        self.epochs.append(time.perf_counter())


def main(name: str, folder: str) -> None:
    """Train the one layer, and say how long that took."""
    watch = Watch()
    backend = watch.watched(an.backend(name))
    imported = time.perf_counter()
    data = an.data.cifar10(folder, "data_batch_1", "data_batch_2")
    read = time.perf_counter()
    net = an.Sequential(an.Linear(3072, 10))
    settings: dict[str, Any] = {"epochs": EPOCHS, "batch_size": 100, "on_epoch": watch.epoch, "progress": False}
    an.fit(net, data, an.SGD(0.001), backend=backend, **settings)
    done = time.perf_counter()
    epochs = list(pairwise(watch.epochs))
    first, usual = watch.epochs[0] - watch.steps[0], median(after - before for before, after in epochs)
    reads = median(sum(before < when <= after for when in watch.reads) for before, after in epochs)
    seconds = {
        "import": imported - BEGAN,
        "read the files": read - imported,
        "normalise and move": watch.steps[0] - read,
        "first epoch, beyond a usual one": first - usual,
        "epochs": watch.epochs[-1] - watch.steps[0] - (first - usual),
        "test": done - watch.epochs[-1],
        "in all": done - BEGAN,
    }
    json.dump({"seconds": seconds, "reads of the device an epoch": reads}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
