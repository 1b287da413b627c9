"""Reading reports from their TOML files; fields that nothing would read are refused."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, fields
from importlib.resources import files
from typing import Any

from anynet.app.config import Config
from anynet.app.config_file import renamed
from anynet.app.reports.report_contents import CLAIMS, SEARCH_CLAIMS, Band, Configuration, GridSearch, Report
from anynet.core.checks import nearest

RECIPES = "recipes"
SETTINGS = [field.name for field in fields(Config)]


def reports() -> dict[str, Report]:
    """Return the five reports by name."""
    return {name: report for name, report in _files().items() if name != RECIPES}


def recipes() -> Report:
    """Return the configurations of our own, as a report."""
    return _files()[RECIPES]


def _files() -> dict[str, Report]:
    paths = sorted(files("anynet.app.reports").iterdir(), key=lambda path: path.name)
    texts = {
        path.name.removesuffix(".toml"): path.read_text(encoding="utf-8") for path in paths if ".toml" in path.name
    }
    return {name: parse_report(name, text) for name, text in texts.items()}


def parse_report(name: str, text: str) -> Report:
    """Parse the TOML of a report.

    Parameters
    ----------
    name : str
        Name of the file, without the suffix.
    text : str
        Its content.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If a field is missing, unknown or not allowed. The message names the file, the field and what is allowed.
    """
    file, content = f"{name}.toml", tomllib.loads(text)
    common = renamed(content.pop("common", {}))
    repeated = {"seeds": common.pop("seeds", 1)}
    _check_names(f"{file}, common", common, ["seeds", *SETTINGS])
    for table, kind in (("configurations", Configuration), ("searches", GridSearch), ("figures", Band)):
        defaults = repeated if kind is Configuration else {}
        given = {} if kind is Band else {"settings": common}
        content[table] = {
            key: _make(kind, f"{file}, {table}.{key}", defaults | renamed(values), given)
            for key, values in content.get(table, {}).items()
        }
    report: Report = _make(Report, file, content, {"name": name})
    for key, configuration in report.configurations.items():
        _check_names(f"{file}, configurations.{key}.claims", configuration.claims, CLAIMS)
    for key, search in report.searches.items():
        _check_search(f"{file}, searches.{key}", search)
    for key, band in report.figures.items():
        _check_names(f"{file}, figures.{key}.of", band.of, report.configurations)
    return report


def _make(kind: type[Any], where: str, values: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Return a dataclass of the values that are its fields and of the given ones, which no value may name.

    If `given` has settings, the other values are settings too, and override them.
    """
    own = {f.name: f for f in fields(kind) if f.name not in given}
    _check_names(where, values, [*own, *(SETTINGS if "settings" in given else [])])
    required = [f.name for f in own.values() if f.default is MISSING and f.default_factory is MISSING]
    for name in required:
        if name not in values:
            raise ValueError(f'{where}: expected a field "{name}"')
    arguments = {**given, **{name: value for name, value in values.items() if name in own}}
    if "settings" in given:
        others = {name: value for name, value in values.items() if name not in own}
        arguments["settings"] = {**given["settings"], **others}
    return kind(**arguments)


def _check_search(where: str, search: GridSearch) -> None:
    _check_names(f"{where}.over", search.over, SETTINGS)
    for claim in search.claims:
        _check_names(f"{where}.claims", claim, [*search.over, *SEARCH_CLAIMS])
        for name, values in search.over.items():
            if claim.get(name) not in values:
                got = claim.get(name, "nothing")
                raise ValueError(f"{where}.claims: expected {name} to be one of {list(values)}, got {got}")


def _check_names(where: str, names: Iterable[str], allowed: Collection[str]) -> None:
    for name in names:
        if name not in allowed:
            raise ValueError(f'{where}: there is no "{name}"{nearest(name, allowed)}')
