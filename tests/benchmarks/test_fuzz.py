"""Damaged files of every kind, few of them; ``python -m benchmarks.faults`` gives many."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("resource", reason="faults are tried on POSIX systems")

from benchmarks.faults.__main__ import main
from benchmarks.faults.fuzz import HANG_SECONDS, check_refusal, fuzz
from benchmarks.faults.reader import Reader
from benchmarks.faults.readers import READERS

ENDS = ("read", "CheckpointError", "DataError", "FileError", "FileNotFoundError")


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if not reader.slow])
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(random=st.randoms(use_true_random=False))
def test_a_damaged_file_is_read_or_refused_by_name(name, random, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    READERS[name].write_damaged(folder, random)
    began = time.perf_counter()
    assert check_refusal(READERS[name], folder) in ENDS
    assert time.perf_counter() - began < HANG_SECONDS


def reader(read) -> Reader:
    return Reader(read, lambda: [{"file": b"content"}], ("file",))


def fail(folder: Path):
    if folder.name != "valid":
        raise KeyError("place")


def hang(folder: Path):
    while folder.name != "valid":
        pass


def test_faults_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.faults.fuzz.HANG_SECONDS", 0.05)
    failed = fuzz(reader(fail), 3, 0, kept := tmp_path / "kept")
    assert (failed.inputs, failed.read, failed.tracebacks, failed.hangs) == (3, 0, 3, 0)
    assert len(failed.faults) == 1
    assert "KeyError: 'place'" in failed.faults[0]
    assert sorted(path.name for path in kept.iterdir()) == ["0-0", "0-1", "0-2"]
    hung = fuzz(reader(hang), 2, 0)
    assert (hung.tracebacks, hung.hangs) == (0, 2)
    peaks = iter([1000, 1000 + 70 * 1024])
    monkeypatch.setattr("benchmarks.faults.fuzz._peak", lambda: next(peaks))
    assert fuzz(reader(str), 0, 0).megabytes == 70


def test_the_command_counts(tmp_path):
    out = tmp_path / "counts.json"
    code = main(fuzz=60, readers=["history.csv", "result.json"], kept=tmp_path / "kept", out=out)
    counts = json.loads(out.read_text())
    assert code == 0
    for name in ("history.csv", "result.json"):
        assert counts[name]["inputs"] == 30
        assert counts[name]["read"] + sum(counts[name]["refused"].values()) == 30
        assert counts[name]["megabytes"] < 500
    assert not (tmp_path / "kept").exists()
