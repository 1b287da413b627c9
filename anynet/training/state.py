"""The state of a training between two epochs, as arrays and as the content of a file."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.history import Epoch, History
from anynet.core.tree import flatten
from anynet.core.typing import Array, Arrays
from anynet.training.errors import DivergedError, is_report
from anynet.training.step import Carry

Weights = tuple[Array, Arrays]
"""Parameters and running statistics."""


class TrainingState(NamedTuple):
    """One net or a stack of members after a completed epoch: all that the next epoch depends on, and the results.

    The order of images, augmentation and random layers depend on seed and epoch alone.

    Attributes
    ----------
    epoch : int
        Number of completed epochs.
    places : list of int
        Numbers of the members that are in training.
    dropped : frozenset of int
        Numbers of the members that were dropped.
    carry : Carry
        Of the members in training.
    histories : list of History
        Of all members.
    last, best : tuple of array and dict of arrays
        Parameters and running statistics of all members, after the last and after the best epoch of each.
    diverged : list of DivergedError or None
        Why a member stopped, if its cost was no longer finite.
    seconds : float
        Time of training so far.
    over : bool
        True if no member is left to train: all were dropped, or their cost is no longer finite.
    """

    epoch: int
    places: list[int]
    dropped: frozenset[int]
    carry: Carry
    histories: list[History]
    last: Weights
    best: Weights
    diverged: list[DivergedError | None]
    seconds: float
    over: bool = False

    @classmethod
    def initial(cls, carry: Carry, members: int) -> "TrainingState":
        """Return the state before the first epoch."""
        weights = carry.params, carry.state
        histories = [History() for _ in range(members)]
        return cls(0, list(range(members)), frozenset(), carry, histories, weights, weights, [None] * members, 0.0)


def to_host(state: TrainingState, backend: Backend) -> tuple[dict[str, NDArray[Any]], str]:
    """Return the arrays of a state by name, and the rest as JSON.

    Parameters
    ----------
    state : TrainingState
    backend : Backend
        Of the arrays.

    Returns
    -------
    tensors : dict of str to ndarray
    text : str
    """
    parts = {"carry": state.carry, "best": state.best}
    if state.last[0] is not state.carry.params:  # some members are no longer in training
        parts["last"] = state.last
    tensors = {name: np.asarray(backend.to_host(array), order="C") for name, array in _named(parts)}
    content = {
        "epoch": state.epoch,
        "places": state.places,
        "dropped": sorted(state.dropped),
        "histories": [list(history) for history in state.histories],
        "diverged": [None if error is None else list(error.args) for error in state.diverged],
        "seconds": state.seconds,
        "over": state.over,
    }
    return tensors, json.dumps(content)


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
        and all(map(_is_number, row))
        and row[0] == number
        and all(0 <= getattr(Epoch(*row), name) <= 1 for name in ("train_accuracy", "val_accuracy"))
        for number, row in enumerate(rows, start=1)
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


def from_host(
    tensors: Mapping[str, NDArray[Any]], text: str, like: tuple[Carry, Weights], backend: Backend
) -> TrainingState:
    """Return the state that `to_host` has made arrays and JSON of.

    Parameters
    ----------
    tensors : mapping of str to ndarray
    text : str
    like : tuple of Carry and tuple of array and dict of arrays
        A carry of the members in training, and weights of all members, with the shapes and dtypes to expect.
    backend : Backend
        Where the arrays are moved to.

    Returns
    -------
    TrainingState

    Raises
    ------
    ValueError
        If an array is missing, too many, or of another shape or dtype; the message names it.
    KeyError, TypeError
        If the JSON lacks something.
    """
    carry, weights = like
    parts = {"carry": carry, "best": weights} | ({"last": weights} if "last.0" in tensors else {})
    expected = dict(_named(parts))
    for name in sorted(expected.keys() | tensors.keys()):
        found = "none" if name not in tensors else f"{tensors[name].dtype} of shape {tensors[name].shape}"
        array = expected.get(name)
        wanted = "none" if array is None else f"{backend.to_host(array).dtype} of shape {tuple(array.shape)}"
        if found != wanted:
            raise ValueError(f"tensor {name}: expected {wanted}, got {found}")
    _, rebuild = flatten(parts)
    names = [name for name, _ in _named(parts)]
    made = rebuild([backend.asarray(tensors[name]) for name in names])
    content, carry = json.loads(text), made["carry"]
    return TrainingState(
        int(content["epoch"]),
        list(content["places"]),
        frozenset(content["dropped"]),
        carry,
        histories_of(text),
        made.get("last", (carry.params, carry.state)),
        made["best"],
        [None if args is None else DivergedError(*args) for args in content["diverged"]],
        float(content["seconds"]),
        bool(content["over"]),
    )


def _named(tree: Any, name: str = "") -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a tree with their paths, in the order of `flatten`."""
    if tree is None:
        return
    if isinstance(tree, dict):
        items = [(f"{key}", tree[key]) for key in sorted(tree, key=str)]
    elif isinstance(tree, tuple | list):
        items = list(zip(getattr(tree, "_fields", map(str, range(len(tree)))), tree, strict=True))
    else:
        yield name, tree
        return
    for key, value in items:
        yield from _named(value, f"{name}.{key}" if name else key)
