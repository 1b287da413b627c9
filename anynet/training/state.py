"""The state of a training between two epochs, as arrays and as the content of a file."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.history import History
from anynet.core.tensor_file import ArrayType
from anynet.core.tree import flatten
from anynet.core.typing import Array, Arrays
from anynet.training.errors import DivergedError
from anynet.training.state_json import histories_of, places_of
from anynet.training.step import Carry

Weights = tuple[Array, Arrays]
"""Parameters and running statistics."""


class TrainingState(NamedTuple):
    """One net or a stack of members after a completed epoch: all that the next epoch depends on, and the results.

    The order of samples, augmentation and random layers depend on seed and epoch alone.

    Attributes
    ----------
    epoch : int
        Number of completed epochs.
    places : list of int
        Numbers of the members that are in training.
    dropped : frozenset of int
        Numbers of the members that callbacks dropped.
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
        True if no member is left to train: all were dropped, stopped early, or have a cost that is not finite.
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
        weights = carry.weights
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
    parts: dict[str, Any] = {"carry": state.carry}
    for name, weights in (("last", state.last), ("best", state.best)):
        if weights[0] is not state.carry.weights[0]:  # members that are no longer in training, or an earlier epoch
            parts[name] = weights
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


def check_types(types: Mapping[str, ArrayType], like: tuple[Carry, Weights], backend: Backend) -> None:
    """Raise ValueError unless a file has the arrays of a state.

    Parameters
    ----------
    types : mapping of str to ArrayType
        Dtypes and shapes of the file's arrays.
    like : tuple of Carry and tuple of array and dict of arrays
        A carry of the members in training, and weights of all members, with the dtypes and shapes to expect.
    backend : Backend
        Of `like`.
    """
    expected = dict(_named(_parts(types, like)))
    for name in sorted(expected.keys() | types.keys()):
        found = "none" if name not in types else "{} of shape {}".format(*types[name])
        array = expected.get(name)
        wanted = "none" if array is None else f"{backend.to_host(array).dtype} of shape {tuple(array.shape)}"
        if found != wanted:
            raise ValueError(f"tensor {name}: expected {wanted}, got {found}")


def from_host(
    tensors: Mapping[str, NDArray[Any]], text: str, like: tuple[Carry, Weights], backend: Backend
) -> TrainingState:
    """Return the state that `to_host` has made arrays and JSON of.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        With dtypes and shapes that `check_types` accepts.
    text : str
        JSON that `state_json.check` accepts.
    like : tuple of Carry and tuple of array and dict of arrays
        As for `check_types`.
    backend : Backend
        Where the arrays are moved to.

    Returns
    -------
    TrainingState

    Raises
    ------
    ValueError
        If an array that must be finite is not; the message names it.
    """
    for name, tensor in tensors.items():
        if not name.startswith("carry.moments") and not np.isfinite(tensor).all():
            raise ValueError(f"tensor {name}: expected finite numbers, got others")
    parts = _parts(tensors, like)
    _, rebuild = flatten(parts)
    made = rebuild([backend.asarray(tensors[name]) for name, _ in _named(parts)])
    content, carry = json.loads(text), made["carry"]
    now = carry.weights
    return TrainingState(
        content["epoch"],
        places_of(text),
        frozenset(content["dropped"]),
        carry,
        histories_of(text),
        made.get("last", now),
        made.get("best", now),
        [None if args is None else DivergedError(*args) for args in content["diverged"]],
        content["seconds"],
        content["over"],
    )


def _parts(names: Collection[str], like: tuple[Carry, Weights]) -> dict[str, Any]:
    """Return the parts of a state that a file with these arrays has."""
    carry, weights = like
    return {"carry": carry} | {part: weights for part in ("last", "best") if f"{part}.0" in names}


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
