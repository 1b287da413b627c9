"""Steps that are not pure functions: they run as they are on every backend, and are never frozen."""

import random
import time
from functools import partial
from threading import Thread
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace, device

from anynet.backends import Backend, backend
from anynet.compiler import CompileWarning
from anynet.core.typing import Array, Arrays
from anynet.nn.layer import Layer


class Drawing(Layer):
    """A layer that scales its input by what it draws itself."""

    def __init__(self) -> None:
        self.rng, self.calls = np.random.default_rng(0), 0

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        self.calls += 1
        return x * self.scale(x), None, state

    def scale(self, x: Array) -> Any:
        raise NotImplementedError


class Masks(Drawing):
    """A mask of NumPy's random numbers."""

    def scale(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.astype(xp.asarray(self.rng.random(tuple(x.shape)) < 0.5, device=device(x)), x.dtype)


class Numbers(Drawing):
    """A random Python number."""

    def scale(self, x: Array) -> float:
        return float(self.rng.random())


class Constants(Drawing):
    """An array that is made of random Python numbers."""

    def scale(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.asarray([float(self.rng.random()) for _ in range(x.shape[-1])], dtype=x.dtype, device=device(x))


class Counter(Drawing):
    """The number of calls."""

    def scale(self, x: Array) -> int:
        return self.calls


class Clock(Drawing):
    """The time."""

    def scale(self, x: Array) -> int:
        return time.perf_counter_ns() % 1_000_003


class Slices(Drawing):
    """A random column for all."""

    def scale(self, x: Array) -> Array:
        i = int(self.rng.integers(1 << 30)) % x.shape[-1]
        return x[..., i : i + 1] * self.calls


class Branches(Drawing):
    """Another operation in every call."""

    def scale(self, x: Array) -> Array:
        for _ in range(self.calls):
            x = x * 2
        return x


COIN = np.random.default_rng(2)


class Coins(Drawing):
    """Branches that depend on random numbers, but come out the same."""

    def __init__(self, name: str) -> None:
        super().__init__()
        closed_over = np.random.default_rng(3)
        self.held = {"a": [random.Random(0)]}
        self.draw = {
            "its own": lambda: self.held["a"][0].random(),
            "closed over": lambda: closed_over.random(),
            "a global variable": lambda: COIN.random(),
            "NumPy's": lambda: np.random.random(),  # noqa: NPY002
            "Python's": random.random,
            "an old one": partial(np.random.RandomState(0).uniform, 0, 1),
        }[name]

    def scale(self, x: Array) -> int:
        self.calls += 1
        return 1 if self.draw() < 2 else 0

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        return x * self.scale(x), None, state


@pytest.mark.parametrize("name", ["its own", "closed over", "a global variable", "NumPy's", "Python's", "an old one"])
@pytest.mark.parametrize("where", ["numpy", "jax:cpu"])
def test_numbers_that_make_no_difference_at_first_are_seen(where: str, name: str) -> None:
    pytest.importorskip(where.partition(":")[0])
    layer, here = Coins(name), backend(where)

    def step(carry: Array, shared: None, row: Array) -> Array:
        return carry + layer.forward({}, {}, row, train=True)[0]

    loop, rows = here.loop(step), here.asarray(np.ones((3, 4), np.float32))
    with pytest.warns(CompileWarning, match="draws random numbers from a generator"):
        found = loop(rows[0, :], None, rows, int)
    np.testing.assert_array_equal(here.to_host(found), 4)
    before = layer.calls
    loop(rows[0, :], None, rows, int)
    assert layer.calls == before + 3


def test_numbers_that_another_thread_draws_meanwhile_do_not_count(recwarn: pytest.WarningsRecorder) -> None:
    threads = [Thread(target=lambda: random.random()) for _ in range(2)]
    here = backend("numpy")

    def step(carry: Array, shared: None, row: Array) -> Array:
        if threads:  # twice while it is recorded, not when it is called again
            thread = threads.pop()
            thread.start()
            thread.join()
        return carry + row

    rows = here.asarray(np.ones((3, 4), np.float32))
    np.testing.assert_array_equal(here.loop(step)(rows[0, :], None, rows, int), 4)
    assert not threads
    assert not recwarn.list


REASONS = {
    Masks: "as(array|type) takes an array that was not given",
    Numbers: r"multiply takes 0\.\d+ and then 0\.\d+",
    Constants: r"asarray takes 0\.\d+ and then 0\.\d+",
    Counter: "multiply takes 1 and then 2",
    Clock: r"multiply takes \d+ and then \d+",
    Slices: "getitem takes slice|multiply takes 1 and then 2",
    Branches: "the operations differ|takes the result of another operation",
}


def used_in_each_step(loop: Any, here: Backend, calls: int = 2, steps: int = 4) -> np.ndarray:
    """Run a loop, and return what its layer made of ones in each step."""
    rows = here.asarray(np.ones((steps, 40), np.float32))
    carry = here.asarray(np.zeros((calls * steps, 40), np.float32))
    for _ in range(calls):
        carry = loop(carry, None, rows, int)
    return here.to_host(carry)


@pytest.mark.parametrize("way", ["loop", "plain_loop"])
@pytest.mark.parametrize("kind", REASONS)
def test_a_layer_that_draws_by_itself_draws_in_every_step(backend_here: Backend, kind: type[Drawing], way: str) -> None:
    layer = kind()

    def step(carry: Array, shared: None, row: Array) -> Array:
        made, _, _ = layer.forward({}, {}, row + 1, train=True)
        return array_namespace(carry).concat([carry[1:, :], made[None, :]], axis=0)

    loop = getattr(backend_here, way)(step)
    if way == "loop":
        with pytest.warns(CompileWarning, match=REASONS[kind]) as warned:
            found = used_in_each_step(loop, backend_here)
        assert len(warned) == 1
    else:
        found = used_in_each_step(loop, backend_here)
    assert len({made.tobytes() for made in found}) == len(found)
    if kind is Counter:
        np.testing.assert_array_equal(np.diff(found[:, 0]), 2)


def test_numbers_that_the_namespace_draws_are_seen() -> None:
    torch = pytest.importorskip("torch")

    def step(carry: Array, shared: None, row: Array) -> Array:
        return carry + array_namespace(carry).rand(3)

    with pytest.warns(CompileWarning, match="rand gives other values"):
        found = backend("torch:cpu").loop(step)(torch.zeros(3), None, torch.zeros(3), int)
    assert len(set(found.tolist())) == 3


def test_another_error_is_raised_without_a_warning(backend_here: Backend) -> None:
    def step(carry: Array, shared: None, row: Array) -> Array:
        if not shared:
            raise ValueError("expected something shared")
        return carry

    rows = backend_here.asarray(np.zeros((3, 1), np.float32))
    loop = backend_here.loop(step)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^expected something shared$") as found:
            loop(rows[0, :], None, rows, int)
        assert found.value.__context__ is None


def test_a_pure_step_is_recorded_again_for_other_shapes(backend_here: Backend) -> None:
    """Numbers that are the same both times, NaN and -0.0 among them, are no reason to warn."""

    def step(carry: Array, shared: None, row: Array) -> Array:
        xp = array_namespace(carry)
        ones = xp.ones(carry.shape, dtype=carry.dtype, device=device(carry)) * 2
        return carry + ones * xp.where(row > 0, row, float("nan")) + -0.0

    loop = backend_here.loop(step)
    for n in (1, 2):
        rows = backend_here.asarray(np.ones((3, n), np.float32))
        np.testing.assert_array_equal(backend_here.to_host(loop(rows[0, :], None, rows, int)), 7)
