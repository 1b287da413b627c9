"""The generator of numbers inside steps: published vectors, JAX's own, the same numbers everywhere, uniform ones."""

import itertools
import math

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import own, plain

from anynet.compiler.tape import trace
from anynet.core.random import at_step, fold, key, threefry2x32, uniform
from anynet.core.seeding import Purpose, generator

VECTORS = """
13 00000000 00000000 00000000 00000000 9d1c5ec6 8bd50731
13 ffffffff ffffffff ffffffff ffffffff fd36d048 2d17272c
13 243f6a88 85a308d3 13198a2e 03707344 ba3e4725 f27d669e
20 00000000 00000000 00000000 00000000 6b200159 99ba4efe
20 ffffffff ffffffff ffffffff ffffffff 1cb996fc bb002be7
20 243f6a88 85a308d3 13198a2e 03707344 c4923a9c 483df7a0
32 00000000 00000000 00000000 00000000 cee3d47e a23dfd5c
32 ffffffff ffffffff ffffffff ffffffff 6e2fe0d0 b1b76f82
32 243f6a88 85a308d3 13198a2e 03707344 e2827716 c3c05cdf
""".strip().splitlines()
"""Rounds, counter, key, result: from the known-answer tests of Random123, the authors' library."""

ENDS = np.asarray([0, 1, -1, 2**31 - 1, -(2**31)], np.int32)


def signed(*words):
    return [np.asarray([word], np.uint32).view(np.int32) for word in words]


@pytest.mark.parametrize("vector", VECTORS)
def test_published_vectors(xp, vector):
    rounds, *words = vector.split()
    c0, c1, k0, k1, *expected = signed(*(int(word, 16) for word in words))
    found = xp.call(lambda k, c: threefry2x32(k, c, int(rounds)), (k0, k1), (c0, c1))
    np.testing.assert_array_equal(found, expected)


def test_jaxs_own(rng):
    random = pytest.importorskip("jax.extend.random")
    words = rng.integers(0, 2**32, (2, 1000), np.uint32)
    words[:, :9] = np.asarray(list(itertools.product((0, 2**31, 2**32 - 1), repeat=2)), np.uint32).T
    for k0, k1 in ((0, 0), (2**32 - 1, 2**31), *rng.integers(0, 2**32, (5, 2)).tolist()):
        found = threefry2x32(tuple(signed(k0, k1)), tuple(words.view(np.int32)))
        theirs = random.threefry_2x32(
            (np.uint32(k0), np.uint32(k1)), words.ravel()
        )  # halves: first words, second words
        np.testing.assert_array_equal(np.concatenate(found).view(np.uint32), theirs)


