"""Loops of recorded steps: what they take, and what they leave unchanged."""

from typing import NamedTuple

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import PLAIN, RECORDED

from anynet.backends import backend
from anynet.compiler.numpy import ufuncs

NUMPY = backend("numpy")


class State(NamedTuple):
    x: np.ndarray
    total: np.ndarray


def step(state, shared, row):
    """x grows by rows of a table, scaled; a total counts."""
    xp = array_namespace(state.x)
    picked = xp.take(shared["table"], row["index"], axis=0)
    x = state.x * 0.5 + xp.astype(picked, state.x.dtype) * shared["scale"] * row["rate"]
    return State(x, state.total + xp.sum(x))


def arguments(rng, steps=4, rows=3):
    state = State(rng.standard_normal((rows, 5)), np.asarray(0.0))
    shared = {"table": rng.integers(0, 256, (20, 5), dtype=np.uint8), "scale": rng.standard_normal(5)}
    return state, shared, {"index": rng.integers(0, 20, (steps, rows)), "rate": rng.random(steps)}


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_recurrence_has_a_closed_form(rng):
    x, rows = rng.standard_normal(3), rng.standard_normal((6, 3))
    actual = RECORDED.loop(lambda carry, shared, row: carry * shared + row)(x, np.asarray(0.5), rows, int)
    np.testing.assert_allclose(actual, 0.5**6 * x + sum(0.5 ** (5 - i) * rows[i] for i in range(6)), rtol=1e-14)


def test_arguments_may_be_read_only_and_stay_as_they_are(rng):
    given = arguments(rng)
    arrays = [*given[0], *given[1].values(), *given[2].values()]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    assert_same(RECORDED.loop(step)(*given, int), PLAIN.loop(step)(*given, int))
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_results_are_left_alone_by_later_loops(rng):
    """Two that take turns, each from its own last state."""
    loop, plain = RECORDED.loop(step), PLAIN.loop(step)
    (ours, shared, rows), (theirs, *_) = arguments(rng), arguments(rng)
    expected, found = [ours, theirs], [ours, theirs]
    seen = []
    for _ in range(3):
        for k in range(2):
            found[k], expected[k] = loop(found[k], shared, rows, int), plain(expected[k], shared, rows, int)
            seen.append((found[k], expected[k]))
    for actual, other in seen:
        assert_same(actual, other)
        assert not any(np.shares_memory(one, two) for one in actual for two in (*ours, *theirs))


def test_what_is_passed_through_is_a_copy(rng):
    x, table = rng.standard_normal(3), np.arange(4)
    kept, copied = RECORDED.loop(lambda carry, shared, row: (carry[0], shared))((x, table), table, np.zeros(2), int)
    assert not np.shares_memory(kept, x)
    assert not np.shares_memory(copied, table)


def test_loops_of_several_sizes_take_turns(rng):
    loop, plain = RECORDED.loop(step), PLAIN.loop(step)
    for rows, steps in [(3, 4), (1, 1), (3, 2), (2, 5), (1, 1), (3, 4)]:
        given = arguments(rng, steps, rows)
        assert_same(loop(*given, int), plain(*given, int))


def test_several_sets_of_data_take_turns(rng):
    loop, plain = RECORDED.loop(step), PLAIN.loop(step)
    state, shared, rows = arguments(rng)
    tables = [shared["table"], shared["table"][::-1], shared["table"].copy()]
    for table in [*tables, *tables]:
        for scale in (shared["scale"], 2 * shared["scale"]):
            given = state, {"table": table, "scale": scale}, rows
            assert_same(loop(*given, int), plain(*given, int))


def test_more_sets_of_data_than_records_are_kept(rng):
    loop, plain = RECORDED.loop(step), PLAIN.loop(step)
    for _ in range(70):
        given = arguments(rng, steps=1)
        assert_same(loop(*given, int), plain(*given, int))
    assert len(loop.__wrapped__._records) < 70


def test_data_that_change_between_loops_are_seen(rng):
    loop, (state, shared, rows) = RECORDED.loop(step), arguments(rng)
    loop(state, shared, rows, int)
    for array in shared.values():
        array += 1
    assert_same(loop(state, shared, rows, int), PLAIN.loop(step)(state, shared, rows, int))


def test_what_depends_on_shared_arrays_alone_is_made_anew_in_each_loop(rng):
    def scaled(carry, shared, row):
        xp = array_namespace(carry)
        return (
            carry + xp.sum(xp.exp(shared["scale"]) / 2, axis=-1) * row + xp.astype(shared["table"][0, 0], carry.dtype)
        )

    loop, plain = RECORDED.loop(scaled), PLAIN.loop(scaled)
    for _ in range(2):
        _, shared, rows = arguments(rng)
        assert_same([loop(np.zeros(()), shared, rows["rate"], int)], [plain(np.zeros(()), shared, rows["rate"], int)])


