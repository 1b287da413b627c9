"""Loops of JAX with long vectors, whose parts and memory are used again."""

import weakref

import numpy as np
import pytest

from anynet.backends import backend


def step(carry, shared, row):
    """Change both halves of a vector, each by the other."""
    x, count = carry
    head, tail = x[..., :6000], x[..., 6000:]
    xp = shared[0].__array_namespace__()
    return xp.concat([0.5 * head + row * tail, 0.25 * tail - row * head + shared[0]], axis=-1), count + 1


def plain(carry, shared, rows):
    for row in rows:
        carry = step(carry, shared, row)
    return carry


@pytest.fixture
def jax(monkeypatch):
    """JAX on the CPU, which takes vectors of this file for long."""
    pytest.importorskip("jax")
    monkeypatch.setattr("anynet.backends.jax_vectors.LONG", 40_000)
    return backend("jax:cpu")


def loop_and_inputs(jax, rng):
    rows, shared = rng.random((4, 3), np.float32), rng.random(6000, np.float32)
    start = rng.random(12_000, np.float32), np.float32(0)
    return jax.loop(step, "on"), start, shared, rows


def run(jax, loop, carry, shared, rows):
    return loop(carry, (jax.asarray(shared),), jax.asarray(rows), lambda n: None)


def as_arrays(jax, carry):
    return tuple(jax.asarray(np.asarray(leaf)) for leaf in carry)


@pytest.mark.parametrize("members", [(), (2,)])
def test_calls_give_what_the_plain_loop_gives_whatever_ran_before(jax, members):
    loop, (x, count), shared, rows = loop_and_inputs(jax, np.random.default_rng(0))
    x = np.broadcast_to(x, (*members, *x.shape)).copy()
    other, carries = (2 * x, count), [(x, count)]
    results = [as_arrays(jax, carries[0])]
    for row in rows:
        carries.append(plain(carries[-1], (shared,), row))
        results.append(run(jax, loop, results[-1], shared, row))
    again = run(jax, loop, results[1], shared, rows[1])  # as training does after a diverged epoch
    fresh = run(jax, loop, as_arrays(jax, other), shared, rows[0])
    expected = [*carries, carries[2], plain(other, (shared,), rows[0])]
    for got, want in zip([*results, again, fresh], expected, strict=True):
        np.testing.assert_allclose(got[0], want[0], rtol=1e-5)
        assert float(got[1]) == want[1]


def test_a_view_keeps_its_values_when_its_array_is_gone(jax):
    loop, start, shared, rows = loop_and_inputs(jax, np.random.default_rng(1))
    carry = run(jax, loop, as_arrays(jax, start), shared, rows[0])
    view = np.from_dlpack(carry[0])
    values = view.copy()
    for row in rows[1:]:
        carry = run(jax, loop, carry, shared, row)
    np.testing.assert_array_equal(view, values)


def test_memory_is_used_again_once_no_view_of_it_is_left():
    jax_vectors = pytest.importorskip("anynet.backends.jax_vectors", exc_type=ImportError)
    memory = jax_vectors.ReusedMemory()
    array = memory.empty((2, 100), np.float32)
    address, view = array.ctypes.data, array[1:, :]
    assert (array.shape, array.dtype) == ((2, 100), np.float32)
    assert address % jax_vectors.ALIGNMENT == 0
    del array
    assert memory.empty((200,), np.float32).ctypes.data != address
    del view
    assert address in [memory.empty((200,), np.float32).ctypes.data for _ in range(2)]
    assert memory.empty((201,), np.float32).ctypes.data != address


def test_a_loop_that_is_gone_keeps_no_memory(jax):
    loop, start, shared, rows = loop_and_inputs(jax, np.random.default_rng(2))
    run(jax, loop, as_arrays(jax, start), shared, rows[0])
    kept = weakref.ref(loop._kept)
    del loop
    assert kept() is None
