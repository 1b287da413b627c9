"""Signals wait until a stretch of work is done."""

import signal
import threading

import pytest

from anynet.core.held_signals import HeldSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_noted_and_handlers_come_back(number):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with HeldSignals() as signals:
        signals.hold()
        signal.raise_signal(number)
        signal.raise_signal(number)
    assert signals.received == [number, number]
    assert signals.terminated == (number == signal.SIGTERM)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_signals_act_as_before_until_they_are_held():
    handled = []
    before = signal.signal(signal.SIGTERM, lambda *arguments: handled.append(arguments[0]))
    try:
        with HeldSignals() as signals:
            signal.raise_signal(signal.SIGTERM)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (handled, signals.received) == ([signal.SIGTERM], [])


def test_a_second_signal_interrupts_what_is_less_important():
    with HeldSignals() as signals:
        signals.hold()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        signals.ease()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signals.hold()
        signal.raise_signal(signal.SIGINT)


def test_signals_that_other_work_was_stopped_by_are_noted():
    with HeldSignals() as signals:
        signals.note(signal.SIGINT)
        assert not signals.terminated
        signals.note(signal.SIGTERM)
        signals.note(signal.SIGINT)
    assert signals.terminated


def test_sigterm_interrupts_until_it_is_held():
    with HeldSignals() as signals:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert signals.terminated
        signals.hold()
        signal.raise_signal(signal.SIGTERM)
    assert signals.received == [signal.SIGTERM]


def test_a_handler_of_the_program_is_called_until_signals_are_held():
    called = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    try:
        with HeldSignals() as signals:
            signal.raise_signal(signal.SIGTERM)
        assert (called, signals.terminated) == ([signal.SIGTERM], False)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    signals = HeldSignals()
    signals.hold()
    with pytest.raises(OSError, match="full"), signals:
        raise OSError("full")
    assert signal.getsignal(signal.SIGINT) == before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with HeldSignals() as signals:
            signals.hold()
            signal.raise_signal(signal.SIGINT)
        assert signals.received == []
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_get_no_signals():
    seen = []

    def work():
        with HeldSignals() as signals:
            seen.append((signals.received, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [([], signal.getsignal(signal.SIGINT))]
