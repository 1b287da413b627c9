"""Processes that are killed and go on, few of them; ``python -m benchmarks.faults --kills`` kills many."""

import json
import signal

import pytest

pytest.importorskip("resource", reason="faults are tried on POSIX systems")

from benchmarks.faults.__main__ import main
from benchmarks.faults.kills import SIGNALS, Kills, Life, Trials
from benchmarks.faults.victims import contents, victims, write_images

WHOLE = {"a.json": {"x": 1}, "b.csv": [{"epoch": "1"}]}


def write(folder, text='{"x": 1, "seconds": 2}'):
    folder.mkdir(exist_ok=True)
    (folder / "a.json").write_text(text)
    (folder / "b.csv").write_text("epoch,seconds\n1,0.5\n")


def test_contents_leave_out_times_and_name_torn_files(tmp_path):
    write(tmp_path / "out")
    assert contents(tmp_path / "out") == WHOLE
    (tmp_path / "out" / ".partial-7-c.json").write_text("{")
    assert contents(tmp_path / "out") == WHOLE
    write(tmp_path / "out", text='{"x": ')
    with pytest.raises(ValueError, match=r"a\.json is not whole"):
        contents(tmp_path / "out")


KILLED = Life(-9, "", 1.0, 2, True)
CASES = {
    "right": ([KILLED, Life(0, "", 1.0, 2, False)], {}, ""),
    "torn": ([KILLED], {"text": "{"}, "a.json is not whole"),
    "lost": ([KILLED, Life(0, "", 1.0, 2, False)], {"text": '{"x": 2}'}, "a.json: differs"),
    "traceback": ([Life(-9, "Traceback (most recent call last)", 1.0, 2, True)], {}, "ended with -9: Traceback"),
    "refused": ([KILLED, Life(2, "anynet: no", 1.0, 2, False)], {}, "ended with 2: anynet: no"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_lost_is_found(tmp_path, monkeypatch, name):
    lives, written, fault = CASES[name]
    folder, ends = tmp_path / "out", iter([(Life(0, "", 1.0, 2, False), {}), *((life, written) for life in lives)])

    def live(victim, folder, kill=None):
        life, changes = next(ends)
        write(folder, **changes)
        return life

    monkeypatch.setattr("benchmarks.faults.kills.live", live)
    counts = Kills()
    Trials(victims(tmp_path, "numpy")["train"], folder).case("seed", signal.SIGKILL, counts, 1)
    assert (counts.kills, counts.right, counts.lost) == ((1, 0, 1) if fault else (1, 1, 0))
    assert counts.tracebacks == (name == "traceback")
    assert fault in "".join(counts.faults)


@pytest.mark.thorough
@pytest.mark.parametrize("at", ["1 half", "12 after"])
def test_a_sweep_that_is_killed_at_a_write_goes_on(tmp_path, at, monkeypatch):
    write_images(tmp_path / "images", 300)
    trials = Trials(victims(tmp_path / "images", "numpy")["sweep"], tmp_path / "out")
    monkeypatch.setattr(trials, "_moment", lambda *_: at)
    counts = Kills()
    trials.case("seed", signal.SIGKILL, counts, 1)
    assert (counts.kills, counts.writes, counts.right, counts.faults) == (1, 1, 1, [])


@pytest.mark.thorough
def test_the_command_kills(tmp_path):
    out = tmp_path / "counts.json"
    assert main(kills=3, commands=["download"], out=out) == 0
    counts = json.loads(out.read_text())["download"]
    assert list(counts) == [each.name for each in SIGNALS]
    assert sum(each["kills"] for each in counts.values()) == 3
    assert sum(each["right"] for each in counts.values()) == 3


def test_an_unknown_command_is_named():
    with pytest.raises(ValueError, match='--commands: there is no "trian"; did you mean "train"'):
        main(kills=1, commands=["trian"])