def drawn(shape):
    def draw(start, step, x):
        return uniform(fold(at_step(start, step), 3), shape, x.dtype)

    return draw


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2,), (7,), (5, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("members", [(), (2,), (2, 3)], ids=str)
def test_every_library_draws_the_same_bits(xp, shape, members, rng):
    start = rng.integers(-(2**31), 2**31, (*members, 2), np.int32)
    step = np.asarray(rng.integers(0, 1000, members))
    found = xp.call(drawn(shape), start, step, np.zeros(1))
    expected = drawn(shape)(start, step, np.zeros(1))
    assert found.shape == expected.shape == (*members, *shape)
    np.testing.assert_array_equal(found, expected)


def test_float32_and_float64_are_the_same_numbers(rng):
    start = rng.integers(-(2**31), 2**31, 2, np.int32)
    one, other = (uniform(start, (1000,), np.dtype(dtype)) for dtype in ("float32", "float64"))
    assert (one.dtype, other.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(one, other)
    assert np.all(other * 2**24 == np.floor(other * 2**24))


@pytest.mark.parametrize("n", [6, 7])
def test_members_are_drawn_as_if_alone(n, rng):
    starts = rng.integers(-(2**31), 2**31, (2, 3, 2), np.int32)
    together = uniform(starts, (n, 5), np.dtype("float64"))
    for k in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[k], uniform(starts[k], (n, 5), np.dtype("float64")))


def test_the_numbers_are_those_of_counters_from_zero():
    """So that masks of old runs stay repeatable: the first words of all counters, then the second."""
    start = key(1)
    words = threefry2x32((start[:1], start[1:]), (np.arange(4, dtype=np.int32), np.zeros(4, np.int32)))
    expected = (np.concatenate(words).view(np.uint32) >> 8) / 2**24
    np.testing.assert_array_equal(uniform(start, (8,), np.dtype("float64")), expected)
    np.testing.assert_array_equal(uniform(start, (7,), np.dtype("float64")), expected[:7])
    np.testing.assert_allclose(expected[:2], [0.23308069, 0.8176126], rtol=1e-7)


def test_keys_are_hashed_from_the_seed():
    assert key(42).dtype == np.int32
    assert key(42).shape == (2,)
    np.testing.assert_array_equal(key(42), generator(42, Purpose.STEP, 0).integers(-(2**31), 2**31, 2, np.int32))
    keys = np.stack([key(seed) for seed in range(1000)])
    assert len(set(keys.ravel().tolist())) == 2000
    assert np.min(keys) < -(2**30)
    assert np.max(keys) > 2**30
    with pytest.raises(ValueError, match="seed: expected 0 to"):
        key(-1)


def test_steps_and_folds_change_a_word_each(xp):
    start = np.asarray([[5, 2**31 - 1], [-1, 7]], np.int32)
    found = xp.call(lambda start, step: fold(at_step(start, step), 2), start, np.asarray([3, 4]))
    np.testing.assert_array_equal(found, [[7, -(2**31) + 2], [1, 11]])
    start = np.asarray([5, 6], np.int32)
    np.testing.assert_array_equal(xp.call(at_step, start, np.asarray(3, np.int32)), [5, 9])
    np.testing.assert_array_equal(xp.call(lambda key: at_step(key, 3), start), [5, 9])
    np.testing.assert_array_equal(xp.call(lambda rng: fold(rng, 0), start), start)
    np.testing.assert_array_equal(xp.call(lambda rng: fold(rng, 2**31 - 1), start), [4 - 2**31, 6])


def test_steps_layers_and_members_have_numbers_of_their_own():
    starts = np.stack([key(seed) for seed in range(4)])
    numbers = [
        uniform(fold(at_step(starts, np.full(4, step)), i << 16), (50,), np.dtype("float64"))
        for step in (0, 1, 2, 1000)
        for i in range(4)
    ]
    words = np.stack(numbers).reshape(64, 50)
    assert len({row.tobytes() for row in words}) == 64
    assert np.max(np.abs(np.corrcoef(words) - np.eye(64))) < 6 / math.sqrt(50)


def chi_square(counts):
    expected = np.sum(counts) / counts.size
    return (np.sum((counts - expected) ** 2) / expected - (counts.size - 1)) / math.sqrt(2 * (counts.size - 1))


def streams():
    """Numbers of one step; the first numbers of many steps; those of many layers."""
    start = key(7)
    yield uniform(start, (1 << 18,), np.dtype("float64"))
    many = np.broadcast_to(start, (1 << 16, 2)) + np.stack(
        [np.zeros(1 << 16, np.int32), np.arange(1 << 16, dtype=np.int32)], axis=-1
    )
    yield uniform(many, (4,), np.dtype("float64")).ravel()
    yield uniform(many[:, ::-1], (4,), np.dtype("float64")).T.ravel()


@pytest.mark.parametrize("which", range(3), ids=["numbers", "steps", "layers"])
def test_the_numbers_are_uniform(which):
    u = next(itertools.islice(streams(), which, None))
    n = u.size
    assert np.min(u) >= 0
    assert np.max(u) < 1
    assert abs(np.mean(u) - 0.5) < 5 / math.sqrt(12 * n)
    assert abs(np.var(u) - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    assert abs(chi_square(np.bincount((u * 256).astype(int), minlength=256))) < 5
    assert abs(chi_square(np.bincount((u * 2**24).astype(int) & 255, minlength=256))) < 5  # the lowest bits
    for lag in (1, 2, n // 2):
        pairs = (u[:-lag] * 16).astype(int) * 16 + (u[lag:] * 16).astype(int)
        assert abs(chi_square(np.bincount(pairs, minlength=256))) < 5


@pytest.mark.parametrize(
    "wrong", [np.zeros(2, np.int64), np.zeros(2, np.uint32), np.zeros(3, np.int32), np.int32(2), None, 5, [1, 2]]
)
def test_what_is_no_rng_is_refused(wrong):
    with pytest.raises(TypeError, match=r"^rng: expected int32 of shape \(\.\.\., 2\), got "):
        uniform(wrong, (3,), np.dtype("float32"))
    with pytest.raises(TypeError, match=r"^key: expected int32 of shape \(\.\.\., 2\), got "):
        at_step(wrong, 3)


@pytest.mark.parametrize("wrong", [np.dtype("float16"), np.dtype("int32"), np.bool_, "float32", float, None])
def test_other_dtypes_are_refused(wrong):
    with pytest.raises(TypeError, match=r"^dtype: expected float32 or float64 of the library of rng, got "):
        uniform(key(0), (3,), wrong)


def test_bfloat16_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"^dtype: expected .*, got torch.bfloat16$"):
        uniform(torch.asarray(key(0)), (3,), torch.bfloat16)


def test_negative_shapes_are_refused():
    with pytest.raises(ValueError, match=r"^shape: expected no negative numbers, got \(2, -3\)$"):
        uniform(key(0), (2, -3), np.dtype("float32"))


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (np.asarray(3.0), TypeError, "step: expected an int or an array of integers, got float64"),
        (np.float32(3), TypeError, "step: expected an int or an array of integers, got float32"),
        (3.0, TypeError, "step: expected an int, got float"),
        (-1, ValueError, "step: expected 0 to 2^31 - 1, got -1"),
        (np.int64(2**31), ValueError, "step: expected 0 to 2^31 - 1, got 2147483648"),
    ],
)
def test_steps_that_are_no_integers_are_refused(step, error, message):
    with pytest.raises(error) as refusal:
        at_step(key(0), step)
    assert str(refusal.value) == message


