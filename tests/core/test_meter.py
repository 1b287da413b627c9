"""Progress as a bar and as lines."""

import sys

import pytest
from terminals import Terminal

from anynet.core import meter as module
from anynet.core.meter import Meter, announce, progress_shown


@pytest.fixture
def clock(monkeypatch):
    """Time in seconds, as a list of one number."""
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_lines_are_at_most_one_a_second_and_the_last(capsys, clock):
    with Meter(True, total=30) as meter:
        for i in range(30):
            meter.say(f"line {i}")
            clock[0] += 0.25
    assert capsys.readouterr().err.split("\n") == [*(f"line {i}" for i in range(0, 30, 4)), "line 29", ""]


def test_a_line_that_is_not_kept_is_neither_the_first_nor_the_last(capsys, clock):
    with Meter(True) as meter:
        meter.say("at work", keep=False)
        meter.say("first")
        clock[0] += 1
        meter.say("still at work", keep=False)
        meter.say("result")
        meter.say("testing", keep=False)
    assert capsys.readouterr().err == "first\nstill at work\nresult\n"


@pytest.mark.parametrize(
    ("shown", "wanted", "lines"),
    [(None, None, False), (True, None, True), (False, None, False), (None, True, True), (None, False, False)],
)
def test_who_asks_for_lines_gets_them(capsys, shown, wanted, lines):
    def work():
        with Meter(shown, total=1) as meter:
            meter.say("a line")
            meter.bar.update()

    if wanted is None:
        work()
    else:
        with progress_shown(wanted):
            work()
    assert capsys.readouterr().err == ("a line\n" if lines else "")


@pytest.mark.parametrize(("wanted", "bar"), [(True, True), (False, False)])
def test_a_terminal_has_a_bar_and_no_lines_or_nothing(monkeypatch, wanted, bar):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_shown(wanted), Meter(total=1, mininterval=0) as meter:
        announce("work")
        meter.say("a line")
        meter.show("what is done")
        meter.bar.update()
    assert ("what is done" in terminal.getvalue(), "work\n" in terminal.getvalue()) == (bar, bar)
    assert "a line" not in terminal.getvalue()


@pytest.mark.parametrize(("columns", "text"), [(30, "b"), (50, "bb" * 10), (80, "ccc" * 19)])
def test_the_longest_text_that_fits_is_behind_the_bar(monkeypatch, columns, text):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", f"{columns}")
    with Meter(total=1, mininterval=0) as meter:
        meter.show("d" * 79, "ccc" * 19, "bb" * 10, "b")
    assert terminal.lines[-2].endswith(f", {text}")
    assert max(map(len, terminal.lines)) <= columns
