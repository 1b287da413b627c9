"""Signals that come after the last step, when there is nothing left to stop: they are not lost."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from noise import noise

import anynet as an
from anynet.core.held_signals import HeldSignals
from anynet.core.meter import Meter
from anynet.training import epochs
from anynet.training.progress import Progress

NET = an.Sequential(an.Linear(3072, 10))
MEMBERS = pytest.mark.parametrize("members", [{}, {"seeds": range(3)}], ids=["one net", "members"])


DATA = noise(3, 32, 32)


def fit(**settings):
    return an.fit(NET, DATA, an.SGD(0.05), epochs=2, batch_size=20, progress=False, **settings)


def send_at_the_test(monkeypatch, number):
    """Send a signal when the results are made, after all epochs, steps and tests."""
    make = epochs.Run

    def send(**fields):
        signal.raise_signal(number)
        return make(**fields)

    monkeypatch.setattr(epochs, "Run", send)


@MEMBERS
def test_control_c_marks_results_that_have_all_epochs(monkeypatch, members):
    expected = fit(**members)
    assert not expected.interrupted
    send_at_the_test(monkeypatch, signal.SIGINT)
    found = fit(**members)
    assert found.interrupted
    for a, b in zip(*((each if members else [each]) for each in (found, expected)), strict=True):
        assert [row[:-1] for row in a.history] == [row[:-1] for row in b.history]
        np.testing.assert_array_equal(a.params, b.params)
        assert a.test == b.test


@MEMBERS
def test_the_first_signal_in_the_test_ends_it_at_the_next_batch(monkeypatch, members):
    expected, called = fit(**members), []
    tick = Progress.testing

    def testing(self, images):
        count = tick(self, images)

        def sends(more):
            called.append(more)
            signal.raise_signal(signal.SIGINT)
            count(more)

        return sends

    monkeypatch.setattr(Progress, "testing", testing)
    found = fit(**members)
    assert found.interrupted
    assert len(called) < 2 * (3 if members else 1)  # last and best parameters of each
    for a, b in zip(*((each if members else [each]) for each in (found, expected)), strict=True):
        np.testing.assert_array_equal(a.params, b.params)
        assert a.test is None
        assert a.best_test is None


def test_a_training_that_was_told_to_stop_before_is_tested():
    progress = Progress(Meter(False), 1)
    progress.stop.set()
    progress.testing(10)(5)
    with pytest.raises(KeyboardInterrupt):
        progress.update(5)


@MEMBERS
def test_sigterm_reaches_the_handler_of_the_program_afterwards(monkeypatch, members):
    handled = []
    before = signal.signal(signal.SIGTERM, lambda *arguments: handled.append(arguments[0]))
    try:
        send_at_the_test(monkeypatch, signal.SIGTERM)
        assert fit(**members).interrupted
    finally:
        signal.signal(signal.SIGTERM, before)
    assert handled == [signal.SIGTERM]


@MEMBERS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_holds_signals_is_told_of_sigterm(monkeypatch, members, number):
    send_at_the_test(monkeypatch, number)
    with HeldSignals() as signals:
        assert fit(**members).interrupted
    assert signals.terminated == (number == signal.SIGTERM)


SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
import signal
import test_signals_at_the_end as t
t.send_at_the_test(t.pytest.MonkeyPatch(), signal.SIGTERM)
t.fit(checkpoint="kept")
print("not reached")
"""


@pytest.mark.slow
def test_sigterm_ends_the_process_after_the_last_checkpoint(tmp_path):
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    ended = subprocess.run([sys.executable, "-c", SCRIPT, *paths], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, ""), ended.stderr
    assert (tmp_path / "kept" / "epoch-000002.safetensors").exists()
