"""Output of commands on a terminal of 80 columns."""

from types import SimpleNamespace

import pytest

from anynet.app import cli
from anynet.app.search.ranked import Trials
from anynet.app.tables import print_table


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def widths(text):
    return [len(line.rstrip()) for line in text.splitlines()]


@pytest.mark.parametrize("names", [[], ["harish-kumar"], ["airbench94"]])
def test_presets_fit(capsys, names):
    cli.main(["presets", *names])
    out = capsys.readouterr().out
    assert max(widths(out)) <= 80
    assert ("l2 0.000192" in out) == (names == ["harish-kumar"])  # settings stay whole


def test_the_table_of_backends_fits(capsys):
    cli.main(["backends"])
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("│numpy"))
    assert len(row.rstrip()) <= 80
    assert "recorded steps" in row
    assert row.count("GB") in (0, 2)


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("settings", [3, 9])
def test_numbers_of_a_search_are_never_cut(capsys, monkeypatch, settings, columns):
    monkeypatch.setenv("COLUMNS", f"{columns}")
    names = {f"s{i}": 1.23456e-5 * (i + 1) for i in range(settings)}
    trial = SimpleNamespace(
        **{"stage": "coarse", "number": 12, "settings": names, "dataset": "cifar10", "state": "pruned"},
        **{"best_val_accuracy": 0.4321, "best_epoch": 12, "test_accuracy": 0.4},
    )
    print_table(Trials((trial,), {}).table())
    out = capsys.readouterr().out
    assert max(widths(out)) <= columns
    numbers = [f"{value:.3g}" for value in names.values()]
    words = out.replace(",", " ").split()
    assert [word for word in words if word in numbers] == numbers
    assert {"12", "43.21%", "40.00%", "pruned"} < {word.strip(":") for word in words}
    if (settings, columns) == (3, 80):
        (row,) = (line.split() for line in out.splitlines() if "43.21%" in line)
        assert row == ["12", *numbers, "43.21%", "12", "40.00%", "pruned"]
