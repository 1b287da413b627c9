"""The five reports: their configurations as presets, and their reproduction.

One TOML file describes one report. Its ``[common]`` settings hold for all of its ``[configurations]``;
"garcia-sanz/2" is configuration 2 of garcia-sanz.toml. recipes.toml holds configurations of our own, whose presets have
a single name: "best-mlp".
"""

from pathlib import Path
from typing import Any

from anynet.app.config_file import read_settings
from anynet.app.reports.reading import RECIPES, parse_report, recipes, reports
from anynet.app.reports.report_contents import Report
from anynet.core.checks import nearest
from anynet.core.errors import FileError

__all__ = ["RECIPES", "Report", "parse_report", "preset", "presets", "recipes", "reports"]


def presets() -> dict[str, dict[str, Any]]:
    """Return all presets by name, each as the settings that differ from the defaults."""
    own = {name: dict(configuration.settings) for name, configuration in recipes().configurations.items()}
    return own | {
        f"{report.name}/{name}": dict(configuration.settings)
        for report in reports().values()
        for name, configuration in report.configurations.items()
    }


def preset(name: str) -> tuple[dict[str, Any], str]:
    """Return the settings of a preset, and the file that holds them.

    Parameters
    ----------
    name : str
        Name of a preset, or a TOML file of settings such as a run's ``config.toml``.

    Returns
    -------
    settings : dict
    file : str

    Raises
    ------
    OSError, ValueError
        If there is no such preset, or the file cannot be read.
    """
    if name.endswith(".toml"):
        from anynet.app.sweep.sweep_folder import MEMBERS  # here, because other presets need it not

        path = Path(name)
        if path.name == "config.toml" and path.with_name(MEMBERS).is_file():
            expected, got = "all settings of a run", "those that the members of a sweep share"
            raise FileError(
                path, "", expected, got, f"choose a member's, such as {path.parent / 'member-0' / path.name}"
            )
        settings = read_settings(path)
        if not settings:  # all defaults would be another training
            raise FileError(path, "", "one setting or more, such as lr = 0.01", "none", "take the file of another run")
        return settings, name
    known = presets()
    if name not in known:
        raise ValueError(f'--preset: there is no preset "{name}"{nearest(name, known)}')
    return known[name], f"{name.split('/')[0] if '/' in name else RECIPES}.toml"
