"""Presets: the reports' configurations, one TOML file a report, one table a configuration.

What stands above the tables holds for all of them. "garcia-sanz/2" is the table [2] of garcia-sanz.toml.
"""

import tomllib
from importlib.resources import files
from typing import Any

from anynet.checks import nearest


def presets() -> dict[str, dict[str, Any]]:
    """All presets by name, each the settings in which it differs from the defaults."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        report, _, suffix = file.name.rpartition(".")
        if suffix == "toml":
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            tables = {name: value for name, value in content.items() if isinstance(value, dict)}
            common = {name: value for name, value in content.items() if name not in tables}
            found |= {f"{report}/{name}": common | table for name, table in tables.items()}
    return found


def preset(name: str) -> dict[str, Any]:
    """One preset. Raises ValueError, which says what is near, where there is none of this name."""
    known = presets()
    if name not in known:
        raise ValueError(f'there is no preset "{name}"{nearest(name, known)}')
    return known[name]
