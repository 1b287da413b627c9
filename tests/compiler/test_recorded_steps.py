"""Recorded steps give what plain ones give, where an array is needed in more ways than one and in corners besides."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from libraries import tree_map
from loops import RECORDING, in_parts, plain, recorded, recording
from on_backends import TESTED_ON_CPU, marked

from anynet.backends import backend
from anynet.compiler import CompileWarning
from anynet.compiler import split as splitting
from anynet.compiler.numpy import blocks as numpy_blocks


def halves(old):
    return old[..., :6], old[..., 6:]


def joined(xp, *parts):
    return xp.concat(parts, axis=-1)


def head_doubled(xp, old):
    head, tail = halves(old)
    return joined(xp, 2 * head, tail)


def head_of_one(xp, old):
    return joined(xp, 2 * old[..., :1], old[..., 1:])


def an_empty_slice(xp, x, y, v, s, i, r):
    old = joined(xp, x + r, y)
    return x + xp.sum(old[..., old.shape[-1] :]), y, v


def used_after_its_update(xp, x, y, v, s, i, r):
    new = x + r
    return new, y + x * new, v


def returned_twice(xp, x, y, v, s, i, r):
    new = x + r
    return new, new, v


def a_vectors_part_used_after_the_vector_has_changed(xp, x, y, v, s, i, r):
    part = x + r
    old = joined(xp, part, 3 * y)
    head, tail = halves(head_doubled(xp, old))
    return head + tail, part + 1, v


def a_vectors_part_mirrored_while_the_vector_changes(xp, x, y, v, s, i, r):
    part = x + r
    old = joined(xp, part, 3 * y)
    head, tail = halves(joined(xp, old[..., :6] + xp.flip(part, axis=0), old[..., 6:]))
    return head, tail, v


def a_vector_used_after_it_has_changed(xp, x, y, v, s, i, r):
    old = joined(xp, x + r, 3 * y)
    new = head_doubled(xp, old)
    return new[..., :6], new[..., 6:] + old[..., :6], v


def two_vectors_of_one_with_a_part_kept(xp, x, y, v, s, i, r):
    tail = halves(joined(xp, x + r, 3 * y))[1]
    return joined(xp, 2 * x, tail)[..., :6], joined(xp, 5 * x, tail)[..., :6] + tail, v


def a_vector_changed_twice(xp, x, y, v, s, i, r):
    head, tail = halves(head_doubled(xp, head_doubled(xp, joined(xp, x + r, 3 * y))))
    return head, tail, v


def a_kept_part_used_after_it_has_changed_too(xp, x, y, v, s, i, r):
    old = joined(xp, x + r, 3 * y)
    kept = old[..., 6:]
    new = joined(xp, 2 * old[..., :6], kept)
    last = joined(xp, new[..., :6], new[..., 6:] - 1)
    return last[..., :6], last[..., 6:] + kept, v


def a_part_made_before_the_vector_that_it_changes(xp, x, y, v, s, i, r):
    head = 2 * x
    early = 5 * y
    new = joined(xp, joined(xp, head, 3 * y)[..., :6], early)
    return new[..., :6], new[..., 6:], v


def a_view_returned_of_a_vector_that_changes(xp, x, y, v, s, i, r):
    old = joined(xp, x + r, 3 * y)
    return old[..., :6], head_doubled(xp, old)[..., :6], v


def a_gap_that_changes(xp, x, y, v, s, i, r):
    old = joined(xp, x + r, xp.ones((4, 6), dtype=x.dtype))
    new = joined(xp, old[..., :6], old[..., 6:] + v)
    return new[..., :6], new[..., 6:], v


def a_gap_in_place_of_a_part(xp, x, y, v, s, i, r):
    old = joined(xp, x + r, 3 * y)
    new = joined(xp, 2 * old[..., :3], xp.ones((4, 3), dtype=x.dtype), old[..., 6:])
    return new[..., :6], new[..., 6:], v


def a_gap_in_place_of_a_part_of_another_vector(xp, x, y, v, s, i, r):
    other = joined(xp, y + r, x)
    old = joined(xp, (x + r)[..., :3], other[..., 3:6], 3 * y)
    new = joined(xp, 2 * old[..., :3], xp.ones((4, 3), dtype=x.dtype), old[..., 6:])
    return new[..., :6], new[..., 6:] + other[..., 6:], v


def a_gap_kept(xp, x, y, v, s, i, r):
    old = joined(xp, (x + r)[..., :3], xp.ones((4, 3), dtype=x.dtype), y)
    new = joined(xp, 2 * old[..., :3], old[..., 3:])
    last = joined(xp, new[..., :6], new[..., 6:] - 1)
    return last[..., :6], last[..., 6:], v


def a_gap_kept_and_then_changed(xp, x, y, v, s, i, r):
    old = joined(xp, (x + r)[..., :3], xp.ones((4, 3), dtype=x.dtype), y)
    new = joined(xp, 2 * old[..., :3], old[..., 3:])
    last = joined(xp, new[..., :3], 2 * new[..., 3:])
    return last[..., :6], last[..., 6:], v


def equal_gaps(xp, x, y, v, s, i, r):
    def gap():
        return xp.ones((4, 3), dtype=x.dtype)

    old = joined(xp, (x + r)[..., :3], gap(), y)
    new = joined(xp, 2 * old[..., :3], gap(), old[..., 6:])
    return new[..., :6], new[..., 6:], v


def other_gaps_in_the_same_place(xp, x, y, v, s, i, r):
    old = joined(xp, (x + r)[..., :3], xp.ones((4, 3), dtype=x.dtype), y)
    new = joined(xp, 2 * old[..., :3], xp.zeros((4, 3), dtype=x.dtype), old[..., 6:])
    return new[..., :6], new[..., 6:], v + xp.sum(new)


def gaps_that_overlap(xp, x, y, v, s, i, r):
    old = joined(xp, (x + r)[..., :3], xp.ones((4, 3), dtype=x.dtype), y)
    new = joined(xp, xp.ones((4, 4), dtype=x.dtype), old[..., 4:6] + 1, old[..., 6:])
    return new[..., :6], new[..., 6:], v


STEPS = {
    "all passed through": lambda xp, x, y, v, s, i, r: (x, y, v),
    "swapped": lambda xp, x, y, v, s, i, r: (y, x, v),
    "swapped and changed": lambda xp, x, y, v, s, i, r: (y + 1, 2 * x, v),
    "an empty slice": an_empty_slice,
    "used after its update": used_after_its_update,
    "returned twice": returned_twice,
    "a row and a shared array": lambda xp, x, y, v, s, i, r: (r, s, v),
    "a constant": lambda xp, x, y, v, s, i, r: (xp.ones((4, 6), dtype=x.dtype), xp.zeros_like(y), v),
    "a view of another": lambda xp, x, y, v, s, i, r: (x + r, y, x[0, ...]),
    "a view of itself": lambda xp, x, y, v, s, i, r: (xp.flip(x, axis=0), y, xp.flip(v)),
    "a view of another's update": lambda xp, x, y, v, s, i, r: (x + r, y, (x + r)[1, ...]),
    "part of another": lambda xp, x, y, v, s, i, r: (xp.concat([v[None, ...], x[1:, ...]], axis=0), y, v),
    "any row of a table that is written over": lambda xp, x, y, v, s, i, r: (2 * x, y + xp.take(x, i, axis=0), v),
    "mirrored and written over": lambda xp, x, y, v, s, i, r: (2 * x, y + xp.flip(x, axis=0), v),
    "added to itself mirrored": lambda xp, x, y, v, s, i, r: (x + xp.flip(x, axis=0), y, v),
    "its first row added to all": lambda xp, x, y, v, s, i, r: (x + x[:1, ...], y, v),
    "one row in place of all": lambda xp, x, y, v, s, i, r: (2 * xp.broadcast_to((x + r)[:1, ...], (4, 6)) - 1, y, v),
    "columns taken": lambda xp, x, y, v, s, i, r: (xp.take(x + r, i, axis=1) @ y, y, v),
    "rows counted from the end": lambda xp, x, y, v, s, i, r: (xp.take(x, i - 4, axis=0) + r, y, v),
    "rows taken of rows taken": lambda xp, x, y, v, s, i, r: (xp.take(xp.take(x + r, i, axis=0), i, axis=0), y, v),
    "rows taken by two indices": lambda xp, x, y, v, s, i, r: (
        (xp.take(x, i, axis=0) - 2 * xp.take(x, xp.flip(i), axis=0) + xp.take(r, i, axis=0), y, v)
    ),
    "rows taken by numbers just made": lambda xp, x, y, v, s, i, r: (x, y, v + xp.take(v, six(xp, v), axis=0)),
    "infinities behind a mask": lambda xp, x, y, v, s, i, r: (xp.where(x > 0, xp.log(x), 0.0), y + r, v),
    "a mask of -0.0": lambda xp, x, y, v, s, i, r: (xp.copysign(y, xp.where(x > 0, r, -0.0)), y + r, v),
    "small integers added up": lambda xp, x, y, v, s, i, r: (x, y + xp.sum(sevens(xp, r), axis=-1)[:, None], v),
    "summed over no axis": lambda xp, x, y, v, s, i, r: (xp.sum(x, axis=()), y, xp.sum(v + 1, axis=())),
    "summed over all axes": lambda xp, x, y, v, s, i, r: (x - xp.sum(r, axis=(0, 1)) + xp.mean(s), y, v),
    "joined without an axis": lambda xp, x, y, v, s, i, r: (x, y, xp.concat([v[3:], v[:3]]) + 1),
    "joined with another precision": lambda xp, x, y, v, s, i, r: (
        (*halves(joined(xp, xp.astype(x / 3, xp.float32), y / 3)), v)
    ),
    "vectors of one row": lambda xp, x, y, v, s, i, r: (
        x,
        y,
        head_of_one(xp, head_of_one(xp, v[None, :] + r[:1, :]))[0, :],
    ),
    "twice the same part": lambda xp, x, y, v, s, i, r: (*halves(joined(xp, part := x + r, part)), v),
    "joined of what stays the same": lambda xp, x, y, v, s, i, r: (x + xp.sum(joined(xp, s, 2 * s)), y, v),
    "a vector returned changed and unchanged": lambda xp, x, y, v, s, i, r: (
        old := joined(xp, (x + r)[..., :3], y[..., 3:]),
        joined(xp, 2 * old[..., :3], old[..., 3:]),
        v,
    ),
} | {
    function.__name__.replace("_", " "): function
    for function in (
        a_vectors_part_used_after_the_vector_has_changed,
        a_vectors_part_mirrored_while_the_vector_changes,
        a_vector_used_after_it_has_changed,
        two_vectors_of_one_with_a_part_kept,
        a_vector_changed_twice,
        a_kept_part_used_after_it_has_changed_too,
        a_part_made_before_the_vector_that_it_changes,
        a_view_returned_of_a_vector_that_changes,
        a_gap_that_changes,
        a_gap_in_place_of_a_part,
        a_gap_in_place_of_a_part_of_another_vector,
        a_gap_kept,
        a_gap_kept_and_then_changed,
        equal_gaps,
        other_gaps_in_the_same_place,
        gaps_that_overlap,
    )
}
"""Functions of a namespace; x, y, v, which are carried; s, i, which stay; and r, which is a step's own."""

