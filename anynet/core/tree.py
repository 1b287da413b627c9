"""Trees: nested tuples, lists and dictionaries of arrays."""

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Return the leaves of a tree and a function that builds such a tree from other leaves.

    Parameters
    ----------
    tree : object
        Nested tuples, named tuples, lists and dictionaries. None is a tree without leaves. Leaves of dictionaries are
        in the order of the sorted keys.

    Returns
    -------
    leaves : list
        Leaves from left to right.
    rebuild : callable
        ``rebuild(leaves)`` returns a tree of the same structure.

    Examples
    --------
    >>> leaves, rebuild = flatten({"a": (1, None), "b": [2]})
    >>> leaves, rebuild([3, 4])
    ([1, 2], {'a': (3, None), 'b': [4]})
    """
    leaves: list[Any] = []
    build = _builder(tree, leaves)

    def rebuild(replaced: list[Any]) -> Any:
        return build(iter(replaced))

    return leaves, rebuild


def form(tree: Any) -> str:
    """Return the structure of a tree as text; equal for two trees with the same structure.

    Parameters
    ----------
    tree : object
        As for ``flatten``.

    Returns
    -------
    str

    Examples
    --------
    >>> form({"b": [2], "a": (1, None)})
    "{'a': ('*', None), 'b': ['*']}"
    """
    leaves, rebuild = flatten(tree)
    return repr(rebuild(["*"] * len(leaves)))


def _builder(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    if tree is None:
        return lambda it: None
    if isinstance(tree, dict):
        builders = {key: _builder(tree[key], leaves) for key in sorted(tree, key=str)}
        return lambda it: {key: build(it) for key, build in builders.items()}
    if isinstance(tree, tuple | list):
        parts = [_builder(value, leaves) for value in tree]
        kind = type(tree)._make if hasattr(tree, "_make") else type(tree)
        return lambda it: kind(build(it) for build in parts)
    leaves.append(tree)
    return next
