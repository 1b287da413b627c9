"""Differences between two runs, sweeps or searches."""

from collections.abc import Mapping
from typing import Any

from anynet.app.listing.entry import RENAMED, Entry
from anynet.app.listing.show import format_setting
from anynet.app.tables import FittingTable


def differences_table(a: Entry, b: Entry) -> FittingTable | None:
    """Return a table of the settings and results, environment included, that differ; None if there are none.

    Of a run, a sweep and a search only results are compared that both have.

    Parameters
    ----------
    a, b : Entry

    Returns
    -------
    FittingTable or None
    """
    settings = {**a.settings, **b.settings}
    one, other = (_flat(each.results, settings) | {"kind": each.kind, "state": each.state} for each in (a, b))
    if a.kind != b.kind:  # a search has fewer results than a run
        one, other = ({name: each[name] for name in each if name in one and name in other} for each in (one, other))
    rows = [
        [name, *_texts(name, first.get(name), second.get(name), missing)]
        for first, second, missing in ((a.settings, b.settings, "default"), (one, other, "-"))
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]
    return FittingTable(f"{a.name} and {b.name}: what differs", ["", a.name, b.name], rows) if rows else None


def _texts(name: str, a: Any, b: Any, missing: str) -> tuple[str, str]:
    """Return two values as texts that differ."""

    def text(value: Any) -> str:
        if value is None:
            return missing
        return f"{value:.2%}" if name.endswith("_accuracy") else format_setting(value)

    return (text(a), text(b)) if text(a) != text(b) else (str(a), str(b))


def _flat(tree: Mapping[str, Any], without: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"a.b": 1} for {"a": {"b": 1}}, without lists and settings; epochs are those that were trained."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        full = RENAMED.get(name, prefix + name)
        if isinstance(value, dict):
            flat |= _flat(value, {}, f"{full}.")
        elif isinstance(value, str | int | float) and full not in without:
            flat[full] = value
    return flat