@pytest.mark.parametrize(("i", "error"), [(1.0, TypeError), ("1", TypeError), (2**31, ValueError), (-1, ValueError)])
def test_streams_that_are_no_integers_are_refused(i, error):
    with pytest.raises(error, match=r"^i: expected "):
        fold(key(0), i)
    np.testing.assert_array_equal(fold(key(0), np.int64(3)), fold(key(0), 3))


def masked(carry, shared, row):
    """A step that draws: what a training step with dropout does."""
    x, step = carry
    mask = uniform(fold(at_step(shared, step), 5), x.shape[-2:], x.dtype) < 0.5
    return array_namespace(x).where(mask, x + row, x), step + 1


@pytest.mark.parametrize("members", [(), (2,)], ids=["single", "members"])
def test_recorded_steps_draw_the_same_numbers(backend_here, members, rng):
    start = rng.integers(-(2**31), 2**31, (*members, 2), np.int32)
    rows = np.ones((5, 1), np.float32)
    carry = np.zeros((*members, 60, 33), np.float32), np.zeros(members, np.int32)
    put = backend_here.asarray
    found = [
        [
            backend_here.to_host(array)
            for array in chosen.loop(masked)((put(carry[0]), put(carry[1])), put(start), put(rows), int)
        ]
        for chosen in (own(backend_here), plain(backend_here))
    ]
    expected = carry
    for row in rows:
        expected = masked(expected, start, row)
    for one in found:
        np.testing.assert_array_equal(one[0], expected[0])
    assert len(np.unique(expected[0])) == 6  # after 0, 1, ... 5 masks that let it through


def test_operations_are_few():
    """Half as many per number, since each counter gives two."""
    graph = trace(lambda start, x: uniform(start, x.shape, x.dtype), np, key(1), np.zeros((100, 50), np.float32))
    large = [node for node in graph.nodes if math.prod(node.shape) >= 2500]
    assert len(large) <= 137
