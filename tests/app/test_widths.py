"""Output of commands on a terminal of 80 columns."""

from types import SimpleNamespace

import pytest
import rich

from anynet.app import cli
from anynet.app.commands.search import _table


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def widths(text):
    return [len(line.rstrip()) for line in text.splitlines()]


def test_the_list_of_presets_fits(capsys):
    cli.main(["presets"])
    out = capsys.readouterr().out
    assert max(widths(out)) <= 80
    assert "l2 0.000192" in out  # settings stay whole
    assert "  garcia-sanz/3  l2 0.1, lr 0.001; test accuracy 39.59% in the report\n" in out


def test_the_table_of_backends_fits(capsys):
    cli.main(["backends"])
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("│numpy"))
    assert len(row.rstrip()) <= 80
    assert "recorded steps" in row
    assert row.count("GB") in (0, 2)


@pytest.mark.parametrize(("settings", "fits"), [(3, True), (9, False)])
def test_numbers_of_a_search_are_never_cut(capsys, settings, fits):
    names = {f"s{i}": 1.23456e-5 * (i + 1) for i in range(settings)}
    trial = SimpleNamespace(
        **{"stage": "coarse", "number": 12, "settings": names, "dataset": "cifar10", "state": "pruned"},
        **{"best_val_accuracy": 0.4321, "best_epoch": 12, "test_accuracy": 0.4},
    )
    rich.get_console().print(_table([trial]), crop=False)
    out = capsys.readouterr().out
    (row,) = (line.split() for line in out.splitlines() if "coarse" in line)
    assert row == ["coarse", "12", *(f"{value:g}" for value in names.values()), "43.21%", "12", "40.00%", "pruned"]
    assert (max(widths(out)) <= 80) == fits
