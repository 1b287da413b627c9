"""Examples in docstrings, module by module: ``pytest --doctest-modules`` would import every module of every library."""

import doctest
import importlib
from pathlib import Path

import pytest

import anynet

FOLDER = Path(anynet.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in FOLDER.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)
OPTIONAL = {"keras": "keras", "onnx": "onnxruntime", "sklearn": "sklearn.base", "torch": "torch"}
"""Packages that need a library, and the library."""


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    if (package := name.split(".")[1]) in OPTIONAL:
        pytest.importorskip(OPTIONAL[package])
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed
