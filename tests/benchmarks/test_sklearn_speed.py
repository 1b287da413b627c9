"""``sklearn_speed`` with few epochs."""

import json

import pytest

pytest.importorskip("sklearn.base")

import anynet as an
from benchmarks import sklearn_speed


@pytest.mark.thorough
def test_everything_is_timed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sklearn_speed, "backends", lambda names: {name: an.backend(name) for name in names})
    monkeypatch.setattr(sklearn_speed, "JOBS", 1)
    monkeypatch.setattr(sklearn_speed, "FOLDS", 2)
    sklearn_speed.main(epochs=1, repeats=1, out=tmp_path / "speed.json")
    found = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert len(found["results"]) == 5
    for each in found["results"]:
        assert min(*each["anynet"], *each["scikit-learn"]) > 0
        assert len(each["loss"][0]) == len(each["loss"][1]) == 2  # one round more than is timed
    assert capsys.readouterr().err.count(" search") == 2