NUMPYS = {
    "integers and halves": lambda xp, x, y, v, s, i, r: (x + xp.sum(i * 0.5), y + xp.sum((i > 1.5) * 2.5), v),
    "bools and numbers": lambda xp, x, y, v, s, i, r: (x + xp.sum((r > 0) + 1), y * ((x > 0) * 2), v),
    "integers averaged": lambda xp, x, y, v, s, i, r: (x + xp.mean(i), y + xp.mean(sevens(xp, r), axis=-2), v),
    "an axis by position": lambda xp, x, y, v, s, i, r: (x + xp.max(r, -1)[:, None], xp.concat([x, y], 1)[:, 3:9], v),
    "joined flat": lambda xp, x, y, v, s, i, r: (x + xp.sum(xp.concat([r, v[None, ...]], axis=None)), y, v),
}
"""Such as NumPy takes, beyond the standard."""


def six(xp, v):
    """Numbers from 0 to 5."""
    return xp.astype(xp.abs(9 * v), xp.int64) % 6


def sevens(xp, r):
    """Numbers whose sum overflows in their own dtype."""
    return xp.astype(xp.astype(r > 0, xp.uint8) * 77, xp.uint8)


WAYS = {
    "numpy": ("numpy", numpy_blocks.SIZE, numpy_blocks.LARGE),
    "numpy, blocks of one row": ("numpy", 24 * 6, 4),
    "numpy, blocks of less": ("numpy", 24 * 5, 4),
} | {name: (name, 0, 0) for name in RECORDING}


