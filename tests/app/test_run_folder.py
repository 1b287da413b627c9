"""What a run leaves on disk."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

import anynet as an
from anynet import plots
from anynet.app.config import Config
from anynet.app.experiment import run
from anynet.app.run_folder import RunFolder
from anynet.data import split
from anynet.data.synthetic import draw

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.mark.parametrize(("val", "name"), [("test_batch", "test"), ("100", "validation")])
def test_curves_on_test_images_say_so(tmp_path, monkeypatch, val, name):
    draw, drawn = plots.curves, []

    def curves(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(plots, "curves", curves)
    run(Config(train="200", val=val, hidden="5", epochs=1), tmp_path / "out")
    (figure,) = drawn
    assert [[text.get_text() for text in axes.get_legend().texts] for axes in figure.axes] == [["training", name]] * 3


def test_the_best_epoch_is_saved_where_it_is_not_the_last(tmp_path):
    data = split("drawn", draw(0, per_batch=100), train=400, val=100)
    net = an.Sequential(an.Linear(3072, 20), an.BatchNorm(20), an.ReLU(), an.Linear(20, 10))
    settings = {"l2": 1e-3, "batch_size": 64, "seed": 7, "dtype": "float64"}
    longer, shorter = (an.fit(net, data, an.SGD(0.5), epochs=epochs, **settings) for epochs in (3, 2))
    assert longer.best.epoch == 2  # so that the shorter training ends with it
    RunFolder(tmp_path / "out", Config(), "drawn").finish(longer, official=False)

    loaded = an.load(tmp_path / "out")
    assert (loaded.best.epoch, loaded.last.epoch, loaded.history) == (2, 3, longer.history)
    saved = load_file(tmp_path / "out" / "model.safetensors")
    for which, snapshot in (("best", shorter.last), ("last", longer.last)):
        for name, array in (net.layout.split(snapshot.params) | snapshot.state).items():
            np.testing.assert_array_equal(saved[f"{which}.{name}"], array)
    assert not np.array_equal(saved["best.0.W"], saved["last.0.W"])
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["best_epoch"] == 2
    assert result["best_val_accuracy"] == shorter.history[-1].val_accuracy > result["val_accuracy"]
    assert result["best_test_accuracy"] == shorter.test.accuracy != result["test_accuracy"]
