"""``python -m anynet features`` and ``confusions``, from what is typed to what is printed and drawn."""

from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from commands import refused
from few_images import few_images
from matplotlib.figure import Figure
from PIL import Image

from anynet.app import cli

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.fixture
def photo():
    Image.new("RGB", (60, 40), "navy").save("photo.png")
    return "photo.png"


@pytest.fixture
def drawn(monkeypatch):
    """The arguments of pictures, of which none is drawn."""
    given = []
    for name in ("confused_images", "feature_maps"):
        monkeypatch.setattr(f"anynet.plots.{name}", lambda *args: given.append(args) or Figure())
    return given


def test_outputs_of_a_layer_are_drawn(trained, photo, capsys):
    cli.main(["features", f"{trained.folder}", photo, photo, "--layer", "2"])
    assert capsys.readouterr() == ("outputs of layer 2 are in features.png\n", "")
    with Image.open("features.png") as picture:
        assert min(picture.size) > 100


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_drawn(trained, photo, drawn, capsys):
    said = refused(capsys, "features", f"{trained.folder}", photo, "none.png", "--layer", "0", "--plot", "a.png")
    assert said.startswith("anynet: none.png: ")
    ((images, maps, _),) = drawn
    assert (images.shape, maps.shape) == ((1, 3, 32, 32), (1, 20))
    assert Path("a.png").exists()


def test_what_features_cannot_draw_is_refused_in_one_line(trained, seeded, photo, tmp_path, capsys):
    for tokens, message in (
        ([f"{trained.folder}", "--layer", "2"], "expected one image file or more, got none"),
        ([f"{trained.folder}", photo, "--layer", "7"], 'layer: expected one of 0, 1, 2, 3, got "7"'),
        ([f"{seeded.folder}", photo, "--layer", "2"], "expected one net, got 3; give a member-N folder in it"),
        ([f"{trained.folder}", photo, "--layer", "2", "--plot", photo], "expected a new file"),
    ):
        said = refused(capsys, "features", *tokens)
        assert message in said
        assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [photo]


def test_confused_test_images_are_drawn(trained, capsys):
    cli.main(["confusions", f"{trained.folder}"])
    said = "100 test images of synthetic: those that are confused most are in confusions.png\n"
    assert capsys.readouterr() == (said, "")
    with Image.open("confusions.png") as picture:
        assert min(picture.size) > 800


def test_those_of_an_ensemble_are_drawn(seeded, drawn, capsys):
    cli.main(["confusions", f"{seeded.folder}", "--plot", "members.png"])
    assert capsys.readouterr().out.endswith("those that are confused most are in members.png\n")
    ((images, chances, *_),) = drawn
    assert (images.shape, chances.shape) == ((100, 3, 32, 32), (100, 10))


def test_one_class_may_be_chosen(trained, drawn):
    name = few_images().classes[3]
    cli.main(["confusions", f"{trained.folder}", "--label", name])
    ((images, chances, labels, classes, dataset, only),) = drawn
    assert (images.shape, chances.shape, labels.shape) == ((100, 3, 32, 32), (100, 10), (100,))
    assert (dataset, only, classes[only]) == ("synthetic", 3, name)


def test_confusions_takes_the_file_of_a_net(trained, drawn, capsys):
    for number, flags in enumerate(([], ["--data", "synthetic"])):
        cli.main(["confusions", f"{trained.folder / 'model.safetensors'}", "--plot", f"{number}.png", *flags])
        assert f"are in {number}.png" in capsys.readouterr().out
    assert np.array_equal(drawn[0][1], drawn[1][1])


def test_what_confusions_cannot_draw_is_refused_in_one_line(trained, photo, capsys):
    copyfile(trained.folder / "model.safetensors", "alone.safetensors")
    for tokens, message in (
        (["none"], "none: no such file or folder"),
        (["alone.safetensors"], "expected --data, since no config.toml beside it names the images"),
        ([f"{trained.folder}", "--label", "no"], "label: expected one of "),
        ([f"{trained.folder}", "--data", "digits"], "--data digits: expected the images that the net was trained on"),
        ([f"{trained.folder}", "--plot", photo], "expected a new file"),
    ):
        said = refused(capsys, "confusions", *tokens)
        assert message in said
        assert said.count("\n") == 1
