"""Choosing and sorting the entries of a list by their settings and results."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

from anynet.app.config import Config
from anynet.app.listing.entry import SHORT, Entry, Values
from anynet.core.checks import nearest

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "!=": operator.ne, "=": operator.eq, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
CONDITION = re.compile(r"([A-Za-z_][\w.-]*)\s*(<=|>=|!=|==?|<|>)\s*(.*)")
WORDS = {"yes": "true", "no": "false"}


def keep(entries: Sequence[Entry], conditions: Iterable[str]) -> list[Entry]:
    """Return the entries that fulfil all conditions.

    Parameters
    ----------
    entries : sequence of Entry
    conditions : iterable of str
        ``NAME=VALUE``, or with != < <= > or >=. Of several values, as in a sweep, one must fulfil it. Values that are
        not there fulfil != alone.

    Returns
    -------
    list of Entry

    Raises
    ------
    ValueError
        If a condition has another form, or there is no such setting or result.
    """
    kept = list(entries)
    for text in conditions:
        matched = CONDITION.fullmatch(text.strip())
        if matched is None:
            raise ValueError(f'--where: expected NAME=VALUE, or with != < <= > >=, as in "lr>0.01", got "{text}"')
        name, comparison, wanted = matched.groups()
        name, compare = _known("--where", name, entries), COMPARISONS[comparison.replace("==", "=")]
        if compare not in (operator.eq, operator.ne) and _number(wanted) is None:
            raise ValueError(f'--where: expected a number behind {comparison}, got "{text}"')
        kept = [entry for entry in kept if _fulfils(entry.columns.get(name), compare, wanted)]
    return kept


def sort(entries: Sequence[Entry], column: str) -> list[Entry]:
    """Return the entries sorted by a column.

    Parameters
    ----------
    entries : sequence of Entry
    column : str
        Name of a setting or result; with ``:desc`` at its end the largest comes first. Entries without it are last.

    Returns
    -------
    list of Entry

    Raises
    ------
    ValueError
        If there is no such setting or result.
    """
    name, colon, order = column.partition(":")
    if colon and order not in ("asc", "desc"):
        raise ValueError(f'--sort: expected COLUMN or COLUMN:desc, got "{column}"')
    name = _known("--sort", name, entries)
    there = [entry for entry in entries if entry.columns.get(name) is not None]
    there.sort(key=lambda entry: _key(entry.columns[name]), reverse=order == "desc")
    return there + [entry for entry in entries if entry.columns.get(name) is None]


def _known(option: str, name: str, entries: Iterable[Entry]) -> str:
    """Return the name of a column as it is written in files."""
    known = dict.fromkeys(["name", "kind", "when", "net", "state", "nets", *SHORT, *(f.name for f in fields(Config))])
    known |= dict.fromkeys(name for entry in entries for name in entry.columns)
    name = name.replace("-", "_")
    if name not in known:
        near = nearest(name, known)
        advice = near if "did you mean" in near else "; --csv has all of them"
        raise ValueError(f'{option}: there is no setting or result "{name}"{advice}')
    return name


def _fulfils(value: Any, compare: Callable[[Any, Any], bool], wanted: str) -> bool:
    if value is None:
        return compare is operator.ne
    if isinstance(value, Values):
        of_each = [_fulfils(each, compare, wanted) for each in value]
        return all(of_each) if compare is operator.ne else any(of_each)
    a, b = _number(value), _number(wanted)
    if a is not None and b is not None:
        return compare(a, b)
    if compare not in (operator.eq, operator.ne):
        return False
    return compare(str(value).lower(), WORDS.get(wanted.lower(), wanted.lower()))


def _number(value: Any) -> float | None:
    """Return a number, also of a text such as 1e-3 or 44%; None for anything else."""
    if isinstance(value, bool):
        return None
    text = str(value)
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _key(value: Any) -> tuple[bool, float, str]:
    """Return what values are sorted by: numbers first, by their size, then texts."""
    first = value[0] if isinstance(value, Values) else value
    number = _number(first)
    return number is None, number or 0.0, str(first)
