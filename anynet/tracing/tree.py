"""Containers of arrays, taken apart and put together again."""

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of nested tuples, lists and dictionaries, and a function that puts others in their place.

    None is a container without leaves.

    >>> leaves, rebuild = flatten({"a": (1, None), "b": [2]})
    >>> leaves, rebuild([3, 4])
    ([1, 2], {'a': (3, None), 'b': [4]})
    """
    leaves: list[Any] = []
    form = _form(tree, leaves)

    def rebuild(replaced: list[Any]) -> Any:
        it = iter(replaced)
        return form(it)

    return leaves, rebuild


def _form(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    if tree is None:
        return lambda it: None
    if isinstance(tree, dict):
        forms = {key: _form(value, leaves) for key, value in tree.items()}
        return lambda it: {key: form(it) for key, form in forms.items()}
    if isinstance(tree, tuple | list):
        parts = [_form(value, leaves) for value in tree]
        kind = type(tree)._make if hasattr(tree, "_make") else type(tree)
        return lambda it: kind(form(it) for form in parts)
    leaves.append(tree)
    return next
