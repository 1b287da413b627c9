"""Items of the layers of a container, such as parameters, by the layer's place and their own name: "1.gamma"."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def by_place(parts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return the items of layers by the layer's place and its own name, such as "1.gamma".

    Parameters
    ----------
    parts : iterable of mapping
        Items of each layer, by its own names.

    Returns
    -------
    dict
    """
    return {f"{i}.{name}": item for i, part in enumerate(parts) for name, item in part.items()}


def by_layer(named: Mapping[str, T], n: int) -> list[dict[str, T]]:
    """Return the items of each of `n` layers, by their own names: the inverse of `by_place`.

    Parameters
    ----------
    named : mapping
        Items by place and name.
    n : int

    Returns
    -------
    list of dict
    """
    parts: list[dict[str, T]] = [{} for _ in range(n)]
    for name, item in named.items():
        i, own = name.split(".", 1)
        parts[int(i)][own] = item
    return parts
