"""Comparison of losses, timing, and reasons for peers that are left out."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from tiny_workloads import TINY, FloorStub, Stub

from benchmarks import reference
from benchmarks.data import Data
from benchmarks.floor import Machine
from benchmarks.measure import CHECKED_STEPS, measure, order_of
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
def test_peer_with_a_wrong_loss_is_not_timed(fault):
    right, wrong = Stub(), Stub(fault)
    result = measured({"right": right, "wrong": wrong})
    assert right.timed == 1 + len(result.timings["right"].seconds) == 4  # the first warms up
    assert wrong.timed == 0
    assert list(result.timings) == ["right"]
    assert f"wrong loss: expected {result.loss:.6f}, got" in result.left_out["wrong"]


def test_rates_and_ratios():
    result = measured({"torch": Stub(seconds=2.0), "anynet-torch:cpu": Stub(seconds=0.5)})
    assert result.timings["torch"].seconds == [2.0, 2.0, 2.0]
    assert result.rates["anynet-torch:cpu"].median == TINY[0].images / 0.5
    assert result.ratios == {"torch": 1.0, "anynet-torch:cpu": 4.0}
    assert result.to_hand_written == {"anynet-torch:cpu / torch": 4.0}
    assert result.floors == {"shapes": 8 / 0.002, "peak": 8 / 0.001}


@pytest.mark.parametrize(("timed", "first"), [(["jax-step", "jax-scan"], "jax-scan"), (["jax-step"], "jax-step")])
def test_hand_written_code_is_the_first_that_was_timed(timed, first):
    result = measured({"anynet-jax:cpu": Stub(seconds=0.5)} | {name: Stub(seconds=1.0) for name in timed})
    assert result.to_hand_written == {f"anynet-jax:cpu / {first}": 2.0}


def test_three_repeats_after_the_deadline():
    result = measure(TINY[0], {"a": Stub()}, FloorStub(), Machine(1e9, 1e9), 9, print, until=0.0)
    assert len(result.timings["a"].seconds) == 3


def test_launches_are_recorded():
    result = measured({"a": Stub(launches=7), "b": Stub(), "c": Stub(launches=LeftOutError("it cannot be counted"))})
    assert {name: timing.launches for name, timing in result.timings.items()} == {"a": 7, "b": None, "c": None}


def test_baseline_is_the_first_peer_without_torch():
    result = measured({"a": Stub(seconds=2.0), "b": Stub(seconds=1.0)})
    assert result.ratios == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize(
    "name", ["W1", pytest.param("W2", marks=pytest.mark.slow), "W2a", "W3", pytest.param("W4", marks=pytest.mark.slow)]
)
def test_loss_detects_other_settings_and_another_order(name):
    workload = WORKLOADS[name].shortened(2000)
    data, order = Data.draw(workload), order_of(workload, 0)[: CHECKED_STEPS * workload.batch_size]
    expected = reference.loss(workload, data, reference.trained(workload, data, order))
    others = [replace(workload, **{setting: 0.0}) for setting in ("l2", "momentum") if getattr(workload, setting)]
    others.append(replace(workload, optimizer="sgd" if workload.optimizer == "adam" else "adam"))
    wrong = [reference.trained(other, data, order) for other in others]
    wrong.append(reference.trained(workload, data, np.sort(order)))
    for parameters in wrong:
        assert abs(reference.loss(workload, data, parameters) / expected - 1) > reference.TOLERANCE


def test_dead_process_is_left_out():
    with Worker(1) as worker:
        for _ in range(2):
            with pytest.raises(LeftOutError, match="exit code 3"):
                worker.call(os._exit, 3)


def test_exception_in_a_process_is_one_line(capfd):
    with Worker(1) as worker:
        with pytest.raises(LeftOutError, match=r"^ValueError: sleep length must be non-negative$"):
            worker.call(time.sleep, -1)
        assert worker.call(os.getenv, "OMP_NUM_THREADS") == "1"
    assert "Traceback" in capfd.readouterr().err
