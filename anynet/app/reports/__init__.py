"""The five reports: their configurations as presets, and their re-run.

One TOML file a report. ``[common]`` holds for all of its ``[configurations]``; "garcia-sanz/2" is configuration 2 of
garcia-sanz.toml. recipes.toml holds configurations of our own, whose presets have one name: "best-mlp".
"""

import tomllib
from pathlib import Path
from typing import Any

from anynet.app.reports.reading import RECIPES, read, recipes, reports
from anynet.app.reports.report import Report
from anynet.core.checks import nearest

__all__ = ["Report", "preset", "presets", "read", "recipes", "reports"]


def presets() -> dict[str, dict[str, Any]]:
    """All presets by name, each the settings in which it differs from the defaults."""
    own = {name: dict(configuration.settings) for name, configuration in recipes().configurations.items()}
    return own | {
        f"{report.name}/{name}": dict(configuration.settings)
        for report in reports().values()
        for name, configuration in report.configurations.items()
    }


def preset(name: str) -> tuple[dict[str, Any], str]:
    """The settings of a preset, and the file they stand in.

    name: "garcia-sanz/2", or a TOML file of settings, such as a run's config.toml.

    Raises ValueError, which says what is near, where there is none of this name, or names the file that is no TOML.
    """
    if name.endswith(".toml"):
        try:
            return tomllib.loads(Path(name).read_text(encoding="utf-8")), name
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{name}: {error}") from None
    known = presets()
    if name not in known:
        raise ValueError(f'there is no preset "{name}"{nearest(name, known)}')
    return known[name], f"{name.split('/')[0] if '/' in name else RECIPES}.toml"
