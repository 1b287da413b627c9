"""``python -m benchmarks.precision`` with small nets and few images."""

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
from benchmarks import common
from benchmarks import precision as benchmark
from benchmarks.rounded import MANTISSA_BITS, RoundedNumpy, round_into

pytestmark = pytest.mark.usefixtures("few_pictures")
SMALL = Config(train="400", val="100", hidden="20")


def runs_of(numbers):
    return sum(len(result["test_accuracy"]) for result in numbers["results"])


@pytest.mark.parametrize("epochs", [1, 2])
def test_all_precisions_and_seeds(tmp_path, monkeypatch, capsys, epochs):
    """A backend that rounds nothing shows no difference between precisions."""
    monkeypatch.setattr(Numpy, "precisions", ("float32", "bf16"))
    monkeypatch.setattr(benchmark, "NETS", {"small": SMALL})
    saved, save = [], common.save
    monkeypatch.setattr(common, "save", lambda numbers, out: saved.append(runs_of(numbers)) or save(numbers, out))
    benchmark.main("numpy", epochs=epochs, out=tmp_path / "it.json")
    assert saved == [1, 2, 3, 4, 5, 6, 6]  # after each run, and at the end
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
    for expected in ("small", "bf16", "+0.00%", "+0.0000", f"{mean:.2%}"[:4]):
        assert expected in table


@pytest.mark.parametrize(("precision", "bits"), MANTISSA_BITS.items())
def test_rounded_numpy(rng, precision, bits):
    """Operands are rounded to nearest, and a product in a loop is that of the rounded operands."""
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


def test_existing_files_are_not_overwritten(tmp_path):
    (tmp_path / "existing.json").write_text("!")
    with pytest.raises(FileExistsError, match=r"existing\.json exists"):
        benchmark.main("numpy", out=tmp_path / "existing.json")
    with pytest.raises(an.BackendError, match="no backend"):
        benchmark.main("nunpy")


def test_speed_leaves_out_the_first_epoch():
    run = prepare(Config(train="400", val="100", hidden="", epochs=3)).fit()
    times = [10.0, 12.0, 14.0]
    history = History(row._replace(seconds=t) for row, t in zip(run.history, times, strict=True))
    assert benchmark.images_per_second(replace(run, history=history), 400) == 200
    assert benchmark.images_per_second(replace(run, history=history[:1]), 400) == 40
