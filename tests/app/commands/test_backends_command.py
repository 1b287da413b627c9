"""The command ``backends``: the table of array libraries and devices."""

import importlib.util
from importlib import import_module

import pytest
from fake_cupy import put_in_place

from anynet import BackendError, backend
from anynet.app.commands.backends import backends
from anynet.backends import LIBRARIES


def why_not(name):
    """Return why a backend cannot be used."""
    with pytest.raises(BackendError) as caught:
        backend(name)
    return str(caught.value)


def test_the_table_names_all_libraries_with_version_or_reason(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    backends()
    out, err = capsys.readouterr()
    rows = {row.split("│")[1].strip(): row for row in out.splitlines() if row.startswith("│")}
    rows.pop("", None)  # further devices of the library above
    assert rows.keys() == LIBRARIES.keys()
    assert err == ""
    for name, row in rows.items():
        if "not available" in row:
            assert f"\n{why_not(name)}\n" in out
        else:
            assert import_module(name).__version__ in row
            assert all(device in out for device in backend(name).devices())
            assert ("one compiled loop" if name == "jax" else backend(name).execution) in row


def test_memory_that_is_not_known_leaves_its_cell_empty(monkeypatch, capsys):
    put_in_place(monkeypatch, count=2, limit=8 * 10**9)
    monkeypatch.setenv("COLUMNS", "200")
    backends()
    rows = [line.strip("│").split("│") for line in capsys.readouterr().out.splitlines() if "GPU of number" in line]
    assert [[cell.strip() for cell in row[2:]] for row in rows] == [
        ["0 (GPU of number 0)", "CUDA graph", "8.0 GB", "8.0 GB"],
        ["1 (GPU of number 1)", "CUDA graph", "", "8.0 GB"],
    ]


def test_the_table_says_what_is_missing(monkeypatch, capsys):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else find_spec(name))
    backends()
    assert "\njax is not installed; install it with: pip install jax\n" in capsys.readouterr().out


@pytest.mark.parametrize("missing", [True, False])
def test_the_table_says_what_makes_numpy_faster(monkeypatch, capsys, missing):
    names, find_spec = {"llvmlite": "nothing" if missing else "numpy"}, importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: find_spec(names.get(name, name)))
    backends()
    line = "numpy: long trainings are faster with llvmlite; install it with: pip install llvmlite\n"
    assert (line in capsys.readouterr().out) == missing


def test_a_wrong_variable_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("ANYNET_BACKEND", "numpi")
    backends()
    assert capsys.readouterr().out.endswith('\nANYNET_BACKEND: there is no backend "numpi"; did you mean "numpy"?\n')


def test_a_variable_with_a_library_of_the_table_adds_no_line(monkeypatch, capsys):
    put_in_place(monkeypatch, status=100)
    monkeypatch.setenv("ANYNET_BACKEND", "cupy")
    backends()
    out = capsys.readouterr().out
    assert out.count("no GPU") == 1
    assert "ANYNET_BACKEND" not in out
