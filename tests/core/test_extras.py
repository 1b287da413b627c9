"""How to install the packages of an extra."""

import re
import tomllib
from pathlib import Path

import anynet
from anynet.core import extras

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_a_checkout_installs_itself_and_a_wheel_its_distribution(monkeypatch, tmp_path):
    assert extras.install_command("app") == "pip install '.[app]'"
    monkeypatch.setattr(extras, "_ROOT", tmp_path)
    assert extras.install_command("app") == f"pip install '{PROJECT['name']}[app]'"


def test_every_extra_that_a_message_names_is_one():
    sources = [path.read_text(encoding="utf-8") for path in Path(anynet.__file__).parent.rglob("*.py")]
    named = {name for text in sources for name in re.findall(r"install_command\([\"'](\w+)[\"']\)", text)}
    assert {"app", "onnx", "tensorboard"} <= named <= PROJECT["optional-dependencies"].keys()
