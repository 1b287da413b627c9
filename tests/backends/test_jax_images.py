"""Steps with convolutions on JAX: the functions of the CPU and of GPUs, and steps that are calls of their own."""

import re
from importlib import import_module

import numpy as np
import pytest
from image_operations import MEMBERS, WINDOWS, convolution

from anynet.backends import backend
from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel

SAME = Window((4, 5), (3, 3), padding=(1, 1, 1, 1))
PIXELS = 2 * 4 * 5


@pytest.fixture
def jax():
    """A fixture, so that only processes that run such tests import JAX."""
    return pytest.importorskip("jax")


@pytest.fixture
def jax_cpu(jax):
    return backend("jax:cpu")


def step(carry, shared, row):
    """Descend with a kernel and images, by the gradients of half the squares of what a convolution gives."""
    w, x = carry
    y = convolve(x, w, SAME, 1) + row
    return w - 0.01 * convolve_to_kernel(x, y, SAME, 1), x - 0.01 * convolve_to_input(y, w, SAME, 1)


def inputs(members=(), steps=4):
    rng = np.random.default_rng(0)
    w, x = rng.random((*members, 3, 3, 2, 2), np.float32), rng.random((*members, PIXELS, 2), np.float32)
    return (w, x), rng.random((steps, PIXELS, 2), np.float32)


def plain(carry, rows):
    for row in rows:
        carry = step(carry, None, row)
    return carry


def check(result, expected):
    for one, other in zip(result, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-4, atol=1e-5)


def on_jax(jax_cpu, carry):
    return tuple(map(jax_cpu.asarray, carry))


@pytest.mark.parametrize("long", [False, True], ids=["short vectors", "long vectors"])
@pytest.mark.parametrize("members", [(), (3,)], ids=["one", "members"])
def test_steps_with_convolutions_run_one_by_one(jax_cpu, members, long, monkeypatch):
    monkeypatch.setattr("anynet.backends.jax_vectors.LONG", 0 if long else 1 << 60)
    (carry, rows), ticks = inputs(members), []
    loop = jax_cpu.loop(step, "on")
    first = loop(on_jax(jax_cpu, carry), None, jax_cpu.asarray(rows), ticks.append)
    check(first, plain(carry, rows))
    check(loop(first, None, jax_cpu.asarray(rows[:1]), ticks.append), plain(carry, (*rows, rows[0])))
    assert ticks == [1] * 5
    assert loop.execution == "compiled steps"


def test_a_loop_without_rows_returns_its_carry(jax_cpu):
    carry, rows = inputs(steps=0)
    check(jax_cpu.loop(step, "on")(on_jax(jax_cpu, carry), None, jax_cpu.asarray(rows), lambda n: None), carry)


def test_other_steps_run_in_one_call(jax_cpu):
    loop, ticks = jax_cpu.loop(lambda carry, shared, row: carry + row, "on"), []
    assert float(loop(jax_cpu.asarray(np.float32(0)), None, jax_cpu.asarray(np.ones(3, np.float32)), ticks.append)) == 3
    assert (ticks, loop.execution) == ([3], "one compiled loop")


def test_an_interruption_ends_the_loop_between_steps(jax_cpu):
    (carry, rows), ticks = inputs(), []

    def tick(n):
        ticks.append(n)
        if len(ticks) == 2:
            raise KeyboardInterrupt

    loop, start = jax_cpu.loop(step, "on"), on_jax(jax_cpu, carry)
    with pytest.raises(KeyboardInterrupt):
        loop(start, None, jax_cpu.asarray(rows), tick)
    assert ticks == [1, 1]
    check(loop(start, None, jax_cpu.asarray(rows), lambda n: None), plain(carry, rows))


def test_a_step_that_cannot_be_recorded_is_refused_once(jax_cpu):
    def reads(carry, shared, row):
        assert float(carry[0][0, 0, 0, 0]) < 1e6
        return step(carry, shared, row)

    (carry, rows), ticks = inputs(), []
    loop = jax_cpu.loop(reads)
    with pytest.warns(UserWarning, match="float"):
        result = loop(on_jax(jax_cpu, carry), None, jax_cpu.asarray(rows), ticks.append)
    check(result, plain(carry, rows))
    assert sum(ticks) == len(rows)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("members", [MEMBERS["one"], MEMBERS["shared images"]], ids=["one", "members"])
def test_convolutions_in_a_scan_have_the_fast_form(jax, groups, members):
    operations = import_module("anynet.backends.jax_images_cpu").OPERATIONS_ON_CPU
    for operation, (a, b, *settings) in convolution(WINDOWS["stride"], groups, members):
        function, b = operations[operation.name], b.astype(np.float32)

        def one(carry, row, function=function, b=b, settings=settings):
            return carry + function(row, b, *settings).sum(), None

        scan = jax.jit(lambda rows, one=one: jax.lax.scan(one, np.float32(0), rows)[0])
        text = scan.lower(np.stack([a, a]).astype(np.float32)).compile().as_text()
        assert set(re.findall(r"dim_labels=([\w>-]+)", text)) == {"b01f_01io->b01f"}, operation.name
        assert "window={" in text
        assert "batch_group_count" not in text


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
@pytest.mark.usefixtures("jax")
def test_functions_of_gpus_against_the_definitions(members, groups):
    operations = import_module("anynet.backends.jax_images").OPERATIONS
    for operation, args in convolution(WINDOWS["far padding"], groups, members):
        arrays, settings = [array.astype(np.float32) for array in args[:2]], args[2:]
        actual = operations[operation.name](*arrays, *settings)
        np.testing.assert_allclose(actual, operation.definition(*arrays, *settings), rtol=1e-4, atol=1e-5)
