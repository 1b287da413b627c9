"""Parts of ``python -m benchmarks.card``: connecting, gradients, and the list of packages to carry."""

import itertools
import json
import subprocess
import sys
from importlib.metadata import requires, version
from types import SimpleNamespace

import numpy as np
import pytest
from packaging.requirements import Requirement

import anynet as an
from anynet import nn, optim
from benchmarks import common
from benchmarks.card import command, device, gradients, wheels
from benchmarks.card.parts import Part

FAST = ("Linear", "Adam")
"""Subjects that are compared with the emulator each time; compiling the others takes seconds."""


def content(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_connect(tmp_path, capsys):
    assert device.main("numpy", out=tmp_path / "it.json") == 0
    found = content(tmp_path / "it.json")
    assert found["device"] == "numpy on cpu"
    assert found["steps run as"] == "recorded steps"
    assert found["relative error of a step"] < 1e-5
    assert "numpy on cpu" in capsys.readouterr().err


def test_connect_refuses_wrong_results(tmp_path, monkeypatch):
    kind = type(an.backend("numpy"))
    monkeypatch.setattr(kind, "to_host", lambda self, array: np.asarray(array) * 1.001)
    assert device.main("numpy", out=tmp_path / "it.json") == 1


def test_connect_captures_a_graph_with_a_product_by_cublas(emulated_cupy, monkeypatch):
    cupy = sys.modules["cupy"]
    monkeypatch.setattr(cupy.cuda, "cublas", SimpleNamespace(getVersion=lambda handle: 120803), raising=False)
    monkeypatch.setattr(cupy.cuda, "device", SimpleNamespace(get_cublas_handle=lambda: 1), raising=False)
    monkeypatch.setattr(cupy.cuda, "nvrtc", SimpleNamespace(getVersion=lambda: (12, 8)), raising=False)
    monkeypatch.setattr(cupy, "__version__", "14.2.0", raising=False)
    properties = {"name": b"NVIDIA H100", "major": 9, "minor": 0}
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceProperties", lambda number: properties)
    monkeypatch.setattr(cupy.cuda.runtime, "driverGetVersion", lambda: 13010)
    monkeypatch.setattr(cupy.cuda.runtime, "runtimeGetVersion", lambda: 12080)
    assert device.cuda() == {
        "GPU": "NVIDIA H100",
        "compute capability": "9.0",
        "CUDA of the driver": "13.1",
        "CUDA of CuPy": "12.8",
        "cuBLAS": "12.8.3",
        "NVRTC": "12.8",
        "CuPy": "14.2.0",
    }
    how, error = device.run_steps(emulated_cupy)
    assert how == emulated_cupy.target.execution
    assert error < 1e-5


def test_every_layer_loss_and_optimizer_is_compared():
    """Layers of images have GPU tests of their own."""
    layers = {kind for kind in map(vars(nn).get, nn.__all__) if issubclass(kind, nn.Layer)} - {nn.Layer, nn.Sequential}
    assert {type(layer) for layer in gradients.LAYERS} == {k for k in layers if not issubclass(k, nn.ImageLayer)}
    losses = {getattr(an.losses, name) for name in an.losses.__all__} - {an.losses.correct, an.losses.Loss}
    compared = (*gradients.LOSSES, *gradients.TARGET_LOSSES)
    assert {loss if loss in losses else type(loss) for loss in compared} == losses
    named = {name for name in optim.__all__ if name not in ("OPTIMIZERS", "Optimizer", "schedules")}
    kinds = {getattr(optim, name) for name in named} - {optim.Groups}  # which calls the others
    assert {type(optimizer) for optimizer in gradients.OPTIMIZERS.values()} == kinds


def test_gradients(tmp_path, capsys):
    assert gradients.main("numpy", out=tmp_path / "it.json") == 0
    found = content(tmp_path / "it.json")["deviations"]
    assert found.keys() == dict(gradients.subjects()).keys()
    assert all(row["step by step"] == 0.0 and row["recorded"] < 1e-14 for row in found.values())
    assert "softmax_cross_entropy" in capsys.readouterr().err


def fail(leaf):
    raise RuntimeError("no such kernel\nand more lines")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda leaf: leaf * (1 + 1e-9), pytest.approx(1e-9, rel=0.01)),
        (lambda leaf: leaf * np.nan, pytest.approx(np.nan, nan_ok=True)),
        (fail, "RuntimeError: no such kernel"),
    ],
    ids=["deviates", "not a number", "error"],
)
def test_a_wrong_gradient_is_found_and_the_others_are_compared(tmp_path, monkeypatch, change, shown):
    kind, number = type(an.backend("numpy")), itertools.count()

    def loop(self, step):
        run, wrong = self.plain_loop(step), next(number) == 2
        return lambda *args: gradients.map_leaves(change, run(*args)) if wrong else run(*args)

    monkeypatch.setattr(kind, "loop", loop)
    assert gradients.main("numpy", out=tmp_path / "it.json") == 1
    rows = content(tmp_path / "it.json")["deviations"]
    names = [name for name, _ in gradients.subjects()]
    assert [row["recorded"] for row in rows.values()] == [shown if name == names[2] else 0.0 for name in names]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in FAST)) for name, _ in gradients.subjects()],
)
def test_gradients_of_captured_steps(emulated_cupy, name):
    emulated_cupy.dtype("float64")
    row = gradients.compare(dict(gradients.subjects())[name], emulated_cupy)
    assert row["steps run as"] == emulated_cupy.target.execution
    assert max(row["recorded"], row["step by step"]) < gradients.TOLERANCE


