"""Measure the seconds from the start of a process to test accuracies on CIFAR-10.

Every library trains every recipe of a small grid once, measured on held-out training images. For each accuracy the
recipe that reached it first is trained again with other seeds, measured on the test images. Every run has a process of
its own, and the libraries take turns.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

import anynet as an
from anynet.core.checks import nearest
from benchmarks import common, machine
from benchmarks.environment import cores, environment, variables
from benchmarks.time_to_accuracy import generated, page
from benchmarks.time_to_accuracy.child import ANYNET
from benchmarks.time_to_accuracy.recipes import RECIPES
from benchmarks.time_to_accuracy.record import Record
from benchmarks.time_to_accuracy.source import HELD_OUT
from benchmarks.time_to_accuracy.study import Study

MODULES = {"torch": "torch", "torch-compile": "torch", "keras": "keras", "sklearn": "sklearn"}
"""Modules of the peers besides anynet's."""

PEERS = (f"{ANYNET}numpy", "torch", "keras", "sklearn")
LEVELS = (0.45, 0.5, 0.55, 0.6)
CAP, QUICK_CAP, SEEDS = 240.0, 30.0, 2
IMAGES, QUICK_IMAGES = 50_000 - HELD_OUT, 2000


def main(
    *,
    folder: Path | None = None,
    peers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    levels: Annotated[list[float] | None, Parameter(consume_multiple=True, negative="")] = None,
    cap: common.Positive | None = None,
    seeds: common.Count | None = None,
    quick: bool = False,
    out: Path = Path("time_to_accuracy.json"),
) -> None:
    """Measure the seconds from the start of a process to test accuracies on CIFAR-10.

    A page and a figure are written beside the JSON, all of them after every run. Runs that are in the JSON already are
    not repeated.

    Parameters
    ----------
    folder:
        Folder cifar-10-batches-py. With --quick, default: generated images.
    peers:
        anynet-BACKEND, torch, torch-compile, keras, sklearn. Default: anynet-numpy, torch, keras and sklearn.
    levels:
        Accuracies above 0, up to 1. Default: 0.45, 0.5, 0.55 and 0.6.
    cap:
        Seconds after which a run is ended. Default: 240, or 30 with --quick.
    seeds:
        Final runs of each chosen recipe. Default: 2, or 1 with --quick.
    quick:
        Train two recipes on few images, as a smoke test.
    out:
        JSON file.
    """
    chosen = check_peers(peers or PEERS)
    wanted = check_levels(levels or LEVELS)
    settings = {
        "levels": wanted,
        "cap": cap or (QUICK_CAP if quick else CAP),
        "images": QUICK_IMAGES if quick else IMAGES,
        "generated": folder is None,
    }
    common.check_folder(out)
    with generated.files(folder, quick=quick) as files, environment(variables(cores())):
        record, console = Record.read(out, settings), Console(stderr=True)
        Study(
            record,
            chosen,
            files,
            out,
            machine.describe(),
            lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True),
        ).run(RECIPES[:2] if quick else RECIPES, seeds or (1 if quick else SEEDS))
    console.print(page.times(record, chosen, wanted))


def check_peers(names: Sequence[str]) -> Sequence[str]:
    """Return `names`. Raises ValueError for a peer that is unknown or not installed, BackendError for a backend."""
    for name in names:
        if name.startswith(ANYNET):
            an.backend(name.removeprefix(ANYNET))
        elif name not in MODULES:
            raise ValueError(f'unknown peer "{name}"{nearest(name, (*PEERS, *MODULES))}')
        elif find_spec(MODULES[name]) is None:
            raise ValueError(f"{name} is not installed; install it or choose other --peers")
    return names


def check_levels(levels: Sequence[float]) -> list[float]:
    """Return the levels in ascending order. Raises ValueError if one is out of range."""
    for level in levels:
        if not 0 < level <= 1:
            raise ValueError(f"--levels: expected accuracies above 0, up to 1, got {level:g}")
    return sorted(levels)
