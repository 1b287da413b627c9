"""Settings of runs: what differs, what is not the default, and the rest."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from anynet.app.config import Config
from anynet.app.config_file import ABSENT
from anynet.core.formatting import format_value

MISSING = "\N{EN DASH}"
"""Text for a setting that a run does not have."""


class SettingRow(NamedTuple):
    """A setting and its value in each run, or the one that all have."""

    name: str
    values: list[str]


class SettingTables(NamedTuple):
    """Settings in which runs differ, those they share that are not the defaults, and the others."""

    different: list[SettingRow]
    chosen: list[SettingRow]
    others: list[SettingRow]


def setting_tables(runs: Sequence[dict[str, Any]]) -> SettingTables:
    """Sort the settings of runs. The normalization that "auto" stands for in nets of ``--hidden`` is a default, too.

    Parameters
    ----------
    runs : sequence of dict
        Settings of each run.

    Returns
    -------
    SettingTables
    """
    defaults = asdict(Config())
    tables = SettingTables([], [], [])
    whole = [{**ABSENT, **run} for run in runs]
    for name in dict.fromkeys([*defaults, *(name for run in whole for name in run)]):
        values = [run.get(name) for run in whole]
        if all(value is None for value in values):
            continue
        texts = [MISSING if value is None else format_value(value) for value in values]
        if any(value != values[0] for value in values):
            tables.different.append(SettingRow(name, texts))
        else:
            resolved = name == "normalize" and values[0] == "standardize" and not any(run.get("net") for run in whole)
            shared = tables.others if resolved or values[0] == defaults.get(name) else tables.chosen
            shared.append(SettingRow(name, texts[:1]))
    return tables
