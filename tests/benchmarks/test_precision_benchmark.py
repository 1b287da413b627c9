"""``python -m benchmarks.precision``, on small nets and few pictures."""

import json
import statistics

import pytest

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.config import Config
from anynet.experiment import prepare
from benchmarks import precision as benchmark

pytestmark = pytest.mark.usefixtures("few_pictures")
SMALL = Config(train="400", val="100", hidden="20")


@pytest.mark.parametrize("epochs", [1, 2])
def test_every_precision_over_three_seeds(tmp_path, monkeypatch, capsys, epochs):
    """With a backend that rounds nothing, whatever it says: no difference."""
    monkeypatch.setattr(Numpy, "precisions", ("float32", "bf16"))
    monkeypatch.setattr(benchmark, "NETS", {"small": SMALL})
    benchmark.precision("numpy", epochs=epochs, out=tmp_path / "it.json")
    content = json.loads((tmp_path / "it.json").read_text())
    assert content["machine"].keys() >= {"cpu", "cores", "date", "versions"}
    assert (content["backend"], content["dataset"], content["epochs"]) == ("numpy", "synthetic", epochs)
    one, other = content["results"]
    assert (one["precision"], other["precision"]) == ("float32", "bf16")
    runs = [prepare(Config(train="400", val="100", hidden="20", epochs=epochs, seed=s)).fit() for s in (42, 43, 44)]
    for result in (one, other):
        assert result["test_accuracy"] == [run.test.accuracy for run in runs]
        assert result["train_loss"] == [run.history[-1].train_loss for run in runs]
        assert len(result["images_per_second"]) == 3
        assert min(result["images_per_second"]) > 0
    table = " ".join(capsys.readouterr().err.split())
    mean = statistics.mean(one["test_accuracy"])
    for words in ("small", "bf16", "+0.00%", "+0.0000", f"{mean:.2%}"[:4]):
        assert words in table


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "precious.json").write_text("!")
    with pytest.raises(FileExistsError, match=r"precious\.json is there already"):
        benchmark.precision("numpy", out=tmp_path / "precious.json")
    with pytest.raises(an.BackendError, match="no backend"):
        benchmark.precision("nunpy")


def test_speeds_leave_out_the_epoch_that_compiles():
    run = prepare(Config(train="400", val="100", hidden="", epochs=3)).fit()
    times = [10.0, 12.0, 14.0]
    run.history[:] = [row._replace(seconds=t) for row, t in zip(run.history, times, strict=True)]
    assert benchmark._speed(run, 400) == 200
    run.history[1:] = []
    assert benchmark._speed(run, 400) == 40
