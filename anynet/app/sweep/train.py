"""Settings and what is swept in; nets trained at once and a folder of results out."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from anynet.app.config import Config
from anynet.app.experiment import fit_together, new_folder, prepare
from anynet.app.run_folder import refuse_existing
from anynet.app.sweep.folder import SweepFolder
from anynet.app.sweep.points import Point
from anynet.training import Runs


def train(config: Config, points: list[Point], folder: Path | None = None) -> tuple[Runs, Path, dict[str, Any]]:
    """Train a net for each point at once, on the same batches, which are drawn from the settings' order seed or seed.

    points: as from ``anynet.app.sweep.points``. folder: as for ``anynet.app.experiment.train``.

    Returns the runs, their folder, and what is in its result.json. Raises what ``fit`` and ``prepare`` raise,
    FileExistsError, and ValueError where all members diverged; nothing is written before all settings are known to be
    good.
    """
    folder = folder or new_folder()
    refuse_existing(folder)
    first = prepare(replace(config, order_seed=config.order, **points[0]))
    members = [first.varied(**point) for point in points]
    print(f"{first}; {len(members)} members; results in {folder}", file=sys.stderr)
    with SweepFolder(folder, points, [member.config for member in members], first.data) as results:
        runs = fit_together(members, results.add)
        return runs, folder, results.finish(runs)
