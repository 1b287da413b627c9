"""Install a wheel into clean environments and train with it.

Run by ``make try-wheel``: ``python tools/try_wheel.py dist 3.11 3.12``. The Pythons are versions, or paths of
interpreters. For each of them there are environments with the lowest versions of the dependencies that pyproject.toml
allows and that have wheels, and with the newest. In both, the library alone trains on arrays, and the command line on
the digits of scikit-learn, without and with the extra ``fast``. Needs uv. Ends with code 1 where anything fails.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
PROGRAM = ".exe" if os.name == "nt" else ""
"""End of the names of programs."""
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
LIBRARY = """
import numpy as np
import anynet as an

x = np.random.default_rng(0).standard_normal((400, 4))
labels = np.where(x[:, 0] > x[:, 1], "first", "second")
net = an.Sequential(an.Linear(20), an.Tanh(), an.Linear(2))
run = an.fit(net, (x, labels), an.Adam(0.01), val=0.2, epochs=5, progress=False)
print(an.__version__, run.history[-1].val_accuracy)
"""


def answer(*command: str | Path, folder: Path) -> str:
    """Return what a command prints; SystemExit with the end of what it said if it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANYNET", "PYTHON"))}
    ended = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nended with code {ended.returncode}:\n{ended.stderr[-3000:]}")
    return ended.stdout


def install(python: Path, wheel: Path, extras: str, resolution: str, folder: Path) -> None:
    """Install the wheel with extras, and with the versions that a resolution of pyproject.toml gives."""
    options = ["--quiet", "--only-binary", ":all:", "--python", str(python)]
    chosen = [option for extra in extras.split(",") if extra for option in ("--extra", extra)]
    pins = ["--resolution", resolution, "--output-file", "pins.txt", *chosen, str(PROJECT)]
    answer("uv", "pip", "compile", *options, *pins, folder=folder)
    wanted = f"anynet-array[{extras}] @ {wheel.as_uri()}"
    answer("uv", "pip", "install", *options, "--constraint", "pins.txt", wanted, folder=folder)


def trained(bin_folder: Path, version: str, folder: Path) -> dict[str, Any]:
    """Train a few epochs by the command ``anynet``, and return what ``result.json`` says."""
    command = bin_folder / f"anynet{PROGRAM}"
    said = answer(command, "--version", folder=folder).strip()
    if said != version:
        sys.exit(f"anynet --version: expected {version}, as in the wheel's name, got {said}")
    answer(command, "train", "--data", "digits", "--epochs", "3", "--out", "run", folder=folder)
    result: dict[str, Any] = json.loads((folder / "run" / "result.json").read_text(encoding="utf-8"))
    if not (result["test_accuracy"] > 0.8 and result["versions"]["anynet"] == version):
        sys.exit(f"expected a test accuracy above 80 % and version {version}, got {result}")
    return result


def attempt(wheel: Path, given: str, name: str) -> None:
    """Try the wheel with one Python and the lowest or the newest dependencies; prints a line for each installation."""
    version = wheel.name.split("-")[1]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for extras in ("", "app,sklearn", "app,fast,sklearn"):
            folder = root / (extras or "library")
            folder.mkdir()
            answer("uv", "venv", "--quiet", "--no-python-downloads", "--python", given, folder / "venv", folder=folder)
            bin_folder = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
            python = bin_folder / f"python{PROGRAM}"
            install(python, wheel, extras, RESOLUTIONS[name], folder)
            versions = json.loads(answer("uv", "pip", "list", "--format=json", "--python", python, folder=folder))
            numpy = next(each["version"] for each in versions if each["name"] == "numpy")
            start = perf_counter()
            if extras:
                result = trained(bin_folder, version, folder)
                found = f"digits {result['test_accuracy']:.1%}, steps: {result['execution']}"
            else:
                own, accuracy = answer(python, "-c", LIBRARY, folder=folder).split()
                if own != version or float(accuracy) < 0.8:
                    sys.exit(f"expected version {version} and an accuracy above 80 %, got {own} and {accuracy}")
                found = f"arrays {float(accuracy):.1%}"
            seconds = perf_counter() - start
            kind = answer(python, "-c", "import platform; print(platform.python_version())", folder=folder).strip()
            print(f"Python {kind}, {name}, NumPy {numpy}, [{extras}]: {found}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    (built,) = Path(sys.argv[1]).resolve().glob("*.whl")
    for interpreter in sys.argv[2:]:
        for which in RESOLUTIONS:
            attempt(built, interpreter, which)
