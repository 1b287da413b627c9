"""Runs that were measured, the recipes that are chosen by them, and times to accuracies."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.run_record import RunRecord
from benchmarks.time_to_accuracy.process import OUTCOMES
from benchmarks.time_to_accuracy.recipes import Recipe
from benchmarks.time_to_accuracy.source import HELD_OUT

SEARCH, FINAL = "search", "final"
"""Purposes of runs: the first measures on held-out training images, the second on test images."""

SEARCH_SEED = 0
"""Seed of the search's runs; final ones have 1, 2 and so on."""


def margin(level: float) -> float:
    """Return two standard errors of an accuracy that is measured on the held-out images."""
    return 2 * math.sqrt(level * (1 - level) / HELD_OUT)


@dataclass(frozen=True)
class Run:
    """A training by one library.

    Attributes
    ----------
    peer : str
    recipe : Recipe
        Without what the library lacks.
    purpose : {"search", "final"}
    seed : int
    outcome : str
        How it ended; see ``process.follow``.
    curve : sequence of (float, float, float)
        Seconds since the start of the process, epochs, accuracy.
    """

    peer: str
    recipe: Recipe
    purpose: str
    seed: int
    outcome: str = ""
    curve: Sequence[Sequence[float]] = ()

    @property
    def key(self) -> tuple[str, Recipe, str, int]:
        """Everything but the results."""
        return self.peer, self.recipe, self.purpose, self.seed

    def seconds(self, level: float) -> float:
        """Return the seconds to the first accuracy of `level` or more; infinity if there is none."""
        return min((seconds for seconds, _, accuracy in self.curve if accuracy >= level), default=math.inf)

    def as_dict(self) -> dict[str, Any]:
        """Return the run as JSON has it."""
        return self.__dict__ | {"recipe": self.recipe.as_dict()}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the run of JSON that `as_dict` has made."""
        return cls(**values | {"recipe": Recipe.of(values["recipe"])})


class Record(RunRecord[Run]):
    """All runs so far."""

    @classmethod
    def read(cls, path: Path, settings: dict[str, Any]) -> Self:
        """Return the record in a file, as `RunRecord.load` does, without the runs that failed."""
        found = cls.load(path, settings, Run.of)
        return cls(settings, [run for run in found.runs if run.outcome in OUTCOMES])

    def of(self, peer: str, purpose: str) -> list[Run]:
        """Return the runs of a peer for a purpose."""
        return [run for run in self.runs if (run.peer, run.purpose) == (peer, purpose)]

    def choose(self, peer: str, level: float) -> Recipe | None:
        """Return the recipe that reached an accuracy first on held-out images; None if no recipe reached it.

        Recipes that exceed it by two standard errors go first, because the others may miss it on test images.
        """
        runs = self.of(peer, SEARCH)
        for aim in (level + margin(level), level):
            best = min(runs, key=lambda run: run.seconds(aim), default=None)
            if best is not None and best.seconds(aim) < math.inf:
                return best.recipe
        return None

    def seconds(self, peer: str, level: float) -> list[float]:
        """Return the seconds of the final runs of the recipe that is chosen for a level, one for each seed."""
        chosen = self.choose(peer, level)
        return [run.seconds(level) for run in self.of(peer, FINAL) if run.recipe == chosen]

    def median(self, peer: str, level: float) -> float:
        """Return the median of `seconds`; infinity if no more than half of the runs reached the level."""
        found = self.seconds(peer, level)
        return statistics.median(found) if found else math.inf