def test_wheels_are_all_that_is_needed_and_is_not_there(capsys):
    assert command.main(wheels=True) == 0
    comments, lines = [], []
    for line in capsys.readouterr().out.splitlines():
        (comments if line.startswith("#") else lines).append(line)
    here = f"--python {wheels.HERE}"
    assert comments[0] == f"# python -m benchmarks.card --wheels {here} > wheels.txt"
    assert comments[1].startswith("# pip download --no-deps ")
    assert f"--python-version {wheels.HERE} --platform" in comments[1]
    carried = dict(line.split("==") for line in lines)
    assert {"cyclopts", "hypothesis", "pytest", "rich", "tqdm"} <= carried.keys()
    assert not {"anynet", "cupy-cuda12x", "jax", "jaxlib", "mypy", "numpy", "scipy", "torch", "sympy"} & carried.keys()
    assert all(version(name) == number for name, number in carried.items())
    there = {Requirement(text).name for name in ("torch", "jax", "cupy-cuda12x") for text in requires(name) or []}
    for name in ("matplotlib", "optuna", "pytest"):
        needs = [each for each in map(Requirement, requires(name)) if each.marker is None]
        assert {each.name.lower() for each in needs} <= carried.keys() | there | {"numpy"}


def test_markers_are_those_of_the_python_and_platform_there(monkeypatch, capsys):
    needs = [
        'rich; python_version < "3.13"',
        'pluggy; python_full_version >= "3.13.0"',
        'mypy; sys_platform == "win32"',
    ]
    of_anything = SimpleNamespace(requires=needs)
    monkeypatch.setattr(
        wheels, "distribution", lambda name: of_anything if name == "tqdm" else SimpleNamespace(requires=[])
    )
    found = {}
    for python in ("3.12", "3.13"):
        assert command.main(wheels=True, python=python) == 0
        lines = capsys.readouterr().out.splitlines()
        assert f"--python-version {python} " in lines[1]
        found[python] = {line.partition("==")[0] for line in lines if not line.startswith("#")}
    assert found["3.13"] - found["3.12"] == {"pluggy"}
    assert "mypy" not in found["3.12"]


@pytest.mark.parametrize("python", ["3", "312", "python3.12", "3.12.1"])
def test_a_python_that_is_no_version_is_refused(python):
    with pytest.raises(ValueError, match=rf'^--python: expected a version such as {wheels.HERE}, got "{python}"$'):
        command.main(wheels=True, python=python)


def test_a_package_that_is_missing_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(wheels, "TESTS", (*wheels.TESTS, "no-such-package"))
    assert wheels.missing() == ["no-such-package"]
    with pytest.raises(ValueError, match=r"first run pip install no-such-package$"):
        wheels.lines()
    known = [Part(name="it", module="benchmarks.missing", arguments=())]
    monkeypatch.setattr(command, "parts", lambda device, folder, quick: known)
    command.main(device="numpy", quick=True, out=tmp_path)
    assert capsys.readouterr().err == (
        "not installed here: no-such-package; "
        "pip install no-such-package or, without network, carry what --wheels lists elsewhere\n"
    )


@pytest.mark.parametrize("name", ["cyclopts", "rich"])
def test_without_the_package_of_the_command_line(name):
    hidden = (
        f"import sys, runpy; sys.modules[{name!r}] = None; runpy.run_module('benchmarks.card', run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{name} is not installed here; pip install '.[app,fast]' or, without network, ")
    assert len(ended.stderr.splitlines()) == 1


def test_what_was_measured_survives_an_interrupt(tmp_path, monkeypatch):
    from benchmarks import forty_epochs

    timed = {"seconds": {"import": 1.0, "total": 2.0}}

    def stop(name, folder):
        if (tmp_path / "it.json").exists():
            raise KeyboardInterrupt
        return timed

    monkeypatch.setattr(forty_epochs, "write_images", lambda folder: None)
    monkeypatch.setattr(forty_epochs, "time_process", stop)
    with pytest.raises(SystemExit) as end:
        common.run(forty_epochs.main, ["numpy", "--out", str(tmp_path / "it.json")])
    assert end.value.code == 130
    assert content(tmp_path / "it.json")["runs"] == {"numpy": [timed]}
