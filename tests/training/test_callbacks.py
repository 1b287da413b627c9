"""Callbacks are told what happens in a training, may end it, and lose nothing when they fail."""

import signal

import numpy as np
import pytest
from noise import noise

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.callbacks import by_member
from anynet.core.errors import TrainingWarning

NET = an.Sequential(an.Linear(12, 6), an.ReLU(), an.Linear(6, 10))
DATA = noise(12)
SETTINGS = {"epochs": 4, "batch_size": 20, "progress": False, "backend": "numpy"}
MEMBERS = [{"seed": 1}, {"seed": 2, "l2": 0.1}, {"seed": 3, "lr": 0.5}]
both_ways = pytest.mark.parametrize("workers", [1, 2])


def fit(optimizer=None, **settings):
    return an.fit(NET, DATA, optimizer or an.SGD(0.1), **SETTINGS | settings)


class Noting(an.Callback):
    """Notes what it is told, and answers or raises what it is made with after an epoch."""

    def __init__(self, notes=None, answer=None, after=2):
        self.notes, self.answer, self.after = [] if notes is None else notes, answer, after

    def start(self, training):
        self.notes.append(("start", training))

    def epoch(self, epoch):
        self.notes.append(("epoch", epoch))
        if next(iter(by_member(epoch).values())).epoch == self.after:
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer
        return None

    def end(self, result):
        self.notes.append(("end", result))

    def failed(self, error):
        self.notes.append(("failed", error))

    @property
    def told(self):
        return [what for what, _ in self.notes]


def assert_equal(run, other):
    np.testing.assert_array_equal(run.params, other.params)
    np.testing.assert_array_equal(run.best.params, other.best.params)
    assert [row[:-1] for row in run.history] == [row[:-1] for row in other.history]
    assert run.test == other.test


def test_several_are_told_in_their_order():
    notes = []
    first, second = Noting(notes), Noting(notes)
    run = fit(callbacks=[first, second], on_epoch=lambda row: notes.append(("function", row)))
    rows = [each for row in run.history for each in (("epoch", row), ("epoch", row), ("function", row))]
    assert notes[2:-2] == rows
    assert [what for what, _ in notes[:2] + notes[-2:]] == ["start", "start", "end", "end"]
    assert notes[-1][1] is run
    assert_equal(run, fit())


def test_a_training_is_described(tmp_path):
    noting = Noting()
    fit(an.SGD(an.schedules.Cosine(0.1, 4), momentum=0.8), callbacks=[noting], l2=0.01, checkpoint=tmp_path)
    (_, training), *_ = noting.notes
    expected = {"optimizer": "SGD", "momentum": 0.8, "l2": 0.01, "seed": 42, "order_seed": 42, "epochs": 4}
    expected |= {"lr": "Cosine(rate=0.1, to the last epoch)", "loss": "softmax_cross_entropy", "backend": "numpy"}
    assert expected.items() <= training.settings.items()
    assert {type(value) for value in training.settings.values()} <= {bool, int, float, str}
    assert (training.net, training.dataset, training.classes) == (NET, "noise", DATA.classes)
    assert training.sizes == {"train": 70, "val": 20, "test": 20}
    assert (training.backend, training.epochs, training.checkpoint) == ("numpy", 4, tmp_path)
    assert (training.members, [*map(len, training.histories)], training.done) == ((), [0], 0)


@both_ways
def test_members_are_told_by_number(monkeypatch, workers):
    monkeypatch.setattr(Numpy, "workers", workers)
    noting = Noting()
    runs = fit(callbacks=[noting], members=MEMBERS)
    (_, training), *notes = noting.notes
    assert notes.pop() == ("end", runs)
    for k, run in enumerate(runs):
        assert [rows[k] for _, rows in notes if k in rows] == list(run.history)
    shared = {"seed": 1, "l2": 0.0, "lr": 0.1}
    assert list(training.members) == [shared | own for own in MEMBERS]
    assert not training.settings.keys() & shared.keys()
    assert training.settings["order_seed"] == 42
    assert len(training.histories) == 3


def test_a_resumed_training_says_what_it_goes_on_from(tmp_path):
    short = fit(epochs=2, callbacks=[Noting()], checkpoint=tmp_path)
    noting = Noting()
    resumed = fit(callbacks=[noting], checkpoint=tmp_path, resume=True)
    (_, training), *notes = noting.notes
    assert (training.histories, training.done, training.resume) == ((short.history,), 2, True)
    assert [row.epoch for _, row in notes[:-1]] == [3, 4]
    assert_equal(resumed, fit())


def test_true_ends_the_training_with_what_there_is(tmp_path):
    run = fit(callbacks=[Noting(answer=True)], checkpoint=tmp_path)
    assert (len(run.history), run.stopped_early, run.interrupted, run.dropped) == (2, True, False, False)
    assert_equal(run, fit(epochs=2))
    assert_equal(fit(checkpoint=tmp_path, resume=True), run)
    assert not fit(callbacks=[Noting(answer=True, after=4)]).stopped_early
    assert len(fit(on_epoch=lambda row: row.epoch == 3).history) == 3


