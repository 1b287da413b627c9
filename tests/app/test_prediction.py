"""A run's folder put to use: its best net comes back whole and names the classes of images."""

import json
import os
import shutil

import numpy as np
import pytest
from commands import refused
from few_images import few_images
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import anynet
from anynet.app import cli
from anynet.app.prediction import load_run
from anynet.core.errors import FileError

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.fixture
def out(tmp_path, trained):
    """A run's folder that may be written to."""
    return shutil.copytree(trained.folder, tmp_path / "out")


def test_the_best_net_comes_back_whole(trained, backend_here):
    test = few_images().splits["test_batch"]
    found = load_run(trained.folder, backend_here).predict_proba(test.x).argmax(axis=1)
    result = json.loads((trained.folder / "result.json").read_text())
    assert np.mean(found == test.y) == pytest.approx(result["best_test_accuracy"])


@pytest.mark.usefixtures("out")
def test_predict_names_the_class_of_an_image(tmp_path, capsys):
    test = few_images().splits["test_batch"]
    pictures = test.x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    files = [str(tmp_path / f"{i}.png") for i in range(20)]
    for file, picture in zip(files, pictures, strict=False):
        Image.fromarray(picture).save(file)
    cli.main(["predict", "out", *files])
    lines = capsys.readouterr().out.splitlines()

    predictor = load_run(tmp_path / "out", cli.anynet.backend("numpy"))
    best = predictor.predict_proba(test.x[:20]).argmax(axis=1)
    assert [line.split(" ")[0] for line in lines] == [f"{file}:" for file in files]
    for line, k in zip(lines, best, strict=True):
        assert line.split(": ")[1].startswith(predictor.classes[k])
        assert line.endswith(" (trained on synthetic)")


@pytest.mark.usefixtures("out")
def test_predict_takes_the_middle_square_of_any_picture(tmp_path, capsys):
    square = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, 16:48] = square
    for name, picture in (("square.png", square), ("wide.png", wide)):
        Image.fromarray(picture).save(tmp_path / name)
    cli.main(["predict", "out", "square.png", "wide.png"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.removeprefix("square.png") == second.removeprefix("wide.png")


@pytest.mark.usefixtures("out")
def test_predict_names_every_bad_file_and_classifies_the_others(capsys):
    Image.new("RGB", (40, 40), "red").save("red.png")
    Image.new("RGB", (40, 40), "blue").save("blue.png")
    with open("text.png", "w") as file:
        file.write("no image")
    cli.main(["predict", "out", "red.png", "blue.png"])
    expected = capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        cli.main(["predict", "out", "none.png", "red.png", "text.png", "blue.png", "."])
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == expected
    assert [line.split(": ")[:2] for line in err.splitlines()] == [["anynet", x] for x in ("none.png", "text.png", ".")]


@pytest.mark.usefixtures("out")
def test_predict_reports_that_an_animation_has_more_images(capsys):
    red, blue = (Image.new("RGB", (40, 40), color) for color in ("red", "blue"))
    red.save("red.png")
    red.save("both.gif", save_all=True, append_images=[blue])
    cli.main(["predict", "out", "red.png", "both.gif"])
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert second == first.replace("red.png", "both.gif")
    assert err == "both.gif: holds several images; the first is classified\n"


@pytest.mark.usefixtures("out")
@pytest.mark.parametrize(("options", "color"), [((), "white"), (("--background", "navy"), "navy")])
def test_predict_puts_the_background_behind_transparent_pixels(capsys, options, color):
    Image.new("RGB", (40, 40), color).save("plain.png")
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save("clear.png")
    cli.main(["predict", "out", "plain.png", "clear.png", *options])
    first, second = capsys.readouterr().out.splitlines()
    assert second == first.replace("plain.png", "clear.png")


def test_predict_refuses_an_unknown_background(capsys):
    assert "--background: expected a color name" in refused(capsys, "predict", "out", "a.png", "--background", "x")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "diverged or is not finished"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"short"),
            "expected a safetensors file, got 5 byte",
        ),
        (lambda folder: (folder / "config.toml").unlink(), "expected the folder of a run"),
        (lambda folder: (folder / "image.png").write_text("no image"), "image.png: expected an image file in PNG"),
        (lambda folder: (folder / "image.png").unlink(), "got no such file"),
    ],
)
def test_predict_names_the_file_that_is_not_right(out, capsys, spoil, message):
    Image.new("RGB", (40, 40)).save("out/image.png")
    spoil(out)
    assert message in refused(capsys, "predict", "out", "out/image.png")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.parametrize("name", ["model.safetensors", "config.toml"])
@pytest.mark.parametrize(
    ("make", "kind"), [(os.mkdir, "a folder"), (lambda path: os.mkfifo(path), "a device or a pipe")]
)
def test_predict_says_what_is_in_the_place_of_a_file(out, capsys, name, make, kind):
    (out / name).unlink()
    make(out / name)
    assert f"out/{name}: expected a file, got {kind}; " in refused(capsys, "predict", "out", "image.png")


