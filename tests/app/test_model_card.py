"""Model cards of runs and sweeps: metadata, and the command that makes the run again."""

import json
import re
import shlex
import shutil
from dataclasses import replace

import pytest
import yaml

from anynet.app import cli
from anynet.app.config_file import read_config
from anynet.app.keeping import draw_all
from anynet.app.model_card.card_parts import table
from anynet.app.model_card.own_cards import own_cards
from anynet.app.model_card.run_card import run_card
from anynet.app.resuming import read_points
from anynet.app.sweep import sweep_points

SECTIONS = ["Results", "Data", "Net", "Training", "Use", "Make it again", "Limitations", "Environment"]


def parts(folder):
    """Return metadata and text of a card."""
    _, matter, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(matter), text


def parsed(text):
    """Return the arguments that the command in a card means."""
    (command,) = re.findall(r"^    (python train\.py .*)$", text, re.MULTILINE)
    _, bound, _ = cli.app.parse_args(["train", *shlex.split(command)[2:]], print_error=False, exit_on_error=False)
    return bound.arguments


def test_the_card_of_a_run(trained):
    matter, text = parts(trained.folder)
    result = json.loads((trained.folder / "result.json").read_text())
    (model,) = matter.pop("model-index")
    assert matter == {
        "license": "unknown",
        "library_name": "anynet",
        "pipeline_tag": "image-classification",
        "tags": ["anynet", "image-classification"],
        "metrics": ["accuracy"],
    }
    assert model["name"] == "synthetic-out"
    (tested,) = model["results"]
    assert tested["task"]["type"] == "image-classification"
    assert tested["dataset"] == {"type": "synthetic", "name": "synthetic", "split": "test"}
    assert tested["metrics"][0]["type"] == "accuracy"
    assert tested["metrics"][0]["value"] == result["best_test_accuracy"]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    for name in re.findall(r"\]\(([^)]*)\)", text):
        assert (trained.folder / name).exists()
    assert parsed(text)["config"] == read_config(trained.folder / "config.toml")
    for line in text.partition("```text\n")[2].partition("```")[0].splitlines():
        assert len(line) <= 80


def test_the_card_of_a_sweep(swept):
    matter, text = parts(swept.folder)
    result = json.loads((swept.folder / "result.json").read_text())
    (tested,) = matter["model-index"][0]["results"]
    assert tested["metrics"][0]["value"] == result["ensemble_test_accuracy"]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    arguments = parsed(text)
    config = arguments["config"]
    points = sweep_points(config, arguments["sweep"], arguments["seeds"])
    assert points == read_points(swept.folder)
    for k, point in enumerate(points):
        member = read_config(swept.folder / f"member-{k}" / "config.toml")
        assert replace(config, order_seed=config.order, **point) == member
        assert parsed(parts(swept.folder / f"member-{k}")[1])["config"] == member


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ('data = "synthetic"', 'data = "auto"'),
        ("flip = false", "flip = true"),
        ('hidden = "20"', 'hidden = ""'),
        ("lr = 0.02", "lr = 1e-05"),
        ("seed = 42", "seed = 7\ntest = 50\nclip_norm = 0.5"),
    ],
)
def test_the_command_has_all_settings(trained, tmp_path, line, other):
    for name in ("history.csv", "result.json", "model.safetensors"):
        (tmp_path / name).symlink_to(trained.folder / name)
    settings = (trained.folder / "config.toml").read_text()
    assert line in settings
    (tmp_path / "config.toml").write_text(settings.replace(line, other))
    expected = read_config(tmp_path / "config.toml")
    found = parsed(run_card(tmp_path))["config"]
    assert found == (replace(expected, data="synthetic") if expected.data == "auto" else expected)


def test_a_biased_test_is_told_and_left_out_of_the_metadata(trained, tmp_path):
    for name in ("history.csv", "model.safetensors"):
        (tmp_path / name).symlink_to(trained.folder / name)
    settings = (trained.folder / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(settings.replace('val = "100"', 'val = "test_batch"'))
    result = json.loads((trained.folder / "result.json").read_text())
    result |= {"best_test_accuracy": 0.9, "test_accuracy": 0.8, "dataset": "cifar10"}
    (tmp_path / "result.json").write_text(json.dumps(result))
    draw_all(own_cards(tmp_path))
    matter, text = parts(tmp_path)
    assert matter["datasets"] == ["uoft-cs/cifar10"]
    assert matter["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.8
    assert "its test accuracy is too high" in text


def test_a_damaged_run_has_no_card_and_a_line(trained, tmp_path, capsys):
    for name in ("history.csv", "config.toml", "model.safetensors"):
        (tmp_path / name).symlink_to(trained.folder / name)
    (tmp_path / "result.json").write_text("{")
    draw_all(own_cards(tmp_path))
    assert "README.md not made" in capsys.readouterr().err
    assert not (tmp_path / "README.md").exists()


def test_names_are_text(trained, tmp_path):
    folder = tmp_path / "a\n# <b>"
    shutil.copytree(trained.folder, folder)
    analysis = json.loads((folder / "analysis.json").read_text())
    analysis["classes"] = ["<script>", "*a*", "[b](c)", "`d`", *analysis["classes"][4:]]
    (folder / "analysis.json").write_text(json.dumps(analysis))
    draw_all(own_cards(folder))
    _, text = parts(folder)
    assert text.startswith("\n# synthetic: a # \\<b\\>\n")
    assert not re.search(r"(?<!\\)<script>|(?<!\\)\*a|(?<!\\)\[b\]", text)
    assert table(["a", "b|c"], [["<d>", "1"]]).splitlines()[::2] == ["| a | b\\|c |", "| \\<d> | 1 |"]
