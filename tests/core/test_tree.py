"""Containers of arrays, taken apart and put together again."""

from typing import NamedTuple

import pytest

from anynet.core.tree import flatten, form


class Pair(NamedTuple):
    first: object
    second: object


TREES = {
    "a leaf": 1,
    "nothing": None,
    "nested": {"a": (1, None), "b": [2, {"c": 3}]},
    "named": Pair(Pair(1, 2), None),
    "empty": ((), [], {}),
}


@pytest.mark.parametrize("name", TREES)
def test_taken_apart_and_put_together(name):
    leaves, rebuild = flatten(TREES[name])
    assert leaves == list(range(1, len(leaves) + 1))
    again = rebuild(leaves)
    assert again == TREES[name]
    assert type(again) is type(TREES[name])


def test_a_dictionarys_leaves_come_by_name():
    assert flatten({"b": 2, "a": 1})[0] == flatten({"a": 1, "b": 2})[0] == [1, 2]
    assert form({"b": 2, "a": 1}) == form({"a": 1, "b": 2})


def test_trees_of_different_containers_differ_in_form():
    trees = [1, (1,), [1], {"a": 1}, {"b": 1}, (1, None), (None, 1), Pair(1, None), ((1,),)]
    assert len({form(tree) for tree in trees}) == len(trees)
