"""The command line, from what is typed to what lies in the folder."""

import csv
import json
import sys
import tomllib

import numpy as np
import pytest
from PIL import Image

from anynet import cli, plots
from anynet.config import Config
from anynet.data import sources
from anynet.data.drawings import draw
from anynet.data.errors import DownloadError
from anynet.prediction import load_run
from anynet.reports import presets

SMALL = {"--train": "400", "--val": "100", "--hidden": "20", "--epochs": "2", "--run": "out"}


def small(*flags):
    """The flags of a small run into the folder "out", those that are given in the place of its own."""
    return ["train", *(word for pair in SMALL.items() if pair[0] not in flags for word in pair), *flags]


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch, tmp_path):
    """No network, 600 drawn pictures, and a folder of its own to work in."""

    def unreachable(cache):
        raise DownloadError("the data could not be reached")

    monkeypatch.setattr(sources, "fetch", unreachable)
    monkeypatch.setattr(sources, "draw", lambda seed: draw(seed, per_batch=100))
    monkeypatch.chdir(tmp_path)


def train(*flags):
    cli.main(small(*flags))


def history(folder):
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def refused(capsys, *tokens):
    """The one line with which the command ends, and code 2."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(tokens))
    assert end.value.code == 2
    return capsys.readouterr().err


def test_a_run_leaves_a_whole_folder(tmp_path, capsys):
    train("--seed", "3")
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {
        "config.toml", "history.csv", "result.json", "model.safetensors", "curves.png", "weights.png",
    }  # fmt: skip

    result = json.loads((folder / "result.json").read_text())
    assert result["dataset"] == "synthetic"
    assert not result["official"]
    assert (result["backend"], result["device"], result["dtype"], result["seed"]) == ("numpy", "cpu", "float32", 3)
    assert result["epochs"] == 2
    assert 0 <= result["test_accuracy"] <= 1
    assert 0 <= result["best_test_accuracy"] <= 1
    assert result["seconds"] > 0
    assert result["versions"].keys() >= {"anynet", "numpy", "python"}

    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["hidden"] == "20"
    assert config["seed"] == 3

    assert config["data"] == "synthetic"  # not "auto": what it came to

    rows = history(folder)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {row["dataset"] for row in rows} == {"synthetic"}
    assert float(rows[1]["val_accuracy"]) == result["val_accuracy"]
    assert float(rows[0]["train_cost"]) > float(rows[0]["train_loss"])

    for name in ("curves.png", "weights.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 100

    said = capsys.readouterr()
    assert "the data could not be reached\nTraining on the synthetic set instead" in said.err
    assert said.out.startswith("synthetic, numpy on cpu: test accuracy ")


def test_the_best_net_comes_back_whole(tmp_path, backend_here):
    train("--dtype", "float64")
    test = draw(0, per_batch=100).splits["test_batch"]
    found = load_run(tmp_path / "out", backend_here)(test.images).argmax(axis=1)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert np.mean(found == test.labels) == pytest.approx(result["best_test_accuracy"])


def test_predict_names_the_class_of_an_image(tmp_path, capsys):
    train("--epochs", "20")
    test = draw(0, per_batch=100).splits["test_batch"]
    pictures = test.images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    files = [str(tmp_path / f"{i}.png") for i in range(20)]
    for file, picture in zip(files, pictures, strict=False):
        Image.fromarray(picture).save(file)
    capsys.readouterr()
    cli.main(["predict", "out", *files])
    lines = capsys.readouterr().out.splitlines()

    predictor = load_run(tmp_path / "out", cli.anynet.backend("numpy"))
    best = predictor(test.images[:20]).argmax(axis=1)
    assert [line.split(" ")[0] for line in lines] == [f"{file}:" for file in files]
    for line, k in zip(lines, best, strict=True):
        assert line.split(": ")[1].startswith(predictor.classes[k])
        assert line.endswith(" (trained on synthetic)")


def test_predict_takes_the_middle_square_of_any_picture(tmp_path, capsys):
    train()
    square = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, 16:48] = square
    for name, picture in (("square.png", square), ("wide.png", wide)):
        Image.fromarray(picture).save(tmp_path / name)
    capsys.readouterr()
    cli.main(["predict", "out", "square.png", "wide.png"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.removeprefix("square.png") == second.removeprefix("wide.png")


def test_an_existing_folder_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("!")
    assert "out is there already" in refused(capsys, *small())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--schedule", "cosin"], 'there is no "cosin"; did you mean "cosine"?'),
        (["--schedule", "step:0.1"], "expected step:NUMBER:NUMBER"),
        (["--schedule", "step:x:2"], "expected step:NUMBER:NUMBER"),
        (["--init", "hee"], 'did you mean "he"?'),
        (["--normalize", "standard"], 'did you mean "standardize"?'),
        (["--backend", "nunpy"], 'did you mean "numpy"'),
        (["--preset", "garcia-sans/2"], 'did you mean "garcia-sanz/2"'),
        (["--lr=-0.1"], "Must be > 0"),
        (["--l2=-0.1"], "Must be >= 0"),
        (["--momentum", "1.0"], "Must be < 1"),
        (["--epochs", "0"], "Must be >= 1"),
        (["--seed=-1"], "Must be >= 0"),
        (["--hidden", "50,x"], 'expected positive widths separated by commas, as in 50,30, or "", got "50,x"'),
        (["--hidden", "50,,30"], "expected positive widths"),
        (["--hidden", "0"], "expected positive widths"),
        (["--warmup", "2"], "--warmup: expected less than the 2 epochs of the run, got 2"),
        (["--crop", "32"], "crop: expected 0 to 31 pixels, got 32"),
        (["--memory-budget=-1"], "Must be >= 0"),
        (["--activation", "rleu"], 'Did you mean "relu"?'),
        (["--activatoin", "relu"], "Did you mean --activation?"),
        (["--optimizer", "sdg"], 'Did you mean "sgd"?'),
        (["--batch-size", "401"], "expected 1 to 400"),
        (["--train", "0"], "expected 1 to 500"),
        (["--train", "data_batch_9"], "data_batch_1"),
        (["--nesterov", "--momentum", "0"], "needs a momentum"),
        (["--data", "cifar10"], "the data could not be reached"),
        (["--data", "nowhere"], 'there is no file or folder "nowhere"'),
        (["--data", "synthetik"], 'did you mean "synthetic"?'),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, capsys, flags, message):
    said = refused(capsys, *small(*flags))
    words = " ".join(said.replace("│", " ").split())  # messages about flags come in a frame
    assert message in words
    assert list(tmp_path.iterdir()) == []


def test_divergence_ends_in_one_line_and_keeps_no_empty_run(tmp_path, capsys):
    said = refused(capsys, *small("--lr", "1e30", "--schedule", "constant", "--no-batch-norm"))
    assert "the cost is no longer finite in epoch 1, at step" in said
    assert "1e+30" in said
    assert list(tmp_path.iterdir()) == []


def test_divergence_later_keeps_the_epochs_before(tmp_path, capsys):
    flags = ["--lr", "1e-30", "--schedule", "exponential:1e60", "--no-batch-norm", "--epochs", "3"]
    assert "in epoch 2, at step 2 of 4, with learning rate 1e+30" in refused(capsys, *small(*flags))
    rows = history(tmp_path / "out")
    assert [row["epoch"] for row in rows] == ["1"]


def test_a_missing_library_ends_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("ANYNET_BACKEND", "cupy")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused(capsys, "train")
    pip = "pip install 'cupy-cuda12x[ctk]', or 'cupy-cuda13x[ctk]' for CUDA 13"
    assert said == f"anynet: cupy is not installed; install it with: {pip}\n"


def test_flags_win_over_the_preset(tmp_path):
    cli.main(["train", "--preset", "garcia-sanz/3", "--epochs", "1", "--lr", "0.01", "--run", "out"])
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())
    assert (config["l2"], config["hidden"], config["train"]) == (0.1, "", "data_batch_1")
    assert (config["lr"], config["epochs"]) == (0.01, 1)


@pytest.mark.parametrize("name", presets())
def test_presets_fit(name, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr("anynet.experiment.train", lambda config, run: trained.append(config) or sys.exit(0))
    with pytest.raises(SystemExit, match="0"):
        cli.main(["train", "--preset", name])
    assert trained != [Config()]


def test_a_preset_with_an_unknown_setting_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(cli, "find_preset", lambda name: {"learning_rate": 0.1})
    said = " ".join(refused(capsys, "train", "--preset", "mine/1").replace("│", " ").split())
    assert "learning_rate" in said
    assert "mine/1" in said


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "has not come to its end"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"short"), "not a whole safetensors file"),
        (lambda folder: (folder / "config.toml").unlink(), "expected the folder of a run"),
        (lambda folder: (folder / "config.toml").write_text("hiden = 3"), "Did you mean --hidden"),
        (lambda folder: (folder / "config.toml").write_text("lr = -1"), "config.toml. Must be > 0"),
        (lambda folder: (folder / "config.toml").write_text("lr = "), "config.toml: Invalid value"),
        (lambda folder: (folder / "config.toml").write_text('hidden = "30"'), "are not those of the net that"),
        (lambda folder: (folder / "image.png").write_text("no image"), "image.png: expected an image file"),
        (lambda folder: (folder / "image.png").unlink(), "image.png: there is no such file"),
    ],
)
def test_predict_names_the_file_that_is_not_right(tmp_path, capsys, spoil, message):
    train()
    Image.new("RGB", (40, 40)).save("out/image.png")
    spoil(tmp_path / "out")
    capsys.readouterr()
    assert message in refused(capsys, "predict", "out", "out/image.png")


def test_predict_wants_an_image(capsys):
    assert "name an image file at least" in refused(capsys, "predict", "out")


def test_runs_are_named_after_the_time_and_never_the_same(tmp_path):
    flags = ["--train", "400", "--val", "100", "--hidden", "", "--epochs", "1"]
    for _ in range(2):
        cli.main(["train", *flags])
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_data_says_what_was_found(capsys):
    cli.main(["data", "synthetic"])
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "synthetic, not the official files",
        *(f"data_batch_{i}: 100 images" for i in range(1, 6)),
        "test_batch: 100 images",
    ]


def test_data_knows_the_official_files(capsys, real_cifar10):
    cli.main(["data", real_cifar10])
    assert "test_batch: " in capsys.readouterr().out


def test_stopped_before_there_was_anything(tmp_path, capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("anynet.experiment.fit", interrupt)
    with pytest.raises(SystemExit) as end:
        train()
    assert end.value.code == 130
    assert capsys.readouterr().err.endswith("anynet: stopped by hand before there was anything to keep\n")
    assert list(tmp_path.iterdir()) == []


def test_out_of_memory_ends_in_one_line(capsys, monkeypatch):
    def exhausted(*args, **kwargs):
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr("anynet.experiment.fit", exhausted)
    said = refused(capsys, *small()).splitlines()[-1]
    assert said.startswith("anynet: out of memory: Unable to allocate 9 TiB; a smaller net, batch or --memory-budget")


def test_class_templates_show_the_weights():
    weights = np.zeros((3072, 10))
    weights[:1024, 3] = np.linspace(-1, 1, 1024)  # class 3 looks for red, more and more downwards
    figure = plots.weights(weights, "title", [f"class {i}" for i in range(10)])
    axes = figure.axes[3]
    assert axes.get_title() == "class 3"
    picture = axes.images[0].get_array()
    assert picture.shape == (32, 32, 3)
    np.testing.assert_allclose(picture[..., 0].ravel(), np.linspace(0, 1, 1024))
    np.testing.assert_allclose(picture[..., 1:], 0.5)
