"""Cost of streaming images: ``python -m benchmarks.loading [BACKEND...] [--quick] [--out FILE.json]``.

Times an epoch with the images on the device and an epoch with images gathered on the host and moved in blocks of
batches (to CUDA through page-locked memory, overlapped with computation), with training and for the batches alone. The
variants take turns in one process.
"""

import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

import anynet as an
from anynet.data import Dataset
from anynet.training import Setup
from benchmarks.common import backends, check_new, interleaved, run, save, write_results
from benchmarks.members import NETS, random_images

BATCH_SIZES = (64, 512, 4096)
IMAGES, FEW_IMAGES, REPEATS, QUICK_REPEATS = 32_768, 8_192, 7, 2

WIDE = "2048-2048 ReLU"
TRAINED = {
    "one layer": (an.Sequential(an.Linear(3072, 10)), an.SGD()),
    **{name: (net, optimizer) for name, (net, optimizer, _, images) in NETS.items() if images >= IMAGES},
    WIDE: (
        an.Sequential(an.Linear(3072, 2048), an.ReLU(), an.Linear(2048, 2048), an.ReLU(), an.Linear(2048, 10)),
        an.Adam(),
    ),
}


def main(*names: str, quick: bool = False, out: Path | None = None) -> None:
    """Time epochs with images kept on the device and with streamed images.

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
    table = Table("backend", "net", "batch", "streamed / kept", title="Images kept or streamed, images/s")
    for column in ("kept", "streamed"):
        table.add_column(column, justify="right")
    results: list[dict[str, Any]] = []
    for name, backend in backends(names or ["numpy"]).items():
        for net in (None, *(name for name in TRAINED if not (quick and name == WIDE))):
            data = random_images(FEW_IMAGES if quick or net == WIDE else IMAGES, 1)
            for batch_size in BATCH_SIZES:
                setups = [prepare(net, data, backend, batch_size, resident=resident) for resident in (True, False)]
                variants = [epoch(ready, train=net is not None) for ready in setups]
                resident, streamed = interleaved(variants, QUICK_REPEATS if quick else REPEATS)
                rates = [len(data.train) / statistics.median(took) for took in (resident, streamed)]
                row = name, net or "batches only", str(batch_size)
                table.add_row(*row, f"{rates[1] / rates[0]:.2f}", *(f"{rate:,.0f}" for rate in rates))
                found = {"images": len(data.train), "resident": resident, "streamed": streamed}
                results.append(dict(zip(("backend", "net", "batch size"), row, strict=True)) | found)
                save({"seconds": results}, out)
            table.add_section()
    write_results(table, {"seconds": results}, out)


def prepare(net: str | None, data: Dataset, backend: an.Backend, batch_size: int, *, resident: bool) -> Setup:
    """Return a training of the named net, with images on the device or streamed; None stands for the first net."""
    layers, optimizer = TRAINED[net or next(iter(TRAINED))]
    budget = 2 * data.train.x.nbytes if resident else 0
    return an.setup(
        layers,
        data,
        replace(optimizer, lr=1e-4),
        batch_size=batch_size,
        backend=backend,
        normalize="none",
        memory_budget=budget,
    )


def epoch(ready: Setup, *, train: bool) -> Callable[[], None]:
    """Return a function that runs an epoch, with training or only making the batches, and waits for the device.

    Each call uses a new order of the images.
    """
    carry, rates, epochs = ready.carry, ready.rates(0), 0

    def run_epoch() -> None:
        nonlocal carry, epochs
        if train:
            carry = ready.loop(carry, ready.fixed, ready.batches(epochs), rates)
            ready.backend.wait(carry)
        else:
            (last,) = deque(ready.batches(epochs), maxlen=1)
            ready.backend.wait(last)
        epochs += 1

    return run_epoch


if __name__ == "__main__":
    run(main)