def test_containers_that_differ_are_told_apart(rng):
    def named(carry, shared, row):
        return {"a": carry["a"] + row[0] - (row[1] if shared is None else shared["b"]), "b": carry["b"]}

    loop, plain = RECORDED.loop(named), PLAIN.loop(named)
    x, y, z = rng.standard_normal((3, 2))
    for carry in ({"a": x, "b": y}, {"b": x, "a": y}):
        for shared, rows in ((None, (z, y)), ({"b": z[0]}, (y, None)), ({"b": z}, [z])):
            actual, expected = loop(carry, shared, rows, int), plain(carry, shared, rows, int)
            assert actual.keys() == expected.keys()
            assert_same([actual["a"], actual["b"]], [expected["a"], expected["b"]])


def test_a_dictionary_may_come_back_in_another_order(rng):
    def turned(carry, shared, row):
        return {"b": carry["b"] * 2, "a": carry["a"] + row}

    x, rows = {"a": np.asarray(1.0), "b": np.asarray(3.0)}, np.ones(2)
    assert RECORDED.loop(turned)(x, None, rows, int) == {"a": 3.0, "b": 12.0}


def test_every_step_ticks(rng):
    ticks = []
    NUMPY.loop(step)(*arguments(rng, steps=4), ticks.append)
    assert ticks == [1, 1, 1, 1]


def test_no_steps_at_all(rng):
    """And a loop that has made none is none the worse for it."""
    state, shared, rows = arguments(rng)
    none = {name: row[:0] for name, row in rows.items()}
    loop = NUMPY.loop(step)
    assert_same(loop(state, shared, none, int), state)
    assert_same(loop(state, shared, rows, int), PLAIN.loop(step)(state, shared, rows, int))


def raises_late(carry, shared, row):
    xp = array_namespace(carry)
    return carry + xp.take(shared, row, axis=0)


@pytest.mark.parametrize("wrong", [3, -4])
def test_an_index_out_of_bounds_is_found_in_every_step(wrong):
    table, ticks = np.asarray([1.0, 2.0, 3.0]), []
    rows = np.asarray([[0, 1], [-1, 2], [0, wrong], [1, 1]])
    loop, carry = RECORDED.loop(raises_late), np.zeros(2)
    for _ in range(2):
        with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for axis 0 with size 3"):
            loop(carry, table, rows, ticks.append)
    assert len(ticks) == 4
    np.testing.assert_array_equal(loop(carry, table, rows[:2], int), [4.0, 5.0])


def test_an_error_between_loops_of_other_containers(rng):
    """A step that asks for a name that only some have."""
    state, shared, rows = arguments(rng)
    loop = NUMPY.loop(step)
    with pytest.raises(AttributeError, match="'tuple' object has no attribute 'x'"):
        loop(tuple(state), shared, rows, int)
    assert_same(loop(state, shared, rows, int), PLAIN.loop(step)(state, shared, rows, int))


@pytest.mark.parametrize("number", [0, 0.0, -0.0, 1.5])
@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (3, 2500), (3000,)])
def test_larger_and_smaller_of_an_array_and_a_number(rng, name, number, shape):
    """Two loops with numbers that are equal, but not the same, and arrays of all lengths."""
    x = rng.standard_normal(shape)
    x.flat[:1] = np.nan

    def chosen(carry, shared, row):
        return getattr(array_namespace(carry), name)(carry * row, number)

    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x * 2, number)
    np.testing.assert_array_equal(RECORDED.loop(chosen)(x, None, np.asarray([2.0]), int), expected)
    if shape and number == 0:  # zeros have signs
        zeros = RECORDED.loop(chosen)(np.full(shape, -1.0 if name == "maximum" else 1.0), None, np.asarray([2.0]), int)
        assert (np.signbit(zeros) == np.signbit(np.float64(number))).all()


def test_buffers_have_their_size_back_after_a_loop(rng):
    before = np.getbufsize()
    sizes = []
    NUMPY.loop(step)(*arguments(rng), lambda _: sizes.append(np.getbufsize()))
    assert before == np.getbufsize() > max(sizes)
    with pytest.raises(KeyboardInterrupt):
        NUMPY.loop(step)(*arguments(rng), interrupt)
    assert np.getbufsize() == before


def interrupt(steps):
    raise KeyboardInterrupt


def test_arrays_begin_with_a_cache_line():
    for shape, dtype in (((), "float32"), ((3,), "bool"), ((5, 7), "float64")):
        array = ufuncs.empty(shape, np.dtype(dtype))
        assert (array.shape, array.dtype, array.ctypes.data % 64) == (shape, dtype, 0)
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_results_that_are_the_last_values_of_others(rng):
    """And a cycle of three, beside one that is nobody's."""

    def turned(carry, shared, row):
        a, b, c, d = carry
        return b, c, a, array_namespace(a).where(row > 0, d, a)

    carry, rows = tuple(rng.standard_normal((4, 3))), np.asarray([1.0, -1.0, 1.0, -1.0])
    assert_same(RECORDED.loop(turned)(carry, None, rows, int), PLAIN.loop(turned)(carry, None, rows, int))
