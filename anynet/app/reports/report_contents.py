"""A report: its configurations, its searches, and the results that it claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anynet.app.config import Config

CLAIMS = ("train_accuracy", "val_accuracy", "test_accuracy")
"""Results that a report may claim for a configuration, as in ``result.json``."""
SEARCH_CLAIMS = ("val_accuracy", "train_accuracy")
"""Results that it may claim for a point of a search."""


@dataclass(frozen=True)
class Configuration:
    """One net and its training.

    Parameters
    ----------
    settings : mapping from str
        Settings that differ from the defaults of `Config`.
    seeds : int
        Number of runs, with seeds 42, 43, ...
    claims : mapping from str to float
        The report's results, by name in `CLAIMS`.
    why : str
        Reason if the results here differ.
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
    """A search over all combinations of values.

    Parameters
    ----------
    title : str
        Heading on the page.
    settings : mapping from str
        Settings that are not searched and differ from the defaults of `Config`.
    over : mapping from str to sequence
        Values by setting.
    claims : sequence of mapping from str to float
        The report's best points: a value for every setting in `over`, and results named in `SEARCH_CLAIMS`.
    why : str
        Reason if the results here differ.
    """

    title: str
    settings: Mapping[str, Any]
    over: Mapping[str, Sequence[Any]]
    claims: Sequence[Mapping[str, float]] = ()
    why: str = ""


@dataclass(frozen=True)
class Band:
    """A figure: mean and standard deviation over the repeated runs of some configurations.

    Parameters
    ----------
    title : str
        Heading on the page.
    of : sequence of str
        Names of the configurations.
    """

    title: str
    of: Sequence[str]


@dataclass(frozen=True)
class Report:
    """A report.

    Parameters
    ----------
    name : str
        Name of its TOML file, without the suffix.
    title, author, about : str
        Heading and introduction of its page.
    configurations : mapping from str to Configuration
    searches : mapping from str to GridSearch
    figures : mapping from str to Band
    """

    name: str
    title: str
    author: str
    about: str
    configurations: Mapping[str, Configuration]
    searches: Mapping[str, GridSearch]
    figures: Mapping[str, Band]

    @property
    def shared(self) -> dict[str, Any]:
        """Settings that all configurations share."""
        first, *others = (configuration.settings for configuration in self.configurations.values())
        return {name: value for name, value in first.items() if all((name, value) in o.items() for o in others)}
