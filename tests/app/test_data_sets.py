"""Data sets other than CIFAR-10 on the command line: images of any size, in folders or downloaded."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import refused, small
from PIL import Image
from test_downloaded_sets import mirror, publish

from anynet.app import cli
from anynet.data import load

__all__ = ["mirror"]  # a fixture

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def draw(folder: Path, *, bright: bool, count: int = 60) -> None:
    """Save gray images of 7 x 5 pixels, bright in the upper or in the lower half."""
    folder.mkdir(parents=True)
    for number in range(count):
        values = RNG.integers(0, 90, (7, 5), np.uint8)
        half = values[:3] if bright else values[4:]
        half += 120
        Image.fromarray(values).save(folder / f"{number}.png")


@pytest.fixture
def halves() -> Path:
    for name in ("upper", "lower"):
        draw(Path("halves") / name, bright=name == "upper")
    return Path("halves")


def train(data: str, **settings: str) -> dict:
    options = {"train": "auto", "val": "auto", "hidden": "8", "batch-size": "10", "epochs": "2"} | settings
    cli.main(["train", "--out", "out", "--data", data, *(f"--{name}={value}" for name, value in options.items())])
    return json.loads(Path("out/result.json").read_text())


def test_a_folder_of_class_folders_is_trained_on_and_predicts_image_files(halves, capsys):
    result = train("halves", epochs="5")
    assert (result["dataset"], result["official"]) == ("halves", False)
    assert result["best_test_accuracy"] == 1
    assert "halves: 90 training, 10 validation and 20 test images" in capsys.readouterr().err
    cli.main(["predict", "out", "halves/upper/0.png", "halves/lower/0.png"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("halves/upper/0.png: upper")
    assert second.startswith("halves/lower/0.png: lower")


def test_data_says_what_a_folder_holds(halves, capsys):
    cli.main(["data", f"{halves}"])
    assert capsys.readouterr().out.splitlines() == [
        "halves: 2 classes, images of shape (1, 7, 5)", "train: 100 images", "test: 20 images",
    ]  # fmt: skip


def test_files_that_are_no_images_are_one_line(halves, capsys):
    (halves / "upper" / "notes.txt").write_text("no image")
    said = refused(capsys, *small("--data", f"{halves}"))
    assert said.startswith("anynet: halves/upper/notes.txt: expected an image file in PNG, ")
    assert said.count("\n") == 1
    assert not Path("out").exists()


def test_batch_files_are_those_of_cifar10_alone(halves, capsys):
    said = refused(capsys, *small("--data", f"{halves}", "--train", "data_batch_1"))
    assert said == (
        'anynet: --train: expected a number of images or "auto", since this set has no batch files; '
        'got "data_batch_1"\n'
    )


def test_fashion_mnist_is_downloaded_from_a_mirror_verified_and_trained_on(mirror, monkeypatch, capsys):
    labels = np.arange(200, dtype=np.uint8) % 10
    images = RNG.integers(0, 60, (200, 28, 28), np.uint8)
    images[np.arange(200), 2 * labels + 4] += 180  # a line for each class
    publish(monkeypatch, mirror.folder / "fashion-mnist", "fashion-mnist", images, labels, images[:50], labels[:50])
    cli.main(["data", "fashion-mnist"])
    assert capsys.readouterr().out.splitlines() == [
        "fashion-mnist, the official files: 10 classes, images of shape (1, 28, 28)",
        "train: 200 images",
        "test: 50 images",
    ]
    result = train("fashion-mnist", epochs="5")
    assert (result["dataset"], result["official"]) == ("fashion-mnist", True)
    assert result["best_test_accuracy"] > 0.9
    assert len(mirror.asked) == 4


def test_digits_need_no_network():
    pytest.importorskip("sklearn", reason="scikit-learn, which contains the digits, is not installed")
    result = train("digits", epochs="4", hidden="50")
    assert result["dataset"] == "digits"
    assert result["best_test_accuracy"] > 0.9
    assert len(load("digits").test) == 300


def test_all_training_images_are_trained_on_without_validation(halves):
    result = train("halves", val="0", epochs="5")
    assert result["best_test_accuracy"] == 1
    assert "val_accuracy" not in Path("out/history.csv").read_text().splitlines()[0]
