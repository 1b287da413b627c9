"""``--backend cupy`` where it cannot work: one line that says what to do, exit code 2, and nothing is written."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import refused, small
from fake_cupy import CUDARuntimeError, DynamicLibNotFoundError, put_in_place

import anynet as an
from anynet.app import experiment
from anynet.data import Dataset, Split, sources

HEADERS = RuntimeError("Failed to find CUDA headers. Please install CUDA toolkit headers (e.g., pip install ...).")
NVRTC = DynamicLibNotFoundError('Failure finding "libnvrtc.so.12"\nsearched everywhere')
CUBLAS = ImportError('Failure finding "libcublas.so.12"\nsearched everywhere')
TOOLKIT = "pip install 'cupy-cuda12x[ctk]' brings them"

TROUBLES = {
    "no driver": (
        {"status": 35, "driver": 0},
        "install one on a machine with an NVIDIA GPU, or choose another backend, such as numpy",
    ),
    "old driver": ({"status": 35, "driver": 11040}, "update the driver, or pip install 'cupy-cuda12x[ctk]'"),
    "no headers": ({"trouble": HEADERS}, TOOLKIT),
    "no NVRTC": ({"trouble": NVRTC}, TOOLKIT),
    "no cuBLAS": ({"trouble": CUBLAS}, TOOLKIT),
    "full": ({"trouble": CUDARuntimeError(2), "limit": 8 * 10**9}, "end those that nvidia-smi lists"),
}
COMMANDS = {
    "train": small(),
    "sweep": small("--seeds", "2"),
    "profile": ["train", "--profile"],
    "search": ["search", "--over", "lr=0.1,0.2", "--out", "out"],
    "gradcheck": ["gradcheck"],
    "lr": ["lr"],
    "reproduce": ["reproduce", "miocic", "--quick", "--out", "out"],
}


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path / "cache"))


def line(capsys, monkeypatch, *tokens):
    """Return the line with which a command is refused: the only one, before images are read or anything is written."""
    monkeypatch.setattr(sources, "fetch", lambda cache: pytest.fail("images are read"))
    said = refused(capsys, *tokens)
    assert said.startswith("anynet: cupy")
    assert said.count("\n") == 1
    assert list(Path.cwd().iterdir()) == []
    return said


@pytest.mark.parametrize("trouble", TROUBLES)
def test_machines(monkeypatch, capsys, trouble):
    machine, todo = TROUBLES[trouble]
    put_in_place(monkeypatch, **machine)
    said = line(capsys, monkeypatch, *small("--backend", "cupy"))
    assert todo in said
    monkeypatch.setenv("ANYNET_BACKEND", "cupy")
    assert line(capsys, monkeypatch, *small()) == said
    with pytest.raises(an.BackendError) as caught:
        an.backend()
    assert f"anynet: {caught.value}\n" == said


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("way", ["flag", "variable"])
def test_commands(monkeypatch, capsys, command, way):
    put_in_place(monkeypatch, trouble=HEADERS)
    if way == "variable":
        monkeypatch.setenv("ANYNET_BACKEND", "cupy")
    flags = ["--backend", "cupy"] if way == "flag" else []
    assert TOOLKIT in line(capsys, monkeypatch, *COMMANDS[command], *flags)


@pytest.mark.parametrize(
    ("device", "todo"),
    [("7", "choose cupy:0 to cupy:1"), ("gpu", "as in cupy:0"), ("-1", "as in cupy:0"), ("0:0", "as in cupy:0")],
)
def test_devices(monkeypatch, capsys, device, todo):
    put_in_place(monkeypatch, count=2)
    assert todo in line(capsys, monkeypatch, *small("--backend", f"cupy:{device}"))


def test_an_old_cupy(monkeypatch, capsys):
    put_in_place(monkeypatch).cupy.__version__ = "13.6.0"
    said = line(capsys, monkeypatch, *small("--backend", "cupy"))
    assert said.startswith("anynet: cupy 13.6.0 is too old: expected 14 or later; uninstall it, then pip install ")


def test_no_cupy(monkeypatch, capsys):
    plain = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cupy" else plain(name))
    said = line(capsys, monkeypatch, *small("--backend", "cupy"))
    assert said.startswith("anynet: cupy is not installed; install it with: pip install 'cupy-cuda12x[ctk]'")


def test_training_from_python(monkeypatch):
    put_in_place(monkeypatch, trouble=HEADERS)
    split = Split(np.zeros((20, 3072), np.uint8), np.arange(20) % 10)
    data = Dataset("few", tuple("abcdefghij"), split, split, split)
    with pytest.raises(an.BackendError, match="lacks files of the CUDA toolkit"):
        an.fit(an.Sequential(an.Linear(3072, 10)), data, an.SGD(), backend="cupy", epochs=1, batch_size=10)


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize(
    ("left", "flags", "expected"),
    [
        (10**6, ["--memory-budget", "1"], ["moving samples to the device", "a smaller --memory-budget"]),
        (3 * 10**6, ["--memory-budget", "1"], ["training Sequential(", "what may fit: streamed samples"]),
        (3 * 10**6, ["--memory-budget", "0"], ["training Sequential(", "what may fit: a smaller net"]),
    ],
    ids=["images", "training", "training, streamed"],
)
def test_a_gpu_that_another_program_fills_later(monkeypatch, capsys, tmp_path, left, flags, expected):
    fake, fit = put_in_place(monkeypatch, limit=1 << 30), experiment.fit
    monkeypatch.setattr(fake.cupy.cuda.Device, "mem_info", (1 << 30, 1 << 30))

    def fit_in_little(*args, **kwargs):
        fake.gpu.memory.limit = fake.gpu.memory.used + left
        return fit(*args, **kwargs)

    monkeypatch.setattr(experiment, "fit", fit_in_little)
    said = refused(capsys, *small("--backend", "cupy", "--hidden", "1000", *flags)).splitlines()[-1]
    assert said.startswith("anynet: out of memory: ")
    for part in expected:
        assert part in said
    assert list(tmp_path.iterdir()) == []


def process(folder, **environment):
    """Return what ``python train.py`` with the real CuPy says: one line, code 2, and nothing is written."""
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, root / "train.py"],
        env=os.environ | {"ANYNET_BACKEND": "cupy", "PYTHONPATH": str(root)} | environment,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("anynet: cupy ")
    assert ran.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []
    return ran.stderr


def test_a_process_without_a_driver(tmp_path):
    if pytest.importorskip("cupy", exc_type=ImportError).is_available():
        pytest.skip("there is a GPU here")
    assert "driver" in process(tmp_path)


def test_a_process_with_a_broken_cublas(tmp_path, tmp_path_factory):
    pytest.importorskip("cupy", exc_type=ImportError)
    pathfinder = pytest.importorskip("cuda.pathfinder")
    try:
        pathfinder.load_nvidia_dynamic_lib("cublas")
    except pathfinder.DynamicLibNotFoundError:
        cuda = tmp_path_factory.mktemp("cuda")
    else:
        pytest.skip("there is a whole one here")
    (cuda / "lib64").mkdir()
    for name in ("libcublas.so.12", "libcublasLt.so.12"):
        (cuda / "lib64" / name).write_text("no library")
    said = process(tmp_path, CUDA_PATH=str(cuda))
    assert "file too short" in said
    assert "pip install 'cupy-cuda12x[ctk]'" in said
