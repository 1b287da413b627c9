"""``python -m benchmarks.precision``, on small nets and few pictures."""

import json
import statistics
from dataclasses import replace

import numpy as np
import pytest

import anynet as an
from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.backends.numpy import Numpy
from anynet.core.history import History
from benchmarks import precision as benchmark
from benchmarks.rounded import BITS, RoundedNumpy, round_into

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


@pytest.mark.parametrize(("precision", "bits"), BITS.items())
def test_numpy_that_rounds(rng, precision, bits):
    """To the nearest number, within half of the last bit kept; and a product in a loop is that of the rounded ones."""
    x, chosen = rng.standard_normal((40, 30)).astype(np.float32), RoundedNumpy("numpy", "cpu").with_precision(precision)
    rounded = np.empty_like(x)
    round_into(bits, x, rounded)
    step = np.exp2(np.floor(np.log2(np.abs(x))) - bits)
    assert np.max(np.abs(rounded - x) / step) <= 0.5
    assert np.all(rounded / step == np.round(rounded / step))
    loop = chosen.loop(lambda carry, shared, row: (carry[0] * 0 + shared[0] @ shared[0].mT * row[0],))
    (found,) = loop((np.zeros((40, 40), np.float32),), (x,), (np.ones(2, np.float32),), int)
    exact = rounded.astype(np.float64)
    np.testing.assert_allclose(found, exact @ exact.T, rtol=0, atol=2e-5)
    assert np.max(np.abs(found - x.astype(np.float64) @ x.T.astype(np.float64))) > 1e-3


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "precious.json").write_text("!")
    with pytest.raises(FileExistsError, match=r"precious\.json is there already"):
        benchmark.precision("numpy", out=tmp_path / "precious.json")
    with pytest.raises(an.BackendError, match="no backend"):
        benchmark.precision("nunpy")


def test_speeds_leave_out_the_epoch_that_compiles():
    run = prepare(Config(train="400", val="100", hidden="", epochs=3)).fit()
    times = [10.0, 12.0, 14.0]
    history = History(row._replace(seconds=t) for row, t in zip(run.history, times, strict=True))
    assert benchmark._speed(replace(run, history=history), 400) == 200
    assert benchmark._speed(replace(run, history=history[:1]), 400) == 40
