"""How results are held against a truth that knows of one net at a time."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from libraries import tree_map


def each_member(truth: Callable[..., dict], members: tuple[int, ...], *args: Any) -> dict:
    """What a truth says of each member's own arrays, stacked; of the arrays themselves where there are no members."""
    if not members:
        return truth(*args)
    found = [truth(*tree_map(lambda array, k=k: array[k], args)) for k in range(members[0])]
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def agree(ours: Mapping, theirs: Mapping, rtol: float, least: float = 0.0) -> None:
    """Arrays of the same names and shapes, equal to rtol of the largest number, or of ``least`` where that is more."""
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape, name
        scale = max(float(np.max(np.abs(expected))), least)
        np.testing.assert_allclose(ours[name], expected, rtol=0, atol=rtol * scale, err_msg=name)
