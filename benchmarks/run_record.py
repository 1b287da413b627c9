"""Records of runs in JSON files, with which an interrupted comparison goes on."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar


class Run(Protocol):
    """A training, with or without its results."""

    @property
    def key(self) -> tuple[Any, ...]:
        """Everything but the results."""

    def as_dict(self) -> dict[str, Any]:
        """Return the run as JSON has it."""


R = TypeVar("R", bound=Run)


@dataclass
class RunRecord(Generic[R]):
    """All runs so far.

    Attributes
    ----------
    settings : dict
        What must be the same for all runs.
    runs : list of Run
    """

    settings: dict[str, Any]
    runs: list[R] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path, settings: dict[str, Any], run: Callable[[dict[str, Any]], R]) -> Self:
        """Return the record in a file, or an empty one if there is no file.

        Parameters
        ----------
        path : Path
        settings : dict
        run : callable
            Function that makes a run of what its `as_dict` has returned.

        Returns
        -------
        RunRecord

        Raises
        ------
        ValueError
            If the record in the file has other settings.
        """
        if not path.exists():
            return cls(settings)
        content = json.loads(path.read_text(encoding="utf-8"))
        for name, value in settings.items():
            there = content.get("settings", {}).get(name, "none")
            if there != value:
                raise ValueError(f"{path} has runs with {name} {there}, not {value}; choose another --out")
        return cls(settings, [run(values) for values in content["runs"]])

    def find(self, run: R) -> R | None:
        """Return the run with the same key, if it was made."""
        return next((other for other in self.runs if other.key == run.key), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        return {"settings": self.settings, "runs": [run.as_dict() for run in self.runs]}
