"""Compare test accuracies of recipes by anynet and by plain PyTorch on CIFAR-10.

Each run has a process of its own, and the peers take turns.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

import anynet as an
from anynet.core.atomic import write_whole
from anynet.core.checks import nearest
from benchmarks import common, machine
from benchmarks.environment import cores, environment, variables
from benchmarks.parity import page, record
from benchmarks.parity.child import ANYNET
from benchmarks.parity.recipes import DEFAULTS, Recipe
from benchmarks.parity.record import Record, Run
from benchmarks.time_to_accuracy import generated

TORCH = "torch"
IMAGES, SEEDS = 50_000, 3
QUICK_IMAGES, QUICK_WIDTH = 4000, 0.125


def main(
    *,
    folder: Path | None = None,
    recipes: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    backends: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    width: common.Positive | None = None,
    epochs: common.Count | None = None,
    seeds: common.Count | None = None,
    images: common.Count | None = None,
    quick: bool = False,
    out: Path = Path("parity.json"),
) -> None:
    """Compare test accuracies of recipes by anynet and by plain PyTorch on CIFAR-10.

    A page is written beside the JSON, both of them after every run. Runs that are in the JSON already are not repeated.

    Parameters
    ----------
    folder:
        Folder cifar-10-batches-py. With --quick, default: generated images.
    recipes:
        airbench94, resnet9. Default: both.
    backends:
        Backends of anynet. Default: numpy.
    width:
        Factor of the numbers of channels. Default: 0.5 for airbench94, 1 for resnet9, or 0.125 with --quick.
    epochs:
        Default: 4 for airbench94, 10 for resnet9, or 1 with --quick.
    seeds:
        Number of seeds, from 1 on. Default: 3, or 1 with --quick.
    images:
        Training images, the first ones. Default: 50,000, or 4,000 with --quick.
    quick:
        Train small nets for one epoch, as a smoke test.
    out:
        JSON file.
    """
    names = _check_recipes(recipes or list(DEFAULTS))
    for name in backends or ():
        an.backend(name)
    if find_spec(TORCH) is None:
        raise ValueError("torch is not installed; install it")
    common.check_folder(out)
    if quick:
        width, epochs, seeds, images = width or QUICK_WIDTH, epochs or 1, seeds or 1, images or QUICK_IMAGES
    chosen = [Recipe.of(name, width, epochs) for name in names]
    peers = [*(f"{ANYNET}{name}" for name in backends or ["numpy"]), TORCH]
    with generated.files(folder, quick=quick) as files, environment(variables(cores())):
        found = Record.read(out, {"images": images or IMAGES, "generated": folder is None})
        console = Console(stderr=True)
        for run in _runs(chosen, peers, seeds or SEEDS):
            if found.find(run) is None:
                done = record.train(run, files, found.settings["images"])
                found.runs.append(done)
                line = f"{run.recipe}, seed {run.seed}, {run.peer}: {done.accuracy:.2%}, {done.seconds:.1f} s"
                console.print(line, highlight=False, markup=False, soft_wrap=True)
                _write(found, out, chosen, peers)
    _write(found, out, chosen, peers)
    console.print(page.accuracies(found, chosen, peers))


def _check_recipes(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in DEFAULTS:
            raise ValueError(f'unknown recipe "{name}"{nearest(name, DEFAULTS)}')
    return names


def _runs(recipes: Sequence[Recipe], peers: Sequence[str], seeds: int) -> list[Run]:
    return [Run(peer, recipe, seed) for recipe in recipes for seed in range(1, seeds + 1) for peer in peers]


def _write(found: Record, out: Path, recipes: Sequence[Recipe], peers: Sequence[str]) -> None:
    """Write JSON and page."""
    common.save(found.as_dict(), out)
    text = page.page(found, machine.describe(), recipes, peers)
    write_whole(out.with_suffix(".md"), lambda path: path.write_text(text, encoding="utf-8"))
