"""The settings of a run, in a file that lies: every one is required, of its type, and named."""

import tomllib
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from commands import refused

import anynet as an
from anynet.app.build_net import make_net
from anynet.app.config import LAYER_SETTINGS, Config
from anynet.app.config_file import ABSENT, read_config, write_config
from anynet.core.errors import FileError
from anynet.nn.losses import BY_NAME
from anynet.nn.perceptron import ACTIVATIONS, NORMS

CONFIG = Config(
    hidden="20,10",
    activation="tanh",
    backend="numpy",
    clip_norm=2.5,
    order_seed=3,
    memory_budget=0.5,
    ema=0.9,
    test=7,
    patience=4,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    write_config(CONFIG, file)
    return file


def said(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        read_config(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.isprintable()
    return message.removeprefix(str(path))


def test_settings_come_back(path):
    assert read_config(path) == CONFIG
    for config in (Config(), Config(lookahead="5:0.5")):
        write_config(config, path)
        assert read_config(path) == config
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def test_a_setting_that_older_files_lack_is_off(path):
    write_config(CONFIG, path, without=["weight_decay"])
    assert read_config(path) == CONFIG
    assert read_config(path, {"weight_decay": 0.5}).weight_decay == 0.5
    write_config(replace(CONFIG, weight_decay=0.5), path)
    assert read_config(path).weight_decay == 0.5


@pytest.mark.parametrize(("batch_norm", "norm"), [(True, "batch"), (False, "none")])
def test_batch_norm_of_older_files_is_norm(path, batch_norm, norm):
    text = path.read_text().replace('norm = "batch"', f"batch_norm = {str(batch_norm).lower()}")
    path.write_text("\n".join(line for line in text.splitlines() if not line.startswith("dropout")))
    assert read_config(path) == replace(CONFIG, norm=norm)
    path.write_text(text.replace("batch_norm = ", "batch_norm = 3 # "))
    assert said(path).startswith(", setting norm: expected a value, got nothing")
    path.write_text(f'{text}\nnorm = "none"')
    assert said(path).startswith(", setting batch_norm: expected a setting of a run, got an unknown name")


def test_a_net_of_a_module_has_no_settings_of_layers(path):
    config = Config(net="mynets:make", optimizer="mynets:Slow")
    write_config(config, path)
    assert read_config(path) == config
    assert tomllib.loads(path.read_text()).keys().isdisjoint(LAYER_SETTINGS)


def test_a_file_cut_behind_any_line_is_refused(path):
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == len(fields(Config)) - 2  # without a net of one's own, and without Lookahead
    optional = {name for name, default in asdict(Config()).items() if default is None or name in ABSENT}
    for kept in range(len(lines)):
        required = [name for line in lines[kept:] if (name := line.decode().split(" ")[0]) not in optional]
        path.write_bytes(b"".join(lines[:kept]))
        if required:
            advice = "add the value that the training had; the default is now"
            assert said(path).startswith(f", setting {required[0]}: expected a value, got nothing; {advice} ")
        else:
            assert read_config(path).hidden == "20,10"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lr", '"0.1"', ", setting lr: expected a number, got '0.1'"),
        ("lr", "true", ", setting lr: expected a number, got True"),
        ("lr", "-1.0", "Must be > 0"),
        ("lr", "nan", "Must be < inf"),
        ("epochs", "1.5", ", setting epochs: expected a whole number, got 1.5"),
        ("epochs", "[1]", ", setting epochs: expected a text, a number or a boolean, got a list"),
        ("hidden", "20", ", setting hidden: expected a text, got 20"),
        ("flip", "1", ", setting flip: expected true or false, got 1"),
        ("order_seed", '"3"', ", setting order_seed: expected a whole number, got '3'"),
        ("activation", '"tan"', 'Choose from: "relu"'),
        ("hiden", "3", ", setting hiden: expected a setting of a run, got an unknown name; did you mean"),
        ('"a\\u001b[2J"', "3", ", setting a?[2J: expected a setting of a run"),
        ("epochs", "9" * 5000, ": expected TOML, got an error: Exceeds the limit"),
        ("hidden", '"' + "9," * 20_000 + '9"', ": expected at most 20,000 bytes, got 40"),
    ],
)
def test_a_setting_of_another_type_or_value_is_named(path, name, value, message):
    lines = [line for line in path.read_text().splitlines() if line.split(" ")[0] != name]
    path.write_text("\n".join([*lines, f"{name} = {value}"]))
    assert message in said(path)


@pytest.mark.parametrize("content", [b"\xff", b"lr = ", b"lr = 1\nlr = 1", b"a = " + b"[" * 9000, b"\x00"])
def test_a_file_that_is_no_toml_is_refused(path, content):
    path.write_bytes(content)
    assert ": expected " in said(path)


def test_an_error_of_writing_leaves_the_old_settings(path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_config(Config(), path)
    assert tomllib.loads(path.read_bytes().decode())["hidden"] == "20,10"
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def test_the_command_line_says_it_in_one_line(path, capsys):
    path.write_bytes(b"")
    advice = "add the value that the training had; the default is now auto"
    line = refused(capsys, "predict", str(path.parent), "image.png")
    assert line == f"anynet: {path}, setting data: expected a value, got nothing; {advice}\n"
    assert issubclass(FileError, an.Error)


def test_every_choice_of_an_option_makes_something():
    choices = get_type_hints(Config)
    assert {*get_args(choices["activation"])} == ACTIVATIONS.keys()
    assert {*get_args(choices["norm"])} == NORMS.keys()
    assert {*get_args(choices["loss"])} <= BY_NAME.keys()
    for name, layer in ACTIVATIONS.items():
        assert make_net(Config(hidden="4", activation=name, norm="none"), (3,), 2)[1] == layer
