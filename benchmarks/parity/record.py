"""Runs that were made, and the differences of their accuracies."""

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.parity.recipes import Recipe
from benchmarks.run_record import RunRecord

SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """A training by one library.

    Attributes
    ----------
    peer : str
    recipe : Recipe
    seed : int
    accuracy : float
        Fraction of the test images.
    seconds : float
        From the start to the end of the process.
    """

    peer: str
    recipe: Recipe
    seed: int
    accuracy: float = math.nan
    seconds: float = math.nan

    @property
    def key(self) -> tuple[str, Recipe, int]:
        """Everything but the results."""
        return self.peer, self.recipe, self.seed

    def as_dict(self) -> dict[str, Any]:
        """Return the run as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the run of JSON that `as_dict` has made."""
        return cls(**values | {"recipe": Recipe(*values["recipe"])})


def train(run: Run, folder: str, images: int) -> Run:
    """Train in a process of its own, and return the run with its results; RuntimeError if the process fails."""
    order = {"peer": run.peer, "recipe": run.recipe, "seed": run.seed, "folder": folder, "train": images}
    command, began = [sys.executable, "-m", "benchmarks.parity.child", json.dumps(order)], time.perf_counter()
    child = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    if child.returncode:
        error = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        raise RuntimeError(f"{run.peer}, {run.recipe}, seed {run.seed}: {error}")
    seconds = time.perf_counter() - began
    return Run(*run.key, float(child.stdout.split()[-1]), round(seconds, 2))


class Record(RunRecord[Run]):
    """All runs so far."""

    @classmethod
    def read(cls, path: Path, settings: dict[str, Any]) -> Self:
        """Return the record in a file, as `RunRecord.load` does."""
        return cls.load(path, settings, Run.of)

    def of(self, peer: str, recipe: Recipe) -> list[Run]:
        """Return the runs of a recipe by a peer in the order of seeds."""
        return sorted((run for run in self.runs if run.key[:2] == (peer, recipe)), key=lambda run: run.seed)


def difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the difference of two means, and its standard error; NaN for one of fewer than two numbers each."""
    means = statistics.fmean(first) - statistics.fmean(second)
    if min(len(first), len(second)) < 2:
        return means, math.nan
    return means, math.sqrt(sum(statistics.variance(each) / len(each) for each in (first, second)))
