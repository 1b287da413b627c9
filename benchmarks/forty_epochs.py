"""Time a short training run in a fresh process: ``python -m benchmarks.forty_epochs [BACKEND...] [--out FILE.json]``.

A fresh process imports anynet, reads CIFAR-10 files, and calls ``anynet.fit`` to train 3072-10 for 40 epochs on 10,000
images in batches of 100, evaluating on 10,000 training and 10,000 validation images after each epoch.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.table import Table

from anynet.data.cifar.formats import BINARY_COUNT
from anynet.data.dataset import BATCHES
from benchmarks.common import backends, check_new, run, save, write_results

REPEATS = 3
SOURCE = Path(__file__).resolve().parents[1]


def main(*names: str, data: Path | None = None, quick: bool = False, out: Path | None = None) -> None:
    """Time 40 epochs of one layer, from the import on, in fresh processes.

    Parameters
    ----------
    names:
        Backends. Default: numpy.
    data:
        Folder with CIFAR-10. Default: random images in its binary format.
    quick:
        Time one process instead of three.
    out:
        JSON file. Default: stdout.
    """
    check_new(out)
    names = names or ("numpy",)
    backends(names)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with TemporaryDirectory() as folder:
        if data is None:
            write_images(Path(folder))
        for _ in range(1 if quick else REPEATS):
            for name in names:
                found[name].append(time_process(name, data or Path(folder)))
                save({"runs": found}, out)
    write_results(results_table(found), {"runs": found}, out)


def write_images(folder: Path) -> None:
    """Write random images in the format of ``cifar-10-batches-bin``."""
    rng = np.random.default_rng(0)
    for name in BATCHES:
        labels, images = (
            rng.integers(0, 10, (BINARY_COUNT, 1), np.uint8),
            rng.integers(0, 256, (BINARY_COUNT, 3072), np.uint8),
        )
        np.concatenate([labels, images], axis=1).tofile(folder / f"{name}.bin")
    (folder / "batches.meta.txt").write_text("\n".join("0123456789"), encoding="utf-8")


def time_process(name: str, folder: Path) -> dict[str, Any]:
    """Run ``forty_epochs_child`` with a backend; return its timings and the seconds of the whole process."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.forty_epochs_child", name, str(folder.resolve())]
    child = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
    if child.returncode:
        raise OSError(f"{name} could not be timed: {child.stderr.strip() or child.returncode}")
    timings: dict[str, Any] = json.loads(child.stdout)
    timings["seconds"]["process"] = time.perf_counter() - began
    return timings


def results_table(found: Mapping[str, Sequence[dict[str, Any]]]) -> Table:
    """Return a table of medians with a column per backend."""
    table = Table("seconds", title="One layer, 40 epochs of 10,000 images, in a fresh process")
    for name in found:
        table.add_column(name, justify="right")
    first = next(iter(found.values()))[0]
    for stage in first["seconds"]:
        table.add_row(
            stage, *(f"{statistics.median(t['seconds'][stage] for t in runs):.3f}" for runs in found.values())
        )
    table.add_section()
    reads = "device reads per epoch"
    table.add_row(reads, *(f"{statistics.median(t[reads] for t in runs):g}" for runs in found.values()))
    return table


if __name__ == "__main__":
    run(main)
