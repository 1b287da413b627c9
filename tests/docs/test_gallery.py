"""Examples of the gallery run by themselves, write nothing into the working directory, and assert what they claim."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("docs/gallery/*.py"))
NEEDED = {"plot_backends": ("torch", "jax"), "plot_onnx": ("ndonnx", "onnx", "onnxruntime")}
"""Libraries that an example needs besides scikit-learn, which has the data."""


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run_and_leave_no_files(path, tmp_path):
    for library in ("sklearn.base", "matplotlib", *NEEDED.get(path.stem, ())):
        pytest.importorskip(library)
    search = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, path], cwd=tmp_path, env=os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": search},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not list(tmp_path.iterdir())


def test_every_example_asserts_its_claim():
    for path in EXAMPLES:
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert any(isinstance(node, ast.Assert) for node in nodes), path.name
