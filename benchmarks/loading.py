"""What streaming costs: ``python -m benchmarks.loading [BACKEND...] [--quick] [--out FILE.json]``.

An epoch of training with the images on the device, beside one with them gathered on the host and moved in blocks of
batches (to CUDA through page-locked memory, while the device works on the block before); and the batches alone, without
training. All in turn, in one process.
"""

import statistics
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.table import Table

import anynet as an
from anynet.backends import Backend
from anynet.core.typing import Array
from anynet.data import Loader, Normalization, Split
from anynet.training.loop import BatchLoop
from anynet.training.step import Fixed, start, train_step
from benchmarks.members import NETS
from benchmarks.side_by_side import backends, check_new, in_turn, leave, run

BATCH_SIZES = (64, 512, 4096)
IMAGES, FEW, REPEATS, QUICK_REPEATS = 32_768, 8_192, 7, 2

WIDE = "2048-2048 ReLU"
TRAINED = {
    "one layer": (an.Sequential(an.Linear(3072, 10)), an.SGD()),
    **{name: (net, optimizer) for name, (net, optimizer, _) in NETS.items()},
    WIDE: (
        an.Sequential(an.Linear(3072, 2048), an.ReLU(), an.Linear(2048, 2048), an.ReLU(), an.Linear(2048, 10)),
        an.Adam(),
    ),
}


def main(*names: str, quick: bool = False, out: Path | None = None) -> None:
    """Measure, print a table, and the same as JSON.

    Parameters
    ----------
    names:
        Backends; numpy by default.
    quick:
        Only a few images and repeats, and not the wide net.
    out:
        File for the JSON, which goes to stdout otherwise.
    """
    check_new(out)
    table = Table("backend", "what", "batch", "streamed / resident", title="Images streamed, images/s")
    for column in ("resident", "streamed"):
        table.add_column(column, justify="right")
    results = []
    for name, backend in backends(names or ["numpy"]).items():
        for what in (None, *(net for net in TRAINED if not (quick and net == WIDE))):
            loaders = _loaders(backend, FEW if quick or what == WIDE else IMAGES)
            for batch_size in BATCH_SIZES:
                ways = [_epoch(what, loader, batch_size) for loader in loaders]
                resident, streamed = in_turn(ways, QUICK_REPEATS if quick else REPEATS)
                rates = [len(loaders[0]) / statistics.median(took) for took in (resident, streamed)]
                row = name, what or "batches alone", str(batch_size)
                table.add_row(*row, f"{rates[1] / rates[0]:.2f}", *(f"{rate:,.0f}" for rate in rates))
                found = {"images": len(loaders[0]), "resident": resident, "streamed": streamed}
                results.append(dict(zip(("backend", "what", "batch size"), row, strict=True)) | found)
            table.add_section()
    leave(table, {"seconds": results}, out)


def _loaders(backend: Backend, n: int) -> list[Loader]:
    """The same random images, on the device and not."""
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (n, 3072), np.uint8), rng.integers(0, 10, n))
    return [Loader(split, backend, resident=resident) for resident in (True, False)]


def _epoch(what: str | None, loader: Loader, batch_size: int) -> Callable[[], None]:
    """What goes through all images once, in an order drawn anew each time, and ends when the device is done."""
    backend, done = loader.backend, 0

    def batches() -> None:
        nonlocal done
        (last,) = deque(loader.shuffled(batch_size, 0, done), maxlen=1)
        backend.wait(last)
        done += 1

    if what is None:
        return batches

    def put(host: np.ndarray) -> Array:
        return backend.asarray(host.astype(np.float32))

    net, optimizer = TRAINED[what]
    loop = BatchLoop(train_step(net, an.losses.softmax_cross_entropy, optimizer), backend)
    carry = start(net, optimizer, *net.init(0, like=put(np.zeros(1))))
    fixed = Fixed(Normalization(put(np.full(3072, 1 / 64)), put(np.full(3072, -2.0))), None)
    rates = put(np.full(len(loader) // batch_size, 1e-4))

    def train() -> None:
        nonlocal carry, done
        carry = loop(carry, fixed, loader.shuffled(batch_size, 0, done), rates)
        backend.wait(carry)
        done += 1

    return train


if __name__ == "__main__":
    run(main)
