"""A report: its configurations, its searches, and what it says came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anynet.app.config import Config

CLAIMS = ("train_accuracy", "val_accuracy", "test_accuracy")
"""What a report may claim of a configuration, by the names in result.json."""
SEARCH_CLAIMS = ("val_accuracy", "train_accuracy")
"""What it may claim of a point of a search."""


@dataclass(frozen=True)
class Configuration:
    """One net and its training, as often as it is repeated.

    settings: those in which it differs from ``Config``'s defaults. seeds: how many runs, with seeds 42, 43, ...
    claims: the report's figures, by their names in ``CLAIMS``. why: a remark where ours differ.
    """

    settings: Mapping[str, Any]
    seeds: int = 1
    claims: Mapping[str, float] = field(default_factory=dict)
    why: str = ""

    @property
    def config(self) -> Config:
        """All settings."""
        return Config(**self.settings)


@dataclass(frozen=True)
class GridSearch:
    """A search over all combinations of the values in ``over``, by setting.

    claims: the report's best points, each a value for every setting in ``over`` and figures named in ``SEARCH_CLAIMS``.
    """

    title: str
    settings: Mapping[str, Any]
    over: Mapping[str, Sequence[Any]]
    claims: Sequence[Mapping[str, float]] = ()
    why: str = ""


@dataclass(frozen=True)
class Band:
    """A figure: mean and deviation over the repeated runs of some configurations."""

    title: str
    of: Sequence[str]


@dataclass(frozen=True)
class Report:
    """name: the file's. title, author, about: what the page says. The rest by name."""

    name: str
    title: str
    author: str
    about: str
    configurations: Mapping[str, Configuration]
    searches: Mapping[str, GridSearch]
    figures: Mapping[str, Band]

    @property
    def shared(self) -> dict[str, Any]:
        """The settings that all configurations have."""
        first, *others = (configuration.settings for configuration in self.configurations.values())
        return {name: value for name, value in first.items() if all((name, value) in o.items() for o in others)}
