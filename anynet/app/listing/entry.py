"""One run, sweep or search of a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from anynet.core.formatting import format_numbers, format_value

TIME = "%Y%m%d-%H%M%S"
"""Form of the default name of a folder."""

MOST_VALUES = 4
"""Number of values of a setting that are shown."""


class Values(tuple[Any, ...]):
    """Values that the members of a sweep, or the trials of a search, have of a setting."""

    def __str__(self) -> str:
        if len(self) > 1 and all(type(value) is int for value in self) and "-" in format_numbers(self):
            return format_numbers(self)
        texts = [format_value(value) for value in self]
        if len(texts) > MOST_VALUES:
            return f"{texts[0]}..{texts[-1]} ({len(texts)} values)"
        return "/".join(texts)


@dataclass(frozen=True)
class Entry:
    """A run, a sweep or a search.

    Parameters
    ----------
    path : Path
        Its folder.
    name : str
        Short name in the list.
    kind : {"run", "sweep", "search"}
    state : {"finished", "stopped early", "interrupted", "diverged", "unfinished"}
    settings : mapping from str
        By name; `Values` if there are several.
    results : mapping from str
        Content of ``result.json`` or, where it is not there, of the history until now. Those of a sweep or a search are
        of its best net.
    nets : int
        Number of members or trials; 1 for a run.
    """

    path: Path
    name: str
    kind: str
    state: str
    settings: Mapping[str, Any]
    results: Mapping[str, Any] = field(default_factory=dict)
    nets: int = 1

    @property
    def is_named_after_time(self) -> bool:
        """True if the name says when it began."""
        return _time_of(self.path.name) is not None

    @cached_property
    def when(self) -> datetime:
        """Time at which it began: that in its name, else that of its settings' file."""
        file = self.path / ("search.json" if self.kind == "search" else "config.toml")
        return _time_of(self.path.name) or datetime.fromtimestamp(file.stat().st_mtime)

    @property
    def net(self) -> str:
        """Short name of the net: of its function, or the widths of its hidden layers."""
        if (function := self.settings.get("net")) is not None:
            return str(function).rpartition(":")[2]
        return str(self.settings.get("hidden") or "linear")

    @property
    def columns(self) -> dict[str, Any]:
        """All values by name. Results have the settings' names only where these are not given."""
        given = {name: value for name, value in self.settings.items() if value is not None}
        results = {
            RENAMED.get(name, name): value
            for name, value in self.results.items()
            if isinstance(value, str | int | float)
        }
        return {
            **{"name": self.name, "kind": self.kind, "when": self.when.isoformat(" ", "seconds")},
            **{"net": self.net, "state": self.state, "nets": self.nets},
            **(results | {name: value for name, value in given.items() if name != "net"}),
            **{short: results[long] for short, longs in SHORT.items() for long in longs if long in results},
        }


RENAMED = {"epochs": "epochs_trained"}
"""Names of results that are other settings."""

SHORT = {"best_val": ("best_val_loss", "best_val_accuracy"), "best_test": ("test_loss", "best_test_accuracy")}
"""Short names of results; the last of these that there is."""


def _time_of(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:15], TIME)
    except ValueError:
        return None
