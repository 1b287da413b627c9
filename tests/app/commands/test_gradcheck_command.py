"""``python -m anynet gradcheck``, from what is typed to what is printed and kept."""

import csv

import pytest
from commands import refused, unframed
from PIL import Image

from anynet import Linear
from anynet.app import cli

pytestmark = pytest.mark.usefixtures("few_pictures")

SMALL = {"--train": "400", "--val": "100", "--hidden": "6,5", "--samples": "8", "--probes": "20"}


def small(*flags):
    """The flags of a small check, those that are given in the place of its own."""
    return ["gradcheck", *(word for pair in SMALL.items() if pair[0] not in flags for word in pair), *flags]


@pytest.mark.parametrize("method", ["finite", "central", "directional"])
def test_a_table_of_all_layers(capsys, method):
    cli.main(small("--method", method))
    said = capsys.readouterr().out
    for word in (
        "0 Linear",
        "0.W",
        "0.b",
        "1 BatchNorm",
        "1.gamma",
        "6.b",
        "input",
        f"{method} differences",
        "agree to",
    ):
        assert word in said
    assert max(map(len, said.splitlines())) <= 80


def test_the_table_as_csv(tmp_path):
    cli.main(small("--csv", "table.csv"))
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["array"] for row in rows][:3] == ["0.W", "0.b", "1.gamma"]
    assert {row["passed"] for row in rows} == {"True"}
    assert all(float(row["largest relative error"]) < 1e-6 for row in rows)


def test_the_error_by_step_as_a_picture(tmp_path):
    cli.main(small("--hidden", "", "--samples", "2", "--probes", "2", "--plot", "steps.png"))
    with Image.open(tmp_path / "steps.png") as picture:
        assert min(picture.size) > 100


def test_presets_and_backends(capsys, backend_here):
    cli.main(["gradcheck", "--preset", "garcia-sanz/3", "--probes", "5", "--backend", backend_here.name])
    assert "all gradients agree to 1e-06" in capsys.readouterr().out


def test_a_wrong_gradient_ends_in_code_1(monkeypatch, capsys):
    right = Linear.parameter_gradients

    def wrong(layer, params, cache, dy):
        return {name: 1.01 * gradient for name, gradient in right(layer, params, cache, dy).items()}

    monkeypatch.setattr(Linear, "parameter_gradients", wrong)
    with pytest.raises(SystemExit) as end:
        cli.main(small("--probes", "3"))
    assert end.value.code == 1
    assert "wrong gradient with respect to 0.W, 3.W" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--samples", "401"], "--samples: expected 1 to 400, the number of training images, got 401"),
        (["--dtype", "float32"], "tolerance: expected 2.4e-03 or more, which central differences attain in float32"),
        (["--tolerance", "1e-15"], "tolerance: expected 3.7e-09 or more, which central differences attain in float64"),
        (["--method", "centred"], 'Did you mean "central"?'),
        (["--step", "0"], "Must be > 0"),
        (["--probes", "0"], "Must be >= 1"),
        (["--csv", "there.csv"], "there.csv: expected a new file"),
        (["--plot", "nowhere/steps.png"], "its folder nowhere does not exist"),
        (["--samples", "1"], "--samples: expected 2 or more"),
    ],
)
def test_bad_input_is_refused(tmp_path, capsys, flags, message):
    (tmp_path / "there.csv").write_text("precious")
    assert message in unframed(refused(capsys, *small(*flags)))
    assert (tmp_path / "there.csv").read_text() == "precious"


def test_float32_where_the_tolerance_holds(capsys):
    cli.main(small("--dtype", "float32", "--tolerance", "0.01", "--activation", "tanh"))
    assert "all gradients agree to 0.01" in capsys.readouterr().out
