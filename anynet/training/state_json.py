"""The JSON of a training's state: checking it, and reading parts of it."""

import json
import math
from collections.abc import Callable
from typing import Any

from anynet.core.epoch import Epoch, columns_of
from anynet.core.history import History
from anynet.training.errors import is_report


def check(text: str, epoch: int, members: int) -> None:
    """Raise ValueError if a text is not the JSON of a state.

    Parameters
    ----------
    text : str
    epoch : int
        Number of completed epochs that it should have.
    members : int
        Number of members, those included that are no longer in training.
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("JSON of too many levels") from error
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    epochs, over = content.get("epoch"), content.get("over")
    seconds: Any = content.get("seconds")

    def is_list(name: str, allowed: Callable[[Any], bool], length: int | None = None) -> bool:
        values = content.get(name)
        return isinstance(values, list) and all(map(allowed, values)) and length in (None, len(values))

    def is_member(k: Any) -> bool:
        return type(k) is int and 0 <= k < members

    allowed = {
        "epoch": type(epochs) is int and epochs == epoch,
        "over": type(over) is bool,
        "seconds": _is_number(seconds) and 0 <= seconds < math.inf,
        "places": is_list("places", is_member) and len({*content["places"]}) == len(content["places"]),
        "dropped": is_list("dropped", is_member),
        "histories": is_list("histories", _is_history, members)
        and (over or max(map(len, content["histories"])) == epoch),
        "diverged": is_list("diverged", _is_divergence, members),
    }
    for name, right in allowed.items():
        if not right:
            raise ValueError(f"{name} {content.get(name, 'missing')!r:.50}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_history(rows: Any) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, list)
        and len(row) == len(Epoch._fields)
        and _has_columns(dict(zip(Epoch._fields, row, strict=True)))
        and row[0] == number
        for number, row in enumerate(rows, start=1)
    )


def _has_columns(row: dict[str, Any]) -> bool:
    """Return True if the values of an epoch are numbers, accuracies fractions, and None is where it may be."""
    there = {name: value for name, value in row.items() if value is not None}
    return (
        tuple(there) == columns_of(list(there))
        and all(map(_is_number, there.values()))
        and all(0 <= value <= 1 for name, value in there.items() if name.endswith("_accuracy"))
    )


def _is_divergence(args: Any) -> bool:
    """Return True if this is None or the arguments of a `DivergedError`."""
    if args is None:
        return True
    return isinstance(args, list) and len(args) == 5 and all(map(_is_number, args[:4])) and is_report(args[4])


def places_of(text: str) -> list[int]:
    """Return the numbers of the members that are in training, given the JSON of a state."""
    return list(json.loads(text)["places"])


def histories_of(text: str) -> list[History]:
    """Return the histories of all members, given the JSON of a state."""
    return [History(Epoch(*row) for row in rows) for rows in json.loads(text)["histories"]]
