"""Pages of the API reference list every public name, and nothing that is not there."""

import importlib
import re
from pathlib import Path

import pytest

import anynet as an

PAGES = Path(__file__).parents[2] / "docs" / "api"
OPTIONAL = {"keras": "keras", "onnx": "onnx", "sklearn": "sklearn.base", "torch": "torch"}
"""Packages that need a library, and the library."""
PACKAGES = (
    "losses",
    "nets",
    "penalties",
    "random",
    "schedules",
    "data",
    "training",
    "training.analysis",
    "gradcheck",
    "callbacks",
    "backends",
    "plots",
    "interop",
    "mpi",
    "search",
    *OPTIONAL,
)


def listed() -> list[str]:
    """Return the names in tables of the pages and those described there, without ``anynet.``."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.rst")))
    tables = re.findall(r"^\.\. autosummary::\n   :toctree: generated\n\n((?:   \S+\n)+)", text, re.MULTILINE)
    return [
        *(name for table in tables for name in table.split()),
        *re.findall(r"^\.\. py:data:: (\S+)$", text, re.MULTILINE),
    ]


def find(path: str) -> object:
    """Return what a name stands for, such as ``gradcheck.check``."""
    if (package := path.partition(".")[0]) in OPTIONAL:
        pytest.importorskip(OPTIONAL[package])
    found = an
    for part in path.split("."):
        if not hasattr(found, part):
            importlib.import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


def public(path: str) -> list[str]:
    """Return the names that a package exports, or that a module without ``__all__`` defines."""
    module = find(path) if path else an
    if names := getattr(module, "__all__", None):
        return list(names)
    return [n for n, v in vars(module).items() if n[0] != "_" and getattr(v, "__module__", None) == module.__name__]


@pytest.mark.parametrize("package", ["", *PACKAGES])
def test_every_public_name_is_on_a_page(package):
    names = listed()
    classes = [find(name) for name in names if name.partition(".")[0] not in OPTIONAL.keys() - {package}]
    for name in public(package):
        full = f"{package}.{name}".removeprefix(".")
        if full in PACKAGES or full == "plots.Figure":  # Matplotlib's
            continue
        assert full in names or any(find(full) is each for each in classes), full


@pytest.mark.parametrize("name", listed())
def test_listed_names_exist(name):
    assert find(name) is not None


def test_no_name_is_listed_twice():
    assert len(set(listed())) == len(listed())
