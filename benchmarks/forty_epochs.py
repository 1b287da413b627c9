"""How long one layer takes from nothing: ``python -m benchmarks.forty_epochs [BACKEND...] [--out FILE.json]``.

A fresh process imports anynet, reads CIFAR-10's files, and has ``anynet.fit`` train 3072-10 for 40 epochs on 10,000
images in batches of 100, measuring it on them and on 10,000 others after each.
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

from anynet.data.cifar10.formats import BINARY_COUNT
from anynet.data.dataset import BATCHES
from benchmarks.side_by_side import backends, check_new, leave, run

REPEATS = 3
SOURCE = Path(__file__).resolve().parents[1]


def main(*names: str, data: Path | None = None, out: Path | None = None) -> None:
    """Measure, print a table, and the same as JSON.

    Parameters
    ----------
    names:
        Backends; numpy by default.
    data:
        Folder with CIFAR-10; random images in its binary form by default.
    out:
        File for the JSON, which goes to stdout otherwise.
    """
    check_new(out)
    names = names or ("numpy",)
    backends(names)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with TemporaryDirectory() as folder:
        if data is None:
            write_images(Path(folder))
        for _ in range(REPEATS):
            for name in names:
                found[name].append(_first_run(name, data or Path(folder)))
    leave(_table(found), {"runs": found}, out)


def write_images(folder: Path) -> None:
    """Random images in the form of ``cifar-10-batches-bin``."""
    rng = np.random.default_rng(0)
    for name in BATCHES:
        labels, images = (
            rng.integers(0, 10, (BINARY_COUNT, 1), np.uint8),
            rng.integers(0, 256, (BINARY_COUNT, 3072), np.uint8),
        )
        np.concatenate([labels, images], axis=1).tofile(folder / f"{name}.bin")
    (folder / "batches.meta.txt").write_text("\n".join("0123456789"), encoding="utf-8")


def _first_run(name: str, folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.first_run", name, str(folder.resolve())]
    child = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
    if child.returncode:
        raise OSError(f"{name} could not be timed: {child.stderr.strip() or child.returncode}")
    told = json.loads(child.stdout)
    told["seconds"]["process"] = time.perf_counter() - began
    return told


def _table(found: Mapping[str, Sequence[dict[str, Any]]]) -> Table:
    """A column for each backend; medians."""
    table = Table("seconds", title="One layer, 40 epochs of 10,000 images, in a fresh process")
    for name in found:
        table.add_column(name, justify="right")
    first = next(iter(found.values()))[0]
    for part in first["seconds"]:
        table.add_row(part, *(f"{statistics.median(t['seconds'][part] for t in told):.3f}" for told in found.values()))
    table.add_section()
    reads = "reads of the device an epoch"
    table.add_row(reads, *(f"{statistics.median(t[reads] for t in told):g}" for told in found.values()))
    return table


if __name__ == "__main__":
    run(main)
