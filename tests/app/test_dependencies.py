"""The core of anynet without the packages of the extra "app"."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from anynet.app import PACKAGES

ROOT = Path(__file__).parents[2]
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({PACKAGES}))\n"  # None: importing them fails
CORE = """
import numpy as np
import anynet as an

rng = np.random.default_rng(0)
part = an.data.Split(rng.integers(0, 256, (20, 12), np.uint8), np.arange(20) % 2)
data = an.data.Dataset("noise", ("a", "b"), part, part, part, False)
net = an.Sequential(an.Linear(12, 2))
runs = an.fit(net, data, an.SGD(0.1), seeds=(1, 2), epochs=1, batch_size=10, progress=False)
assert an.gradcheck.check(an.gradcheck.of_net(net, rng.normal(size=(4, 12)), np.arange(4) % 2)).passed
for need in (runs.plot, runs[0].plot, lambda: an.search, lambda: an.plots, an.data.cifar10):
    try:
        need()
    except (ModuleNotFoundError, an.data.DownloadError) as error:
        assert "pip install '.[app]'" in str(error), error
    else:
        raise AssertionError(need)
"""


def run_without(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + code, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_training_needs_the_core_alone():
    ended = run_without(CORE)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("program", ["run_path('train.py'", "run_module('anynet'"])
def test_the_command_line_says_what_to_install(program):
    ended = run_without(f"import runpy; runpy.{program}, run_name='__main__')", "--help")
    assert ended.returncode == 2
    assert ended.stderr.startswith("anynet: the application needs cyclopts, filelock")
    assert ended.stderr.endswith("install it with: pip install '.[app]'\n")
    assert ended.stderr.count("\n") == 1


def test_every_package_of_the_extra_is_looked_for():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["app"]
    names = {line.split(" ")[0].replace("pillow", "PIL").replace("pyyaml", "yaml").replace("-", "_") for line in listed}
    assert names == set(PACKAGES)


def test_training_one_net_imports_nothing_that_only_other_commands_need():
    unneeded = {"anynet.gradcheck", "anynet.app.profiling", "anynet.plots", "rich.table", "matplotlib", "optuna"}
    unneeded |= {"torch", "onnx", "ndonnx", "keras"}
    code = "import sys; import anynet.app.commands.train, anynet.app.commands.export; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert unneeded.isdisjoint(ended.stdout.split())
