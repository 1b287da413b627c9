"""A report, as its TOML file describes it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from importlib.resources import files
from typing import Any

from anynet.checks import nearest

RECIPES = "recipes"


@dataclass(frozen=True)
class Configuration:
    """One net and its training, as often as it is repeated.

    settings: those in which it differs from ``Config``'s defaults. seeds: how many runs, with seeds 42, 43, ...
    claims: the report's figures, by the names they have in result.json. why: a remark where ours differ.
    """

    settings: Mapping[str, Any]
    seeds: int = 1
    claims: Mapping[str, float] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class GridSearch:
    """A search over all combinations of the values in ``over``, by setting; ``claims`` are the report's best ones."""

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


def reports() -> dict[str, Report]:
    """All five, by name."""
    return {name: report for name, report in _files().items() if name != RECIPES}


def recipes() -> Report:
    """Configurations of our own."""
    return _files()[RECIPES]


def _files() -> dict[str, Report]:
    paths = sorted(files("anynet.reports").iterdir(), key=lambda path: path.name)
    texts = {
        path.name.removesuffix(".toml"): path.read_text(encoding="utf-8") for path in paths if ".toml" in path.name
    }
    return {name: read(name, text) for name, text in texts.items()}


def read(name: str, text: str) -> Report:
    """A report of its TOML.

    Raises ValueError that names the file, the field, and what is allowed there.
    """
    content = tomllib.loads(text)
    common = content.pop("common", {})
    repeated = {"seeds": common.pop("seeds", 1)}
    for table, kind in (("configurations", Configuration), ("searches", GridSearch), ("figures", Band)):
        defaults = repeated if kind is Configuration else {}
        content[table] = {
            key: _make(kind, f"{name}.toml, {table}.{key}", defaults | values, common)
            for key, values in content.get(table, {}).items()
        }
    made: Report = _make(Report, f"{name}.toml", {"name": name} | content, {})
    return made


def _make(kind: type, where: str, values: Mapping[str, Any], common: Mapping[str, Any]) -> Any:
    """A dataclass of the values that are its fields; the others are settings, where it has such."""
    names = {field.name for field in fields(kind)}
    own = {name: value for name, value in values.items() if name in names}
    others = {name: value for name, value in values.items() if name not in names}
    if "settings" in names:
        own["settings"] = {**common, **others}
    elif others:
        unknown = next(iter(others))
        raise ValueError(f'{where}: there is no field "{unknown}"{nearest(unknown, names)}')
    missing = [
        f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING and f.name not in own
    ]
    if missing:
        raise ValueError(f'{where}: expected a field "{missing[0]}"')
    return kind(**own)
