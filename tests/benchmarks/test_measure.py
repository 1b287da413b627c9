"""Whom a measurement times, and what it says of the others."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from tiny import TINY, FloorStub, Stub

from benchmarks import reference
from benchmarks.data import Data
from benchmarks.floor import Machine
from benchmarks.measure import CHECKED, measure, order_of
from benchmarks.peers.base import LeftOutError
from benchmarks.worker import Worker
from benchmarks.workloads import WORKLOADS


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)


def measured(workers, repeats=3):
    return measure(TINY[0], workers, FloorStub(), Machine(1e9, 1e9), repeats, lambda words: None)


def a_percent_off(parameters):
    return [{name: 1.01 * array for name, array in layer.items()} for layer in parameters]


def not_finite(parameters):
    return [{name: np.nan * array for name, array in layer.items()} for layer in parameters]


@pytest.mark.parametrize("fault", [a_percent_off, not_finite])
def test_a_peer_that_trains_something_else_is_reported_and_not_timed(fault):
    right, wrong = Stub(), Stub(fault)
    result = measured({"right": right, "wrong": wrong})
    assert right.timed == 1 + len(result.timings["right"].seconds) == 4  # the first warms up
    assert wrong.timed == 0
    assert list(result.timings) == ["right"]
    assert "its loss is" in result.left_out["wrong"]
    assert f"where {result.loss:.6f} was expected" in result.left_out["wrong"]


def test_figures_follow_from_the_seconds():
    result = measured({"torch": Stub(seconds=2.0), "anynet-torch:cpu": Stub(seconds=0.5)})
    assert result.timings["torch"].seconds == [2.0, 2.0, 2.0]
    assert result.rates["anynet-torch:cpu"].median == TINY[0].images / 0.5
    assert result.ratios == {"torch": 1.0, "anynet-torch:cpu": 4.0}
    assert result.to_hand_written == {"anynet-torch:cpu / torch": 4.0}
    assert result.floors == {"shapes": 8 / 0.002, "peak": 8 / 0.001}


def test_where_time_is_over_three_repeats_are_left():
    result = measure(TINY[0], {"a": Stub()}, FloorStub(), Machine(1e9, 1e9), 9, print, until=0.0)
    assert len(result.timings["a"].seconds) == 3


def test_what_a_step_calls_is_noted_where_a_peer_tells():
    result = measured({"a": Stub(launches=7), "b": Stub(), "c": Stub(launches=LeftOutError("it cannot be counted"))})
    assert {name: timing.launches for name, timing in result.timings.items()} == {"a": 7, "b": None, "c": None}


def test_without_the_yardstick_the_first_peer_is_it():
    result = measured({"a": Stub(seconds=2.0), "b": Stub(seconds=1.0)})
    assert result.ratios == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize("name", ["W1", "W2", "W2a", "W3", "W4"])
def test_the_loss_tells_another_optimizer_and_another_order(name):
    workload = WORKLOADS[name].shortened(2000)
    data, order = Data.draw(workload), order_of(workload, 0)[: CHECKED * workload.batch_size]
    expected = reference.loss(workload, data, reference.trained(workload, data, order))
    others = [replace(workload, **{what: 0.0}) for what in ("l2", "momentum") if getattr(workload, what)]
    others.append(replace(workload, optimizer="sgd" if workload.optimizer == "adam" else "adam"))
    wrong = [reference.trained(other, data, order) for other in others]
    wrong.append(reference.trained(workload, data, np.sort(order)))
    for parameters in wrong:
        assert abs(reference.loss(workload, data, parameters) / expected - 1) > reference.TOLERANCE


def test_a_process_that_ends_is_left_out_from_then_on():
    with Worker(1) as worker:
        for _ in range(2):
            with pytest.raises(LeftOutError, match="exit code 3"):
                worker.call(os._exit, 3)


def test_what_a_process_raises_is_told_in_a_line(capfd):
    with Worker(1) as worker:
        with pytest.raises(LeftOutError, match=r"^ValueError: sleep length must be non-negative$"):
            worker.call(time.sleep, -1)
        assert worker.call(os.getenv, "OMP_NUM_THREADS") == "1"
    assert "Traceback" in capfd.readouterr().err
