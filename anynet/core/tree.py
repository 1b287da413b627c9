"""Containers of arrays, taken apart and put together again."""

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of nested tuples, lists and dictionaries, and a function that puts others in their place.

    None is a container without leaves; a dictionary's leaves come in the order of its keys.

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
    """The containers alone, as text: the same for two trees whose leaves can take each other's places.

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
