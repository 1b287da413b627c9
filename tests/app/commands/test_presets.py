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
    cli.main(["train", "--preset", "garcia-sanz/3", "--epochs", "1", "--lr", "0.01", "--run", "out"])
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())
    assert (config["l2"], config["hidden"], config["train"]) == (0.1, "", "data_batch_1")
    assert (config["lr"], config["epochs"]) == (0.01, 1)


def test_the_shared_settings_of_a_sweep_are_no_preset(capsys, seeded):
    path = seeded.folder / "config.toml"
    member = seeded.folder / "member-0" / "config.toml"
    said = refused(capsys, "train", "--preset", str(path), "--run", "again")
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


def test_the_list_has_every_preset_with_its_settings_and_claims(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "300")
    cli.main(["presets"])
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert presets().keys() <= rows.keys()
    assert "l2 0.1" in rows["garcia-sanz/3"]
    assert "39.59%" in rows["garcia-sanz/3"]