def assert_same_on(chosen, function, ours=recorded):
    """Over two loops of three steps."""
    rng = np.random.default_rng(0)

    def step(carry, shared, row):
        return function(array_namespace(*carry), *carry, *shared, *row)

    carry = tuple(rng.standard_normal(shape) for shape in ((4, 6), (4, 6), (6,)))
    shared, rows = (rng.standard_normal((4, 6)), np.asarray([2, 0, 3, 1])), (rng.standard_normal((3, 4, 6)),)
    carry, shared, rows = tree_map(chosen.asarray, (carry, shared, rows))
    ours, theirs = ours(chosen).loop(step), plain(chosen).loop(step)
    actual, expected = carry, carry
    for _ in range(2):
        actual, expected = ours(actual, shared, rows, int), theirs(expected, shared, rows, int)
        for one, other in zip(actual, expected, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(chosen.to_host(one), chosen.to_host(other), rtol=1e-12, atol=1e-12)


@pytest.fixture(params=marked(WAYS, slow=TESTED_ON_CPU))
def chosen(request, monkeypatch):
    name, size, large = WAYS[request.param]
    monkeypatch.setattr(numpy_blocks, "SIZE", size)
    monkeypatch.setattr(numpy_blocks, "LARGE", large)
    return recording(name, request)


@pytest.mark.parametrize("name", STEPS)
def test_steps(chosen, name):
    assert_same_on(chosen, STEPS[name])


@pytest.mark.parametrize("long", [1, 3, 7])
@pytest.mark.parametrize("name", STEPS)
def test_steps_that_carry_vectors_in_parts(monkeypatch, name, long):
    monkeypatch.setattr(splitting, "LONG", long)
    assert_same_on(backend("numpy"), STEPS[name], in_parts)


@pytest.mark.parametrize("name", STEPS)
def test_steps_in_one_call_of_jax(monkeypatch, name):
    pytest.importorskip("jax")
    monkeypatch.setattr(splitting, "LONG", 3)
    chosen = backend("jax:cpu")
    chosen.dtype("float64")
    assert_same_on(chosen, STEPS[name])


def test_a_step_in_jax_s_own_words():
    jax = pytest.importorskip("jax")
    chosen = backend("jax:cpu")
    chosen.dtype("float64")
    x, rows = jax.numpy.ones((2, 3)), jax.numpy.arange(6.0).reshape(2, 3)
    loop = chosen.loop(lambda carry, shared, row: jax.numpy.einsum("ij,j->ij", carry, row).at[0, 0].add(1.0))
    with pytest.warns(CompileWarning, match=r"einsum .*\(test_recorded_steps.py, line \d+, in <lambda>\)"):
        result = loop(x, None, rows, int)
    np.testing.assert_array_equal(result, [[4, 4, 10], [0, 4, 10]])


@pytest.mark.parametrize("name", NUMPYS)
def test_numpys_own_ways(name):
    assert_same_on(backend("numpy"), NUMPYS[name])
