"""Presets, and the flags that win over them."""

import sys
import tomllib

import pytest
from commands import refused, unframed

from anynet.app import cli
from anynet.app.config import Config
from anynet.app.reports import presets

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.mark.usefixtures("blank_plots")
def test_flags_win_over_the_preset(tmp_path):
    cli.main(["train", "--preset", "garcia-sanz/3", "--epochs", "1", "--lr", "0.01", "--out", "out"])
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())
    assert (config["l2"], config["hidden"], config["train"]) == (0.1, "", "data_batch_1")
    assert (config["lr"], config["epochs"]) == (0.01, 1)


def test_the_shared_settings_of_a_sweep_are_no_preset(capsys, seeded):
    path = seeded.folder / "config.toml"
    member = seeded.folder / "member-0" / "config.toml"
    said = refused(capsys, "train", "--preset", str(path), "--out", "again")
    expected = "expected all settings of a run, got those that the members of a sweep share"
    assert said == f"anynet: {path}: {expected}; choose a member's, such as {member}\n"


@pytest.mark.parametrize("content", ["", "# lr = 0.1\n"])
def test_a_preset_without_a_setting_is_refused(tmp_path, capsys, content):
    (tmp_path / "mine.toml").write_text(content)
    said = refused(capsys, "train", "--preset", "mine.toml")
    assert said.startswith("anynet: mine.toml: expected one setting or more, such as lr = 0.01, got none; ")


@pytest.mark.parametrize("name", {name.split("/")[0]: name for name in presets()}.values())
def test_presets_fit(name, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr(
        "anynet.app.commands.train.train_run", lambda config, *_, **how: trained.append(config) or sys.exit(0)
    )
    with pytest.raises(SystemExit, match="0"):
        cli.main(["train", "--preset", name])
    assert trained != [Config()]


def test_a_preset_with_an_unknown_setting_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(cli, "find_preset", lambda name: ({"learning_rate": 0.1}, "mine.toml"))
    said = unframed(refused(capsys, "train", "--preset", "mine/1"))
    assert "learning_rate" in said
    assert "mine.toml" in said


def listed(capsys, *names):
    cli.main(["presets", *names])
    return capsys.readouterr().out


def test_the_list_is_short_and_has_every_preset(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    out, found, group = listed(capsys), set(), ""
    assert len(out.splitlines()) <= 40
    for line in out.splitlines():
        if not line.startswith(" "):
            group = line.split()[0] if "/  " in line else ""
        else:
            found |= {group + name for name in line.strip(" ,").split(", ")}
    assert found == presets().keys()


def test_a_report_has_the_settings_and_results_of_its_presets(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "300")
    rows = {line.split()[0]: line for line in listed(capsys, "garcia-sanz").splitlines()}
    assert {name for name in presets() if name.startswith("garcia-sanz/")} < rows.keys()
    assert "l2 0.1, lr 0.001; test accuracy 39.59% in the report" in rows["garcia-sanz/3"]
    assert "hidden none" in rows["all:"]


@pytest.mark.parametrize("name", ["resnet9", "garcia-sanz/3"])
def test_one_preset_has_all_of_its_settings(monkeypatch, capsys, name):
    monkeypatch.setenv("COLUMNS", "1000")
    line = listed(capsys, name)
    assert line.startswith(f"{name}  ")
    assert all(f"{setting} " in line for setting in presets()[name])


def test_a_preset_that_is_none_is_refused(capsys):
    said = refused(capsys, "presets", "resnet8")
    assert said.startswith('anynet: presets: there is no preset or report "resnet8"; did you mean "resnet18" or ')
