"""Steps that cannot be recorded: they run as they are, with one warning."""

from contextlib import nullcontext

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import PLAIN

import anynet as an
from anynet.backends import backend
from anynet.compiler import CompileWarning, execution
from anynet.nn.layer import Layer

NUMPY = backend("numpy")

OWN = np.asarray([1.0, -2.0, 3.0])


def writes(carry, shared, row):
    new = carry + 0
    new[0] = row
    return new


def writes_into_another(carry, shared, row):
    new = carry + row
    np.multiply(new, 2, out=new)
    return new


def grows(carry, shared, row):
    return carry if carry.shape[0] > 5 else array_namespace(carry).concat([carry, carry[:1] + row])


AS_THEY_ARE = {
    "a number read": lambda carry, shared, row: carry * float(row),
    "a condition": lambda carry, shared, row: carry + row if row > 0 else carry * 2,
    "NumPy's function": lambda carry, shared, row: np.exp(-carry) * row,
    "a method": lambda carry, shared, row: carry - carry.mean() + row,
    "an array of its own": lambda carry, shared, row: carry * OWN + row,
    "a mask": lambda carry, shared, row: carry + row * carry[carry > -9].sum(),
    "a write": writes,
    "a write into another array": writes_into_another,
    "a shape that grows": grows,
    "a dtype that changes": lambda carry, shared, row: np.asarray(carry, np.float32) + np.float32(row),
    "integers that become floating-point": lambda carry, shared, row: carry * row,
    "containers that change": lambda carry, shared, row: [carry[0] if isinstance(carry, list) else carry],
    "an array of its own returned": lambda carry, shared, row: OWN,
}


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_steps_that_cannot_be_recorded_run_as_they_are(name):
    carry = np.asarray([1, 2, 3]) if name.startswith("integers") else np.asarray([0.5, 1.5, -2.5])
    before, rows = carry.copy(), np.asarray([1.0, -1.0, 2.0])
    loop, plain = NUMPY.loop(AS_THEY_ARE[name]), PLAIN.loop(AS_THEY_ARE[name])
    for k in range(2):
        with pytest.warns(CompileWarning) if k == 0 else nullcontext():
            actual = loop(carry, None, rows, int)
        expected = plain(carry, None, rows, int)
        np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected), strict=True)
    np.testing.assert_array_equal(carry, before)


def test_numbers_in_place_of_arrays():
    """And NumPy's own, which reductions give."""

    def count(carry, shared, row):
        return carry[0] + row, carry[1] + shared[0] * shared[1]

    for carry in ((0.0, 1), (np.float64(0.0), 1), (np.float64(0.0), np.float64(1.0))):
        for shared in ((2, 3.0), (np.int64(2), np.float64(3.0)), (2, np.asarray(3.0))):
            arrays = not any(type(value) in (int, float) for value in (*carry, *shared))
            with nullcontext() if arrays else pytest.warns(CompileWarning, match="it takes (int|float) and not only"):
                assert NUMPY.loop(count)(carry, shared, np.ones(4), int) == (4.0, 25.0)


class Dropout(Layer):
    """Half of what comes is dropped; NumPy draws which in every forward."""

    def __init__(self):
        self.rng, self.masks = np.random.default_rng(0), []

    def forward(self, params, state, x, *, train):
        mask = self.rng.random(x.shape) < 0.5
        self.masks.append(mask)
        return x * (2.0 * mask), mask, state

    def backward(self, params, cache, dy):
        return dy * (2.0 * cache), {}


def test_what_a_layer_draws_anew_differs_from_step_to_step(rng):
    dropout = Dropout()
    net = an.Sequential(an.Linear(6, 8), dropout, an.Linear(8, 3))
    optimizer, images = an.SGD(), rng.integers(0, 256, (5, 7, 6), dtype=np.uint8)
    one = an.training.step.train_step(net, an.losses.softmax_cross_entropy, optimizer)
    carry = an.training.step.start(net, optimizer, *net.init(0, like=np.zeros(1)))
    fixed = an.training.step.Fixed(an.data.Normalization(np.full(6, 0.01), np.zeros(6)), None)
    batch = an.data.Batch(images, rng.integers(0, 3, (5, 7)))
    loop = NUMPY.loop(lambda carry, shared, row: one(carry, shared, *row))
    with pytest.warns(CompileWarning, match=r"was not given .*\(test_unrecorded_steps.py, line \d+, in forward\)"):
        after = loop(carry, fixed, (batch, np.ones(5)), int)
    used = dropout.masks[-5:]
    assert after.step == 5
    assert len({mask.tobytes() for mask in used}) == 5


class OddError(Exception):
    """An error of a layer's own."""


def raises(carry, shared, row):
    raise OddError(f"expected 3 features, got {carry.shape[-1]}")


def test_what_a_step_raises_is_raised(rng):
    with pytest.raises(OddError, match=r"^expected 3 features, got 2$") as found:
        NUMPY.loop(raises)(np.zeros(2), None, np.zeros(3), int)
    assert found.value.__context__ is None


def test_parts_that_cannot_be_compiled_leave_the_recorded_step(monkeypatch):
    """Inductor may fail in any way."""
    pytest.importorskip("torch")
    chosen = backend("torch")
    kind = type(chosen.target)
    plain, asked = kind.program, []

    def program(self, *args, hot=False):
        asked.append(hot)
        if hot:
            raise RuntimeError("no compiler")
        return plain(self, *args)

    def step(carry, shared, row):
        return (carry[0] / 2 + row[0],)

    monkeypatch.setattr(kind, "program", program)
    monkeypatch.setattr(kind, "patience", 100)
    loop = chosen.loop(step, compile="on")
    carry, rows = np.ones(1 << 16), np.arange(6.0 * (1 << 16)).reshape(6, 1 << 16)  # large enough to be compiled
    expected = carry
    for row in rows:
        (expected,) = step((expected,), (), (row,))
    for _ in range(3):
        (found,) = loop((chosen.asarray(carry),), (), (chosen.asarray(rows),), int)
        np.testing.assert_array_equal(chosen.to_host(found), expected)
    assert execution(loop) == "recorded steps"
    assert sorted(asked) == [False, True]
