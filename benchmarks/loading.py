"""Cost of streaming images: ``python -m benchmarks.loading [BACKEND...] [--quick] [--out FILE.json]``.

Times an epoch with the images on the device and an epoch with images gathered on the host and moved in blocks of
batches (to CUDA through page-locked memory, overlapped with computation), with training and for the batches alone. The
variants take turns in one process.
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
from benchmarks.common import backends, check_new, interleaved, run, write_results
from benchmarks.members import NETS

BATCH_SIZES = (64, 512, 4096)
IMAGES, FEW_IMAGES, REPEATS, QUICK_REPEATS = 32_768, 8_192, 7, 2

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
    """Time epochs with resident and with streamed images.

    Parameters
    ----------
    names:
        Backends. Default: numpy.
    quick:
        Use few images and repeats, and leave out the wide net.
    out:
        JSON file. Default: stdout.
    """
    check_new(out)
    table = Table("backend", "net", "batch", "streamed / resident", title="Images streamed, images/s")
    for column in ("resident", "streamed"):
        table.add_column(column, justify="right")
    results = []
    for name, backend in backends(names or ["numpy"]).items():
        for net in (None, *(name for name in TRAINED if not (quick and name == WIDE))):
            loaders = make_loaders(backend, FEW_IMAGES if quick or net == WIDE else IMAGES)
            for batch_size in BATCH_SIZES:
                variants = [epoch(net, loader, batch_size) for loader in loaders]
                resident, streamed = interleaved(variants, QUICK_REPEATS if quick else REPEATS)
                rates = [len(loaders[0]) / statistics.median(took) for took in (resident, streamed)]
                row = name, net or "batches only", str(batch_size)
                table.add_row(*row, f"{rates[1] / rates[0]:.2f}", *(f"{rate:,.0f}" for rate in rates))
                found = {"images": len(loaders[0]), "resident": resident, "streamed": streamed}
                results.append(dict(zip(("backend", "net", "batch size"), row, strict=True)) | found)
            table.add_section()
    write_results(table, {"seconds": results}, out)


def make_loaders(backend: Backend, n: int) -> list[Loader]:
    """Return loaders of the same random images, resident and streamed."""
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (n, 3072), np.uint8), rng.integers(0, 10, n))
    return [Loader(split, backend, resident=resident) for resident in (True, False)]


def epoch(name: str | None, loader: Loader, batch_size: int) -> Callable[[], None]:
    """Return a function that runs an epoch and waits for the device.

    Each call uses a new order of the images. `name` is the net; None only makes the batches.
    """
    backend, epochs = loader.backend, 0

    def batches() -> None:
        nonlocal epochs
        (last,) = deque(loader.shuffled(batch_size, 0, epochs), maxlen=1)
        backend.wait(last)
        epochs += 1

    if name is None:
        return batches

    def put(host: np.ndarray) -> Array:
        return backend.asarray(host.astype(np.float32))

    net, optimizer = TRAINED[name]
    loop = BatchLoop(train_step(net, an.losses.softmax_cross_entropy, optimizer), backend)
    carry = start(net, optimizer, *net.init(0, like=put(np.zeros(1))))
    fixed = Fixed(Normalization(put(np.full(3072, 1 / 64)), put(np.full(3072, -2.0))), None)
    rates = put(np.full(len(loader) // batch_size, 1e-4))

    def train() -> None:
        nonlocal carry, epochs
        carry = loop(carry, fixed, loader.shuffled(batch_size, 0, epochs), rates)
        backend.wait(carry)
        epochs += 1

    return train


if __name__ == "__main__":
    run(main)
