"""``python train.py --profile``, from what is typed to what is printed."""

import pytest
from commands import refused, unframed
from on_backends import compiling, on_backends

from anynet.app import cli
from anynet.app.profiling import timing

pytestmark = pytest.mark.usefixtures("few_pictures")

SMALL = ["train", "--profile", "--train", "400", "--val", "100", "--hidden", "20,10"]


@on_backends("optimizer", ["adam"], fast=compiling())
def test_a_table_of_all_layers_and_nothing_written(tmp_path, capsys, backend_here, optimizer, monkeypatch):
    monkeypatch.setattr(timing, "ROUNDS", 1)
    cli.main([*SMALL, "--backend", backend_here.name, "--flip", "--crop", "2", "--optimizer", optimizer])
    said = capsys.readouterr().out
    for word in (
        "Microseconds of a training step: 100 images",
        f"{backend_here.name} on",
        "load",
        "0 Linear 3072-20",
        "1 BatchNorm 20",
        "2 ReLU",
        "3 Linear 20-10",
        "6 Linear 10-10",
        "loss",
        "update",
        "total",
        "images/s",
    ):
        assert word in said
    assert max(map(len, said.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == []


def test_presets_and_a_single_layer(capsys, monkeypatch):
    monkeypatch.setattr(timing, "ROUNDS", 1)
    cli.main([*SMALL[:-2], "--preset", "garcia-sanz/2", "--batch-size", "400"])
    said = capsys.readouterr().out
    assert "0 Linear 3072-10" in said
    assert "400 images" in said


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--out", "out"], "--profile: expected no --out, --seeds, --sweep or --log with it"),
        (["--memory-budget", "0"], "more than --memory-budget"),
        (["--batch-size", "401"], "expected 1 to 400"),
        (["--backend", "nunpy"], 'did you mean "numpy"'),
    ],
)
def test_bad_input_is_refused(tmp_path, capsys, flags, message):
    assert message in unframed(refused(capsys, *SMALL, *flags))
    assert list(tmp_path.iterdir()) == []
