"""What a run leaves on disk."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import anynet as an
from anynet import plots
from anynet.app import new_folder
from anynet.app.config import Config
from anynet.app.new_folder import make_folder
from anynet.app.run_folder import RunFolder, run_pictures
from anynet.app.train_run import train_run
from anynet.core.held_signals import HeldSignals
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
    train_run(Config(train="200", val=val, hidden="5", epochs=1), tmp_path / "out", HeldSignals())
    (figure,) = drawn
    assert [text.get_text() for text in figure.legends[0].texts] == ["training", name, "best epoch, 1"]
    title, note = figure.get_suptitle(), figure.texts[-1].get_text()
    assert title.startswith("synthetic: 3072-5-10, BatchNorm, ReLU\nended after epoch 1, the best: test accuracy ")
    assert "lr 0.02, schedule cosine" in note


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


class Noon(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, *_):
        return cls(2026, 11, 21, 12, 0, 0)


def test_names_that_are_taken_at_the_same_second_are_different(tmp_path, monkeypatch):
    monkeypatch.setattr(new_folder, "datetime", Noon)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as it is for processes that ask at once
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: make_folder(), range(40)))
    expected = ["20261121-120000", *(f"20261121-120000-{i}" for i in range(2, 41))]
    assert sorted(folder.name for folder in folders) == sorted(expected)
    assert sorted(folder.name for folder in (tmp_path / "runs").iterdir()) == sorted(expected)


def test_name_that_is_given_is_refused_if_another_took_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert make_folder(tmp_path / "deep" / "out") == tmp_path / "deep" / "out"
    with pytest.raises(FileExistsError, match="out: expected a new folder, but it exists; choose another --out"):
        make_folder(tmp_path / "deep" / "out")


def test_nothing_is_made_for_settings_that_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected rate finite, 0 or more"):
        train_run(Config(train="200", val="100", lr=-1.0), None, HeldSignals())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_three_processes_at_the_same_second_make_three_runs(tmp_path):
    code = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]}
from pathlib import Path; from datetime import datetime
import pytest; from few_images import use_few_images
from anynet.app import new_folder; from anynet.app.config import Config; from anynet.app.train_run import train_run
from anynet.core.held_signals import HeldSignals
class Noon(datetime):
    now = classmethod(lambda cls, *_: cls(2026, 11, 21, 12, 0, 0))
new_folder.datetime = Noon
use_few_images(pytest.MonkeyPatch(), Path({str(tmp_path)!r}))
print("ready", flush=True)
sys.stdin.readline()
print(train_run(Config(train="200", val="100", hidden="", epochs=1, data="synthetic"), None, HeldSignals())[1])
"""
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(3)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=120) for process in processes]
    names = ["20261121-120000", "20261121-120000-2", "20261121-120000-3"]
    assert sorted(out for out, _ in ended) == [f"runs/{name}\n" for name in names]
    assert all((tmp_path / "runs" / name / "result.json").is_file() for name in names)


@pytest.mark.parametrize(
    ("first", "pictures"),
    [
        (an.Conv2d(2, 3, stride=8), ["curves.png", "weights.png"]),
        (an.AvgPool2d(8), ["curves.png"]),
    ],
)
def test_kernels_are_drawn_in_place_of_weights(tmp_path, first, pictures):
    data = split("drawn", draw(0, per_batch=20), train=80, val=20)
    net = an.Sequential(first, an.Flatten(), an.Linear(10), input_shape=(3, 32, 32))
    run = an.fit(net, data, an.SGD(0.01), epochs=1, batch_size=40, compile="off", progress=False)
    found = run_pictures(tmp_path, run, "validation")
    assert [picture.path.name for picture in found] == pictures
    title = found[-1].draw().get_suptitle()
    assert title.startswith("drawn: kernels of layer 0 after epoch 1" if len(found) > 1 else "drawn: 48-10, AvgPool2d")
