"""A list of entries as a table, and as CSV."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TextIO

from anynet.app.config import Config
from anynet.app.listing.entry import Entry, Values
from anynet.app.tables import FittingTable
from anynet.core.formatting import format_count, format_seconds, format_value

IN_NET = ("net", "hidden")
"""Settings that the column of the net shows."""

NOUNS = {"sweep": "member", "search": "trial"}


def runs_table(entries: Sequence[Entry], title: str) -> FittingTable:
    """Return a table of entries.

    Parameters
    ----------
    entries : sequence of Entry
    title : str

    Returns
    -------
    FittingTable
    """
    columns = ["name", "when", "net", "settings", "best\nepoch", "best\nval", "best\ntest", "secs", "state"]
    rows = [
        [
            entry.name,
            "" if entry.is_named_after_time else f"{entry.when:%Y-%m-%d %H:%M}",
            entry.net,
            text,
            str(entry.results.get("best_epoch", "")),
            _result(entry.results, "best_val_accuracy", "best_val_loss"),
            _result(entry.results, "best_test_accuracy", "test_loss"),
            format_seconds(entry.results["seconds"]) if "seconds" in entry.results else "",
            entry.state.replace(" ", "\n"),
        ]
        for entry, text in zip(entries, different_settings(entries), strict=True)
    ]
    return FittingTable(title, columns, rows, breaking="settings", optional=("secs", "when"))


def different_settings(entries: Sequence[Entry]) -> list[str]:
    """Return for each entry its settings that others do not have: all that differ, but values that most of them have.

    Parameters
    ----------
    entries : sequence of Entry

    Returns
    -------
    list of str
    """
    names = [field.name for field in fields(Config) if field.name not in IN_NET]
    given = [_given(entry.settings) for entry in entries]
    common: dict[str, str | None] = {}
    for name in names:
        counts = Counter(format_setting(own.get(name)) for own in given)
        value, count = counts.most_common(1)[0]
        common[name] = value if 2 * count > len(entries) else None
    texts = []
    for entry, own in zip(entries, given, strict=True):
        shown = [
            f"{name} {format_setting(own[name])}"
            for name in names
            if name in own and (format_setting(own[name]) != common[name] or _has_several(own[name]))
        ]
        many = [format_count(entry.nets, NOUNS[entry.kind])] if entry.kind in NOUNS else []
        texts.append(", ".join([*many, *shown]))
    return texts


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that were given: order_seed not where it is the seed, or the first of a sweep's."""
    seed = settings.get("seed")
    first = seed[0] if isinstance(seed, Values) else seed
    return {
        name: value
        for name, value in settings.items()
        if value is not None and not (name == "order_seed" and value == first)
    }


def _has_several(value: Any) -> bool:
    return isinstance(value, Values) and len(value) > 1


def format_setting(value: Any) -> str:
    """Return a value of a setting as text; "default" if it was not given."""
    return "default" if value is None else f"{value}" if isinstance(value, Values) else format_value(value)


def write_csv(entries: Sequence[Entry], stream: TextIO) -> None:
    """Write all settings and results of entries as CSV.

    Parameters
    ----------
    entries : sequence of Entry
    stream : text stream
    """
    rows = [{"name": entry.name, "path": entry.path.as_posix(), **_flat(entry.columns)} for entry in entries]
    writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _flat(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that fit a cell."""
    return {
        name: " | ".join(map(str, value)) if isinstance(value, Values) else value
        for name, value in columns.items()
        if isinstance(value, str | int | float | Values)
    }


def _result(results: Mapping[str, Any], accuracy: str, loss: str) -> str:
    if accuracy in results:
        return f"{results[accuracy]:.2%}"
    return f"{results[loss]:.4g}" if loss in results else ""
