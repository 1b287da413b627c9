"""Groups of members that fit a device's memory."""

import sys
import tracemalloc

import numpy as np
import pytest

import anynet as an
from anynet.backends import DeviceMemory, backend
from anynet.backends.numpy import Numpy
from anynet.data import Dataset, split
from anynet.data.synthetic import draw
from anynet.training.capacity import member_bytes

NET = an.Sequential(an.Linear(3072, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 10))
SETTINGS = {"epochs": 2, "batch_size": 40, "dtype": "float64", "seeds": range(5)}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=60), train=240, val=60)


@pytest.fixture(autouse=True)
def _stacks(monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)


def with_memory(free):
    numpy = backend("numpy")
    kind = type("Small", (type(numpy),), {"memory": lambda self: DeviceMemory(round(free), round(free))})
    return kind(numpy.name, numpy.device)


def fit(data, here, **settings):
    return an.fit(NET, data, an.SGD(0.02, momentum=0.9), backend=here, **SETTINGS | settings)


EACH = member_bytes(NET, an.SGD(momentum=0.9), 40, "float64")


@pytest.mark.parametrize(("free", "sizes"), [(1.1, [1] * 5), (4.1, [2, 2, 1]), (7, [3, 2]), (10.1, [5])])
def test_groups_fit_half_of_what_is_free_and_change_nothing(data, free, sizes):
    seen = []
    runs, expected = fit(data, with_memory(free * EACH), on_epoch=seen.append), fit(data, "numpy")
    numbers = iter(range(5))
    groups = [[next(numbers) for _ in range(size)] for size in sizes]
    assert [list(rows) for rows in seen] == [group for group in groups for _ in range(2)]
    assert [run.seed for run in runs] == [0, 1, 2, 3, 4]
    for run, other in zip(runs, expected, strict=True):
        np.testing.assert_allclose(run.params, other.params, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("free", "sizes"), [(4.1, [1] * 5), (9, [2, 1, 1, 1]), (1000, [2, 1, 1, 1])])
def test_stacks_on_two_cores_fit_together(data, monkeypatch, free, sizes):
    module, seen = sys.modules["anynet.training.scheduler"], []
    run_epochs = module.run_epochs
    monkeypatch.setattr(Numpy, "workers", 2)
    monkeypatch.setattr(
        module, "run_epochs", lambda loops, part, **more: seen.append(len(part)) or run_epochs(loops, part, **more)
    )
    net, optimizer = an.Sequential(an.Linear(3072, 10)), an.SGD(0.02)
    here = with_memory(free * member_bytes(net, optimizer, 40, "float64"))
    an.fit(net, data, optimizer, backend=here, **SETTINGS)
    assert sorted(seen, reverse=True) == sizes


def test_control_c_leaves_out_whose_turn_had_not_come(data):
    def stop_at(number, epoch):
        def stop(rows):
            if number in rows and rows[number].epoch == epoch:
                raise KeyboardInterrupt

        return stop

    here = with_memory(4.1 * EACH)
    assert [run.last.epoch for run in fit(data, here, on_epoch=stop_at(2, 1))] == [2, 2, 1, 1]
    assert [run.interrupted for run in fit(data, here, on_epoch=stop_at(2, 1))] == [False, False, True, True]


def test_averages_count(data):
    here = with_memory(1.1 * EACH)
    fit(data, here, seeds=None, epochs=1)
    with pytest.raises(MemoryError, match="not enough memory: training"):
        fit(data, here, seeds=None, epochs=1, ema=0.9)


@pytest.mark.parametrize("settings", [{}, {"seeds": None}])
def test_a_net_that_does_not_fit_is_refused_with_the_sizes(data, settings):
    with pytest.raises(MemoryError, match=r"in batches of 40 takes about 0\.0\d+ GB.* 0\.0\d+ GB free of"):
        fit(data, with_memory(0.9 * EACH), **settings)


@pytest.mark.parametrize(
    ("optimizer", "dtype", "ema"),
    [
        pytest.param(an.SGD(0.02), "float32", None, marks=pytest.mark.thorough),
        (an.SGD(0.02), "float32", 0.9),
        pytest.param(an.SGD(0.02), "float64", None, marks=pytest.mark.thorough),
        (an.SGD(0.02, momentum=0.9), "float64", None),
        pytest.param(an.SGD(0.02, momentum=0.9), "float32", None, marks=pytest.mark.thorough),
        (an.Adam(), "float32", None),
        *(
            pytest.param(kind(), "float32", ema, marks=pytest.mark.thorough)
            for kind in (an.AdamW, an.RMSprop, an.Lion, an.Muon)
            for ema in (None, 0.9)
        ),
        pytest.param(an.Adam(), "float64", None, marks=pytest.mark.thorough),
    ],
)
def test_the_estimate_holds(data, optimizer, dtype, ema):
    """Eight more members take no more than eight times the estimate, and not much less."""
    peaks = []
    for k in (1, 9):
        tracemalloc.start()
        an.fit(
            NET,
            data,
            optimizer,
            **SETTINGS | {"backend": "numpy", "dtype": dtype, "batch_size": 50, "seeds": range(k), "ema": ema},
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    more = (peaks[1] - peaks[0]) / 8
    assert 0.5 < more / member_bytes(NET, optimizer, 50, dtype, ema) <= 1