@both_ways
def test_members_that_are_stopped_count_and_dropped_ones_do_not(monkeypatch, workers):
    monkeypatch.setattr(Numpy, "workers", workers)
    first = Noting(answer=True, after=3)
    runs = fit(
        callbacks=[first], on_epoch=lambda rows: [k for k in rows if k == 1 and rows[k].epoch == 1], seeds=range(3)
    )
    assert [len(run.history) for run in runs] == [3, 1, 3]
    assert [(run.stopped_early, run.dropped) for run in runs] == [(True, False), (False, True), (True, False)]
    assert runs.finished.runs == (runs[0], runs[2])


@both_ways
def test_what_fails_is_named_and_left_out(monkeypatch, workers):
    monkeypatch.setattr(Numpy, "workers", workers)
    failing, noting = Noting(answer=KeyError("val_acc")), Noting()
    with pytest.warns(TrainingWarning) as warned:
        runs = fit(callbacks=[failing, noting], seeds=range(2))
    (warning,) = warned
    assert str(warning.message).startswith(
        "Noting.epoch, a callback, raised KeyError: 'val_acc' (test_callbacks.py, line"
    )
    assert str(warning.message).endswith("; training goes on without it")
    assert failing.notes[-1] == ("failed", failing.answer)
    assert noting.notes[-1] == ("end", runs)
    for run, expected in zip(runs, fit(seeds=range(2)), strict=True):
        assert_equal(run, expected)


def test_an_answer_that_is_none_is_a_failure():
    with pytest.warns(
        TrainingWarning, match="Noting.epoch: expected True to end the training, or None to go on, got 3"
    ):
        fit(callbacks=[Noting(answer=3)])
    with pytest.warns(
        TrainingWarning, match=r"Noting.epoch: expected numbers of members to drop, of \[0, 1\], got \[2\]"
    ):
        fit(callbacks=[Noting(answer=[2])], seeds=range(2), memory_budget=0)
    for wrong, error in (([True], ValueError), ([[0]], ValueError), ([0.0], ValueError), ("stop", TypeError)):
        with pytest.raises(error, match=r"on_epoch: expected .* members to drop"):
            fit(on_epoch=lambda rows, wrong=wrong: wrong, seeds=range(2), memory_budget=0)
    with pytest.raises(TypeError, match="on_epoch: expected True to end the training, or None to go on, got a list"):
        fit(on_epoch=lambda row: [0])


def test_a_failing_start_ends_it_before_any_work():
    class Offline(an.Callback):
        def start(self, training):
            raise OSError("no network")

    first, last = Noting(), Noting()
    with pytest.raises(OSError, match="no network") as raised:
        fit(callbacks=[first, Offline(), last], on_epoch=lambda row: pytest.fail("it trains"))
    assert raised.value.__notes__ == ["raised by Offline.start, a callback of fit; nothing was trained"]
    assert (first.told, last.told) == (["start", "failed"], [])


@pytest.mark.parametrize("error", [OSError("no network"), KeyboardInterrupt()])
def test_a_failing_end_loses_nothing(error):
    class Offline(an.Callback):
        def end(self, result):
            raise error

    last = Noting()
    with pytest.warns(TrainingWarning, match=f"Offline.end, a callback, raised {type(error).__name__}"):
        run = fit(callbacks=[Offline(), last])
    assert last.notes[-1] == ("end", run)
    assert_equal(run, fit())


def test_others_are_told_before_an_end_that_ends_the_process():
    class Leaving(an.Callback):
        def end(self, result):
            raise SystemExit(3)

    last = Noting()
    with pytest.raises(SystemExit):
        fit(callbacks=[Leaving(), last], epochs=1)
    assert last.told == ["start", "epoch", "end"]


def test_all_are_told_that_there_is_no_result():
    class BrokenError(Exception):
        """Error of a class that a function made."""

    def fail(row):
        raise BrokenError

    for ending, settings in {
        an.DivergedError: {"optimizer": an.SGD(1e300)},
        BrokenError: {"on_epoch": fail},
    }.items():
        noting = Noting()
        with np.errstate(all="ignore"), pytest.raises(ending) as raised:
            fit(callbacks=[noting, Noting()], **settings)
        assert noting.notes[-1] == ("failed", raised.value)


def test_an_interruption_is_an_end(tmp_path):
    """All callbacks are told the epoch, though the first of them interrupts."""
    noting = Noting()
    run = fit(callbacks=[Noting(answer=KeyboardInterrupt()), noting], checkpoint=tmp_path)
    assert (run.interrupted, len(run.history), run.stopped_early) == (True, 2, False)
    assert noting.told == ["start", "epoch", "epoch", "end"]
    assert_equal(fit(checkpoint=tmp_path, resume=True), fit())


def test_the_end_comes_before_the_end_of_the_process():
    """A handler of SIGTERM that is not Python's own may end the process."""
    notes = []
    before = signal.signal(signal.SIGTERM, lambda *_: notes.append(("handler", None)))
    try:
        run = fit(callbacks=[Noting(notes)], on_epoch=lambda row: signal.raise_signal(signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [what for what, _ in notes] == ["start", "epoch", "end", "handler"]
    assert notes[2][1].interrupted
    assert run.interrupted


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (an.Callback(), "callbacks: expected a list of callbacks, got a Callback"),
        ([Noting], r"callbacks\[0\]: expected an anynet.Callback, got the class Noting; write Noting\(\)"),
        ([Noting(), print], r"callbacks\[1\]: expected an anynet.Callback, got a builtin_function_or_method"),
    ],
)
def test_what_is_no_callback_is_refused(callbacks, message):
    with pytest.raises(TypeError, match=message):
        fit(callbacks=callbacks)