def test_predict_takes_a_file_that_was_saved(out, tmp_path, capsys):
    Image.new("RGB", (40, 40), "red").save("red.png")
    anynet.load(out).save(tmp_path / "kept.safetensors")
    said = []
    for net in ("out", "kept.safetensors"):
        cli.main(["predict", net, "red.png"])
        said.append(capsys.readouterr().out)
    assert said[0].startswith("red.png: ")
    assert said[1] == said[0]


@pytest.mark.usefixtures("out")
def test_predict_says_what_nets_can_be_loaded_from(capsys):
    Image.new("RGB", (40, 40), "red").save("red.png")
    expected = "expected the folder of a run or a sweep, or a file that Run.save wrote"
    other = f"{expected}, got a file that is not a safetensors file; choose another\n"
    assert refused(capsys, "predict", "red.png", "red.png") == f"anynet: red.png: {other}"
    assert refused(capsys, "predict", "out/config.toml", "red.png") == f"anynet: out/config.toml: {other}"
    assert refused(capsys, "predict", "none", "red.png") == f"anynet: none: no such file or folder; {expected}\n"


@pytest.mark.usefixtures("out")
def test_names_of_images_are_printed_in_one_line(capsys):
    Image.new("RGB", (40, 40), "red").save("a\nb.png")
    cli.main(["predict", "out", "a\nb.png"])
    assert capsys.readouterr().out.startswith("a b.png: ")


def test_predict_wants_an_image(capsys):
    assert "expected one image file or more" in refused(capsys, "predict", "out")


def test_a_net_of_an_earlier_version_predicts_the_same(out):
    x = few_images().splits["test_batch"].x
    now = load_run(out, anynet.backend("numpy")).predict_proba(x)
    file = out / "model.safetensors"
    with safe_open(file, "numpy") as opened:
        known = opened.metadata()
    tensors = {name: array for name, array in load_file(file).items() if name != "history"}
    older = {key: known[key] for key in ("classes", "dataset")}
    save_file(tensors, file, older)
    np.testing.assert_array_equal(load_run(out, anynet.backend("numpy")).predict_proba(x), now)
    with pytest.raises(FileError, match=r"a net of an earlier version of anynet; python -m anynet predict"):
        anynet.load(out)

    del tensors["input.scale"]
    save_file(tensors, file, older)
    with pytest.raises(FileError, match=r'tensor "input\.scale": expected an array, got nothing'):
        load_run(out, anynet.backend("numpy"))


def test_pictures_are_scaled_to_the_images_of_the_net(tmp_path, capsys):
    rng = np.random.default_rng(0)
    images = anynet.data.Split(rng.integers(0, 256, (20, 9, 5), np.uint8), np.arange(20) % 2)
    data = anynet.data.Dataset("gray", ("dark", "light"), images, images, images)
    net = anynet.Sequential(anynet.Linear(45, 2))
    run = anynet.fit(net, data, anynet.SGD(0.1), epochs=3, batch_size=5, progress=False)
    run.save(tmp_path / "gray.safetensors")
    files = [str(tmp_path / f"{i}.png") for i in range(20)]
    for file, image in zip(files, images.x, strict=True):
        Image.fromarray(image.reshape(9, 5)).save(file)
    cli.main(["predict", str(tmp_path / "gray.safetensors"), *files])
    best = run.predict_proba(images.x).argmax(axis=1)
    found = [line.split(": ")[1].split(" ")[0] for line in capsys.readouterr().out.splitlines()]
    assert found == [data.classes[k] for k in best]
    np.testing.assert_array_equal(run.predict_proba(images.x.reshape(-1, 9, 5)), run.predict_proba(images.x))


@pytest.mark.parametrize(
    ("x", "y", "got"),
    [
        (np.zeros((4, 6), np.uint8), np.arange(4) % 2, "(6,)"),
        (np.zeros((4, 3, 2, 2)), np.arange(4) % 2, "(3, 2, 2) of floating-point numbers"),
        (np.zeros((4, 1, 2, 2), np.uint8), np.arange(4.0), "(1, 2, 2) that predicts numbers"),
    ],
)
def test_predict_refuses_pictures_for_a_net_of_other_data(tmp_path, capsys, x, y, got):
    data = anynet.data.from_arrays(x, y)
    net = anynet.Sequential(anynet.Linear(x[0].size, data.n_out))
    run = anynet.fit(net, data, anynet.SGD(0.1), epochs=1, batch_size=2)
    run.save(tmp_path / "values.safetensors")
    wanted = "expected a net for uint8 images of 1 or 3 channels that gives classes, got one for"
    said = refused(capsys, "predict", str(tmp_path / "values.safetensors"), "a.png")
    assert said.endswith(f"{wanted} {got}; anynet.load and Run.predict take arrays\n")
