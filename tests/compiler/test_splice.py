"""Groups joined across a concatenation: the values of the plain step, and no memory for the vector."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import PLAIN, RECORDED

from anynet.compiler.numpy import blocks
from anynet.compiler.recording import record_step
from anynet.compiler.splice import vector_within

N, SIZES = 23, (1, 24 * 5, 24 * 8, 24 * 1000)


def joined(xp, *parts):
    return xp.concat(parts, axis=-1)


def penalty(xp, x, v, g):
    """Add to a part at the beginning, then update all."""
    v = 0.5 * v + joined(xp, g[..., :16] + 0.1 * x[..., :16], g[..., 16:])
    return x - 0.1 * v, v


def in_the_middle(xp, x, v, g):
    """Between two parts that are not computed, one of them constant."""
    zeros = xp.zeros((*x.shape[:-1], 3))
    vector = joined(xp, g[..., :5], (g[..., 5:20] * 2 + x[..., 5:20]) * v[..., 5:20], zeros)
    return x + vector * v, v * 2


def kept(xp, x, v, g):
    """With a part of what is then written over."""
    return x + joined(xp, x[..., :9] * g[..., :9], x[..., 9:]) * v, v


def used_again(xp, x, v, g):
    """After what a part is kept of has been written over."""
    vector = joined(xp, x[..., :9] * g[..., :9], x[..., 9:])
    x = x + vector * v
    return x, v - vector


def shifted(xp, x, v, g):
    """With other elements of what would be written over."""
    return x + joined(xp, x[..., 7:] * g[..., 7:], x[..., :7]) * v, v


def carried(xp, x, v, g):
    """The vector is the next carry."""
    vector = joined(xp, g[..., :16] + 0.1 * x[..., :16], g[..., 16:])
    return x - vector, vector


def read_twice(xp, x, v, g):
    """What is computed for the vector is needed beside it."""
    part = g[..., :16] + x[..., :16]
    return x - joined(xp, part, g[..., 16:]), v + xp.sum(part * part)


def two_parts(xp, x, v, g):
    return x - joined(xp, g[..., :16] * 2, g[..., 16:] + 1), v


JOINED = (penalty, in_the_middle, kept, used_again, shifted)
SEPARATE = (carried, read_twice, two_parts)


@pytest.fixture(autouse=True)
def large(monkeypatch):
    monkeypatch.setattr(blocks, "LARGE", 2)


def step_of(function):
    return lambda carry, shared, row: function(array_namespace(row), *carry, row * 2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("function", [*JOINED, *SEPARATE])
def test_values_are_those_of_the_plain_step(monkeypatch, rng, function, members, size):
    monkeypatch.setattr(blocks, "SIZE", size)
    carry, rows = tuple(rng.standard_normal((2, *members, N))), rng.standard_normal((4, *members, N))
    ours, theirs = (loop.loop(step_of(function))(carry, None, rows, int) for loop in (RECORDED, PLAIN))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("function", [*JOINED, *SEPARATE])
def test_groups_are_joined_where_only_the_vector_is_between(rng, function):
    x, v, g = rng.standard_normal((3, N))
    graph = record_step(step_of(function), RECORDED.xp, (x, v), (), g)
    program = RECORDED.target.program(graph, 2, [])
    assert any(vector_within(group) for group in program.made) == (function in JOINED)
