"""``python -m anynet lr``, from what is typed to what is printed and drawn."""

import re

import pytest
from commands import refused
from PIL import Image

from anynet.app import cli

pytestmark = pytest.mark.usefixtures("few_pictures")

SMALL = ["lr", "--train", "400", "--val", "100", "--batch-size", "50"]


def test_a_rate_is_suggested_and_drawn(tmp_path, capsys):
    """One layer without batch normalization diverges; its picture is written, and nothing else."""
    cli.main([*SMALL, "--hidden", "", "--plot", "rates.png"])
    said = capsys.readouterr()
    found = re.fullmatch(r"--lr (\S+): there the loss falls fastest; it diverges at (\S+)\n", said.out)
    suggestion, end = map(float, found.groups())
    assert 1e-5 < suggestion < end / 5 < 1
    assert "400 training" in said.err
    with Image.open("rates.png") as picture:
        assert min(picture.size) > 100
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["rates.png"]
    said = refused(capsys, *SMALL, "--plot", "rates.png")
    assert said == "anynet: rates.png: expected a new file, but it exists; choose another name\n"


@pytest.mark.parametrize("name", ["rates", "rates.csv"])
def test_a_picture_that_cannot_be_drawn_is_refused_before_training(tmp_path, capsys, name):
    for command in ("lr", "gradcheck"):
        line = refused(capsys, command, *SMALL[1:], "--plot", name)
        assert line.startswith(f"anynet: {name}: expected a name with .")
        assert ".png" in line
        assert line.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_bounds_are_as_given(capsys):
    cli.main([*SMALL, "--hidden", "20", "--low", "1e-4", "--high", "0.01", "--steps", "30", "--optimizer", "adam"])
    assert capsys.readouterr().out.endswith(": there the loss falls fastest; it does not diverge up to 0.01\n")
    assert "expected 0 < low < high" in refused(capsys, *SMALL, "--low", "2", "--high", "1")
