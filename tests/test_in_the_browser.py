"""Training where Python has no threads and no processes, as Pyodide's in a browser."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anynet.app import PACKAGES

NOTEBOOK = Path(__file__).parents[1] / "docs" / "examples" / "in_the_browser.ipynb"

ABSENT = ("_hashlib", "_multiprocessing", "_posixshmem", "_uuid", "grp", "pwd", "readline", "resource", "llvmlite")
"""Modules that Pyodide 314 lacks; its standard library has all others that a training imports."""
INSTALLED = ("matplotlib", "PIL", "scipy", "sklearn")
"""Packages that the notebook's first cell brings, beside what anynet needs."""
EXTRAS = {"sklearn", *PACKAGES}
PYODIDE = """
import os, subprocess, sys, threading

def refuse(*args, **kwargs):
    raise RuntimeError("can't start new thread")

sys.modules.update(dict.fromkeys({absent}))  # None: importing them fails
threading.Thread.start = subprocess.Popen.__init__ = os.fork = refuse
os.cpu_count = lambda: 1
if hasattr(os, "sched_getaffinity"):
    del os.sched_getaffinity
"""
TRAIN = """
import warnings
import numpy as np
import anynet as an

warnings.simplefilter("error")
rng = np.random.default_rng(0)
labels = rng.integers(0, 3, 300)
images = np.clip(rng.integers(0, 17, (3, 64))[labels] + rng.normal(0, 3, (300, 64)), 0, 16).round().astype(np.uint8)
net = an.Sequential(an.Linear(20), an.BatchNorm(), an.ReLU(), an.Linear(3))
for seeds in (None, (1, 2)):
    run = an.fit(net, (images, labels), an.Adam(0.01), val=0.2, epochs=5, batch_size=20, progress=True, seeds=seeds)
    for one in [run] if seeds is None else run:
        print(one.history[-1].train_loss, one.history[-1].val_accuracy)
"""


def without(modules):
    return PYODIDE.format(absent=sorted(modules))


def printed(program):
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "ANYNET_BACKEND": "numpy", "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_a_training_without_threads_and_processes_is_the_same():
    found = printed(without({*ABSENT, *EXTRAS}) + TRAIN)
    assert found == printed(TRAIN)
    assert len(found) == 6
    assert min(map(float, found[1::2])) > 0.9


@pytest.mark.slow
def test_the_notebook_runs_without_threads_and_processes():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code.pop(0) == "%pip install --quiet anynet-array scikit-learn matplotlib"
    for module in INSTALLED:
        pytest.importorskip(module)
    imported = "import sklearn.datasets"  # before, because scikit-learn 1.9 imports _multiprocessing; Pyodide has 1.8
    found = printed("\n".join([imported, without({*ABSENT, *EXTRAS} - {*INSTALLED}), *code]))
    assert found[0].endswith("%")
    assert float(found[0].rstrip("%")) > 90
