"""Child process of ``forty_epochs``: ``python -m benchmarks.forty_epochs_child BACKEND FOLDER``.

Writes the seconds of each stage, starting at the import, and the device reads per epoch as JSON to stdout.
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


class Recorder:
    """Times of loop starts, ends of epochs and device reads."""

    def __init__(self) -> None:
        self.loops: list[float] = []
        self.epochs: list[float] = []
        self.reads: list[float] = []

    def wrap(self, backend: an.Backend) -> an.Backend:
        """Return the backend with `loop` and `to_host` recorded."""
        kind = type(backend)

        def loop(self_: an.Backend, step: Any, compile: str = "auto") -> Callable[..., Any]:
            run = kind.loop(self_, step, compile)

            def recorded(*args: Any, **kwargs: Any) -> Any:
                self.loops.append(time.perf_counter())
                return run(*args, **kwargs)

            return recorded

        def to_host(self_: an.Backend, array: Any) -> Any:
            self.reads.append(time.perf_counter())
            return kind.to_host(self_, array)

        wrapped: an.Backend = type("Recorded", (kind,), {"loop": loop, "to_host": to_host})(
            backend.name, backend.device
        )
        return wrapped

    def on_epoch(self, row: Any) -> None:
        """Record the end of an epoch."""
        self.epochs.append(time.perf_counter())


def main(name: str, folder: str) -> None:
    """Train one layer for `EPOCHS` epochs and print the timings."""
    recorder = Recorder()
    backend = recorder.wrap(an.backend(name))
    imported = time.perf_counter()
    data = an.data.cifar10(folder, "data_batch_1", "data_batch_2")
    read = time.perf_counter()
    net = an.Sequential(an.Linear(3072, 10))
    settings: dict[str, Any] = {"epochs": EPOCHS, "batch_size": 100, "on_epoch": recorder.on_epoch, "progress": False}
    an.fit(net, data, an.SGD(0.001), backend=backend, **settings)
    done = time.perf_counter()
    epochs = list(pairwise(recorder.epochs))
    first, typical = recorder.epochs[0] - recorder.loops[0], median(after - before for before, after in epochs)
    reads = median(sum(before < when <= after for when in recorder.reads) for before, after in epochs)
    seconds = {
        "import": imported - BEGAN,
        "read files": read - imported,
        "normalize and move": recorder.loops[0] - read,
        "first epoch minus a typical one": first - typical,
        "epochs": recorder.epochs[-1] - recorder.loops[0] - (first - typical),
        "test": done - recorder.epochs[-1],
        "total": done - BEGAN,
    }
    json.dump({"seconds": seconds, "device reads per epoch": reads}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
