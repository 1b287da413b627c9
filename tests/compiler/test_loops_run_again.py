"""A loop that is run again gives what it would the first time, bit for bit, whatever has happened since."""

import gc
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple

import numpy as np
import pytest
from libraries import tree_map
from loops import own

import anynet as an
from anynet.backends import Backend
from anynet.core.tree import flatten
from anynet.data import Loader, Normalization, Split
from anynet.training.batch_loop import gathering
from anynet.training.step import Carry, Fixed, start, train_step

PIXELS, STEPS, BATCH = 12, 4, 7
NETS = [
    an.Sequential(an.Linear(PIXELS, 16), an.BatchNorm(16), an.ReLU(), an.Linear(16, 3)),
    an.Sequential(an.Linear(PIXELS, 9), an.Tanh(), an.Linear(9, 16), an.Sigmoid(), an.Linear(16, 3)),
]
OPTIMIZERS = [an.SGD(momentum=0.9), an.Adam(0.01)]


class Training(NamedTuple):
    """What a loop is called with, for an epoch."""

    carry: Carry
    shared: Any
    rows: Any

    def some(self, rows: slice) -> Any:
        return tree_map(lambda column: column[rows, ...], self.rows)


@pytest.fixture
def here(backend_here):
    """A backend with its own loop."""
    return own(backend_here)


@pytest.fixture(params=[0, 1], ids=["momentum", "adam"])
def which(request):
    return request.param


def make_loop(here: Backend, which: int) -> Callable[..., Any]:
    return here.loop(gathering(train_step(NETS[which], an.losses.softmax_cross_entropy, OPTIMIZERS[which]), None))


def training(here: Backend, which: int, seed: int = 0) -> Training:
    """Arrays of their own, the same for the same seed."""
    rng = np.random.default_rng(seed)

    def put(host: Any) -> Any:
        return here.asarray(np.array(host, np.float32))

    net = NETS[which]
    split = Split(rng.integers(0, 256, (STEPS * BATCH, PIXELS), np.uint8), rng.integers(0, 3, STEPS * BATCH))
    loader = Loader(split, here)
    (plan,) = loader.shuffled(BATCH, seed, 0).plans()
    fixed = Fixed(Normalization(put(np.full(PIXELS, 1 / 64)), put(rng.standard_normal(PIXELS))), put(0.01))
    carry = start(net, OPTIMIZERS[which], *net.init(seed, like=put(np.zeros(1))))
    return Training(carry, (fixed, loader.x, loader.y), (plan, put(np.linspace(0.05, 0.02, STEPS))))


def hosts(here: Backend, carry: Carry) -> list[np.ndarray]:
    return [here.to_host(array) for array in flatten(carry)[0]]


def assert_bits(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def first(here: Backend, which: int, seed: int = 0) -> list[np.ndarray]:
    """What a new loop comes to."""
    return hosts(here, make_loop(here, which)(*training(here, which, seed), int))


def used_by_another(backend: Backend) -> list[Any]:
    """Much memory taken and let go, and as far as the library can, given back; and then small arrays of no number."""

    def fill(size: int) -> Any:
        return backend.asarray(np.full(size, np.nan, np.float32))

    for _ in range(4):
        taken = [fill(1 << 18) for _ in range(8)]
        backend.wait(taken)
    del taken
    gc.collect()
    if backend.name == "cupy":
        importlib.import_module("cupy").get_default_memory_pool().free_all_blocks()
    if backend.name == "torch":
        importlib.import_module("torch").cuda.empty_cache()  # of no effect without a GPU
    return [fill(1 << k) for k in range(14) for _ in range(8)]


def test_rows_at_once_are_rows_one_by_one(here, which):
    given, loop = training(here, which), make_loop(here, which)
    carry = given.carry
    for i in range(STEPS):
        carry = loop(carry, given.shared, given.some(slice(i, i + 1)), int)
    assert_bits(hosts(here, carry), first(here, which))
    carry = loop(given.carry, given.shared, given.some(slice(0, 3)), int)
    assert_bits(hosts(here, loop(carry, given.shared, given.some(slice(3, None)), int)), first(here, which))


def test_results_stay_as_they_were_given_out(here, which):
    given, loop = training(here, which), make_loop(here, which)
    carry, held = given.carry, []
    for _ in range(3):
        held.append((carry, hosts(here, carry)))
        carry = loop(carry, given.shared, given.rows, int)
    loop(*training(here, which, seed=1), int)
    for result, then in held:
        assert_bits(hosts(here, result), then)
    assert_bits(held[1][1], first(here, which))
    assert_bits(hosts(here, loop(*given, int)), held[1][1])  # on the images that there were before


def test_loops_of_two_nets_take_turns(here):
    given, loops = [training(here, k) for k in range(2)], [make_loop(here, k) for k in range(2)]
    carries = [each.carry for each in given]
    for i in range(STEPS):
        for k in range(2):
            carries[k] = loops[k](carries[k], given[k].shared, given[k].some(slice(i, i + 1)), int)
    for k in range(2):
        assert_bits(hosts(here, carries[k]), first(here, k))


def test_other_arrays_in_place_of_those_that_are_gone(here, which):
    """Neither what the first run was given nor what it gave is there when the loop runs again."""
    expected = [first(here, which, seed) for seed in range(3)]
    loop = make_loop(here, which)
    for seed in range(3):
        found = hosts(here, loop(*training(here, which, seed), int))
        assert_bits(found, expected[seed])
        taken = used_by_another(here)
        assert_bits(hosts(here, loop(*training(here, which, seed), int)), expected[seed])
        del taken


def test_a_loop_in_each_of_two_threads(here):
    together = Barrier(2)

    def run(k: int) -> list[list[np.ndarray]]:
        together.wait(60)
        found = []
        for _ in range(3):
            loop, given = make_loop(here, k), training(here, k)
            carry = given.carry
            for _ in range(4):
                carry = loop(carry, given.shared, given.rows, int)
            found.append(hosts(here, carry))
        return found

    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(run, range(2)))
    for k in range(2):
        given, loop = training(here, k), make_loop(here, k)
        carry = given.carry
        for _ in range(4):
            carry = loop(carry, given.shared, given.rows, int)
        for found in beside[k]:
            assert_bits(found, hosts(here, carry))
