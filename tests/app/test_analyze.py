"""``analysis.json`` of runs, of members and of their ensemble."""

import base64
import io
import json

import numpy as np
import pytest
from commands import train
from few_images import few_images
from PIL import Image

import anynet as an
from anynet.app import analyze
from anynet.app.analyze import analysis
from anynet.data.dataset import TEST_BATCH
from anynet.training.score import score

pytestmark = pytest.mark.usefixtures("few_pictures")


def content(folder):
    return json.loads((folder / "analysis.json").read_text(), parse_constant=pytest.fail)


def check(folder, chances):
    """Compare the file with probabilities of the test images."""
    test = few_images().splits[TEST_BATCH]
    found, guess = content(folder), chances.argmax(axis=1)
    assert (found["split"], found["samples"], len(found["classes"])) == ("test", len(test), 10)
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (test.y, guess), 1)
    np.testing.assert_array_equal(found["confusion"], expected)
    calibration = found["calibration"]
    assert sum(calibration["count"]) == len(test)
    for n, share in zip(calibration["count"], calibration["accuracy"], strict=True):
        assert (share is None) == (n == 0)
    worst = found["mistakes"][0]
    i = worst["index"]
    assert (worst["true"], worst["predicted"]) == (test.y[i], guess[i])
    assert worst["probability"] == pytest.approx(chances[guess != test.y].max())
    file = io.BytesIO(base64.b64decode(worst["image"].removeprefix("data:image/png;base64,")))
    with Image.open(file) as picture:
        np.testing.assert_array_equal(np.asarray(picture), test.x[i].reshape(3, 32, 32).transpose(1, 2, 0))
    assert len(found["mistakes"]) == min(20, np.count_nonzero(guess != test.y))


def test_a_run_has_the_analysis_of_its_net(trained):
    check(trained.folder, an.load(trained.folder).predict_proba(few_images().splits[TEST_BATCH].x))
    result = json.loads((trained.folder / "result.json").read_text())
    assert np.trace(content(trained.folder)["confusion"]) == round(100 * result["best_test_accuracy"])


def test_a_sweep_has_that_of_its_ensemble_and_of_each_member(seeded):
    x = few_images().splits[TEST_BATCH].x
    chances = [an.load(seeded.folder / f"member-{k}").predict_proba(x) for k in range(3)]
    for k in range(3):
        check(seeded.folder / f"member-{k}", chances[k])
    check(seeded.folder, np.mean(chances, axis=0))


@pytest.mark.usefixtures("no_plots")
def test_one_that_fails_is_a_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(analyze, "MOST_CLASSES", 9)
    train("--epochs", "1")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "not made" in line]
    assert line == (
        "anynet: out: analysis.json not made (expected at most 9 classes, got 10); everything else was written"
    )
    assert (tmp_path / "out" / "model.safetensors").exists()
    assert not (tmp_path / "out" / "analysis.json").exists()


def test_numbers_have_errors_and_some_samples():
    x = np.random.default_rng(0).normal(size=(900, 2))
    y = np.stack([x[:, 0] ** 2, np.ones(900)], axis=1)
    run = an.fit(an.Sequential(an.Linear(2, 2)), (x, y), an.SGD(0.1), val=0.9, epochs=1, backend="numpy", compile="off")
    part = run.remembered["val"]
    found, off = analysis(run, "val"), np.abs(run.predict(part.x) - part.y)
    assert (found["split"], found["samples"], found["targets"]) == ("val", len(part), 2)
    assert found["r2"] == [pytest.approx(score(run.predict(part.x)[:, 0], part.y[:, 0], ())), None]
    np.testing.assert_allclose(found["errors"]["0.9"], np.quantile(off, 0.9, axis=0))
    np.testing.assert_allclose(found["errors"]["1"], off.max(axis=0))
    assert np.shape(found["sample"]) == (500, 2, 2)
    np.testing.assert_allclose(found["sample"][-1], [part.y[-1], run.predict(part.x)[-1]])
    json.dumps(found, allow_nan=False)
