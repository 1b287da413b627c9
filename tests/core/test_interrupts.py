"""Control-C pressed again and again ends the command line once: one line, code 130, nothing half removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = "train --data synthetic --train 40 --val 10 --batch-size 20 --hidden 5 --epochs 1 --out out"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")

PROGRAM = """
import atexit, os, signal, sys
sys.path[:0] = [{tests!r}]
control_c = lambda: os.kill(os.getpid(), signal.SIGINT)
from anynet.__main__ import main
{first}
main(sys.argv[1:])
"""


def run(tmp_path, first, command):
    """A program of this name is taken for the command line."""
    (tmp_path / "anynet").write_text(PROGRAM.format(tests=str(ROOT / "tests"), first=first))
    call = [sys.executable, "anynet", *command.split()]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)


def test_control_c_while_python_ends_changes_nothing(tmp_path):
    ended = run(tmp_path, "atexit.register(control_c)", "presets")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "best-mlp" in ended.stdout


AGAIN = """
import shutil
import pytest
from pathlib import Path
from few_images import use_few_images
from anynet.app import experiment
from anynet.app.run_folder import RunFolder
use_few_images(pytest.MonkeyPatch(), Path.cwd())

def fit(*args, **options):
    Path("begun").touch()
    control_c()

def rmtree(*args, remove=shutil.rmtree, **options):
    control_c()
    remove(*args, **options)

experiment.fit, shutil.rmtree = fit, rmtree
atexit.register(control_c)
"""


def test_control_c_while_a_folder_is_removed_leaves_nothing_of_it(tmp_path):
    ended = run(tmp_path, AGAIN, COMMAND)
    assert (ended.returncode, ended.stdout) == (130, ""), ended.stderr
    assert ended.stderr.splitlines()[-1] == "anynet: interrupted before the first epoch ended; nothing was kept"
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "begun").exists()
    assert not (tmp_path / "out").exists()


def test_control_c_while_a_backend_is_imported_by_a_run_ends_in_one_line(tmp_path):
    """Although the run holds signals back, as soon as there is something to keep."""
    (tmp_path / "torch.py").write_text(
        "import os, signal, time\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)\n"
        "except BaseException:\n    pass"
    )
    ended = run(tmp_path, "", f"{COMMAND} --backend torch")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "anynet: interrupted before it began\n")
