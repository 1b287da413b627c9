"""Streams that cannot encode, are closed, full or missing."""

import errno
import io
import sys

import pytest
from terminals import Terminal
from tqdm import tqdm

from anynet.core import streams
from anynet.core.streams import Lenient, lenient_streams, progress_bar


class Failing(io.StringIO):
    """A stream whose every write fails."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


FAILURES = {
    "missing": lambda: None,
    "closed": closed,
    "no reader": lambda: Failing(BrokenPipeError(errno.EPIPE, "Broken pipe")),
    "full": lambda: Failing(OSError(errno.ENOSPC, "No space left on device")),
    "a terminal that is gone": lambda: Failing(OSError(errno.EIO, "Input/output error")),
}


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("ascii", "+ +- ? 5"), ("cp1252", "+ ± ? 5"), ("latin-1", "+ ± ? 5"), ("utf-8", "✓ ± λ 5")],
)
def test_characters_that_cannot_be_encoded_are_replaced(encoding, text):
    raw = io.BytesIO()
    stream = Lenient(io.TextIOWrapper(raw, encoding=encoding))
    print("✓ ± λ 5", file=stream, end="", flush=True)
    assert raw.getvalue().decode(encoding) == text
    assert not stream.gave_up


def test_marks_of_right_and_wrong_stay_apart():
    assert len({streams.STAND_INS[mark] for mark in "✓✗"}) == 2


@pytest.mark.parametrize("make", FAILURES.values(), ids=FAILURES)
def test_a_stream_that_fails_is_given_up(make):
    stream = Lenient(make())
    assert not stream.isatty()
    for _ in range(2):
        assert stream.write("text") == 4
        stream.flush()
    assert stream.gave_up


@pytest.mark.parametrize("make", FAILURES.values(), ids=FAILURES)
def test_a_program_goes_on_whatever_its_streams_are(monkeypatch, make):
    before = make(), make()
    monkeypatch.setattr(sys, "stdout", before[0])
    monkeypatch.setattr(sys, "stderr", before[1])
    with lenient_streams():
        print("result")
        print("remark", file=sys.stderr)
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize(("failure", "said"), [("full", True), ("no reader", False), ("missing", False)])
def test_output_that_is_lost_to_a_reader_is_told(monkeypatch, capsys, failure, said):
    monkeypatch.setattr(sys, "stdout", FAILURES[failure]())
    with lenient_streams():
        print("result")
    lines = "anynet: the output could not be written: [Errno 28] No space left on device\n"
    assert capsys.readouterr().err == (lines if said else "")


@pytest.mark.parametrize("make", FAILURES.values(), ids=FAILURES)
def test_a_bar_never_stops_the_work(monkeypatch, make):
    monkeypatch.setattr(sys, "stderr", make())
    done = 0
    with progress_bar(total=3, disable=False, mininterval=0) as bar:
        for done in range(1, 4):
            bar.update(1)
            bar.set_postfix_str(f"{done}")
    assert done == 3


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_a_bar_fits_the_terminal_and_shows_what_is_behind_it(monkeypatch, columns):
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("COLUMNS", f"{columns}")
    text = "epoch 100/100: loss 1.234, accuracy 45.1%, validation 43.2%"
    with progress_bar(total=30_000_000, unit="img", unit_scale=True, mininterval=0) as bar:
        bar.update(3_000_000)
        bar.set_postfix_str(text)
        shown = stderr.getvalue().split("\r")[-1].rstrip()
    assert len(shown) <= columns
    assert (text in shown) == (columns >= 80)
    assert ("img/s" in shown) == (columns == 200)


def test_lines_are_written_above_a_bar_on_the_same_stream(monkeypatch):
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress_bar(total=2, mininterval=0):
        tqdm.write("a line", file=sys.stderr)
    assert any(part.startswith("a line\n") for part in stderr.getvalue().split("\r"))
