"""Training throughput of the array libraries that are here, CPU and GPU, side by side.

    python benchmarks/throughput.py [BACKEND ...] [--hidden 50,50] [--batch-size 100] [--repeats 7]

Each repeat trains one epoch on every backend in turn, so that a busy moment of the machine hits all alike; shuffling,
batching and normalising from uint8 are part of it, and so is waiting for the device at its end. Ratios to the first
backend come first, and count; absolute figures are this machine's.
"""

import platform
import statistics
import time

import numpy as np
from cyclopts import App
from rich.console import Console
from rich.table import Table

import anynet as an
from anynet import build
from anynet.backends import LIBRARIES
from anynet.config import Config
from anynet.data import Loader, Normalization, Split, normalization
from anynet.training.step import start, train_step

app = App(help=__doc__, help_format="plaintext")


def epoch_of(backend: an.Backend, split: Split, net: an.Sequential, batch_size: int):
    """A function that trains one epoch and waits for it."""
    optimizer, loader = an.SGD(lr=0.01, momentum=0.8), Loader(split, backend)
    inputs = Normalization(*(backend.asarray(p.astype("float32")) for p in normalization("standardize", split.images)))
    step = backend.compile(train_step(net, an.losses.softmax_cross_entropy, optimizer))
    lr = backend.asarray(np.asarray(0.01, "float32"))
    carry = start(net, optimizer, *net.init(0, like=inputs.scale))

    def epoch(number: int) -> None:
        nonlocal carry
        for images, labels in loader.shuffled(batch_size, 0, number, drop_last=True):
            carry = step(carry, inputs, images, labels, lr, None)
        backend.to_host(carry.params)

    return epoch


@app.default
def main(*backends: str, hidden: str = "50,50", batch_size: int = 100, images: int = 20_000, repeats: int = 7) -> None:
    chosen = []
    for name in backends or LIBRARIES:
        try:
            chosen.append(an.backend(name))
        except an.BackendError as error:
            print(f"left out: {error}")
    if not chosen or images < batch_size:
        raise SystemExit("expected a backend that can be used here, and no batch larger than --images")
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (images, 3072), dtype=np.uint8), rng.integers(0, 10, images))
    net = build.net(Config(hidden=hidden), 3072, 10)

    epochs = [epoch_of(backend, split, net, batch_size) for backend in chosen]
    for epoch in epochs:
        epoch(0)  # compiles, and fills caches
    rates: list[list[float]] = [[] for _ in chosen]
    for repeat in range(1, repeats + 1):
        for epoch, measured in zip(epochs, rates, strict=True):
            began = time.perf_counter()
            epoch(repeat)
            measured.append(images // batch_size * batch_size / (time.perf_counter() - began))

    medians = [statistics.median(measured) for measured in rates]
    title = f"--hidden '{hidden}' --batch-norm --batch-size {batch_size}"
    table = Table("backend", f"times {chosen[0].name}", "images/s, median", "slowest", "fastest", title=title)
    for backend, median, measured in zip(chosen, medians, rates, strict=True):
        figures = [f"{rate:,.0f}" for rate in (median, min(measured), max(measured))]
        table.add_row(str(backend), f"{median / medians[0]:.2f}", *figures)
    Console().print(table)
    print(f"{platform.platform()}, Python {platform.python_version()}, NumPy {np.__version__}, {repeats} repeats")


if __name__ == "__main__":
    app()
