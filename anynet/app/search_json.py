"""Names of the files of a search's folder, and ``search.json``, each value checked."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anynet.app.config_file import check_settings
from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.core.text_files import read_json

SETTINGS, TABLE, IMPORTANCES = "search.json", "trials.csv", "importances.json"

ADVICE = "start the search again in another folder"
MOST = 10_000_000
"""Largest size of the settings in bytes."""


def read_search_json(path: Path) -> dict[str, Any]:
    """Read the settings of a search.

    Parameters
    ----------
    path : Path
        The file ``search.json`` of a search.

    Returns
    -------
    dict
        As `anynet.app.search.search_settings.search_settings` returns it; files of earlier versions have no "sampler".

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is damaged, or a value is missing or not allowed; the message names the key.
    """
    search = read_json(path, MOST, ADVICE)
    for key, (expected, allowed) in CHECKS.items():
        if not allowed(search.get(key)):
            got = printable(repr(search[key]), 50) if key in search else "nothing"
            raise FileError(path, f"key {key}", expected, got, ADVICE)
    for name, part in search["space"].items():
        if not _is_part(part):
            got = printable(repr(part), 50)
            raise FileError(path, f"key space.{printable(name, 50)}", "values or a range", got, ADVICE)
    for key, stage in (("base", search), ("fine.base", search.get("fine") or {})):
        given = {name: value for name, value in stage.get("base", {}).items() if value is not None}
        check_settings(given, path, f"key {key}, ")
    return search


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_part(value: Any) -> bool:
    """Return True if a value is a grid or a range."""
    if not isinstance(value, dict):
        return False
    if "values" in value:
        values = value["values"]
        return isinstance(values, list) and bool(values) and all(isinstance(v, str | int | float) for v in values)
    return all(_is_number(value.get(end)) for end in ("low", "high")) and isinstance(value.get("log"), bool)


def _is_stage(value: Any) -> bool:
    return isinstance(value, dict) and _is_count(value.get("trials")) and isinstance(value.get("base", {}), dict)


CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "base": ("settings by name", lambda value: isinstance(value, dict)),
    "space": ("settings by name", lambda value: isinstance(value, dict) and bool(value)),
    "trials": ("a number of 1 or more, or null", lambda value: value is None or _is_count(value)),
    "fine": ("a stage, or null", lambda value: value is None or _is_stage(value)),
    "sampler": ("a text", lambda value: value is None or (isinstance(value, str) and value.isprintable())),
    "storage": ("a text", lambda value: value is None or (isinstance(value, str) and value.isprintable())),
    "prune": ("true or false", lambda value: value is None or isinstance(value, bool)),
}
"""Expected value of each key, in words and as a function."""
