"""Layers and optimizers of others that fail in use: one line, whatever they raise, and nothing half-written."""

import importlib
import sys

import pytest
from commands import refused

from anynet.app import build_net, cli

pytestmark = pytest.mark.usefixtures("few_pictures", "no_plots", "module")

SMALL = ("--train", "400", "--val", "100", "--epochs", "1")

MODULE = '''
import anynet as an


class Alone(BaseException):
    """No Exception."""


class Raising(an.Layer):
    def __init__(self, error):
        self.error = error

    def forward(self, params, state, x, *, train):
        return x, None, state

    def backward(self, params, cache, dy):
        raise self.error


class Reading(an.Layer):
    def forward(self, params, state, x, *, train):
        return x * float(x[0, 0] < 1e9), None, state

    def backward(self, params, cache, dy):
        return dy, {}


class Bare(an.Optimizer):
    """An optimizer without an update."""


def made(layer):
    return lambda shape, classes: an.Sequential(an.Linear(6), layer, an.Linear(classes), input_shape=shape)


runtime = made(Raising(RuntimeError("enough")))
value = made(Raising(ValueError("enough")))
leaving = made(Raising(SystemExit(0)))
alone = made(Raising(Alone("enough")))
reading = made(Reading())
net = an.Sequential(an.Linear(3072, 10))


def generator(shape, classes):
    raise GeneratorExit("enough")
'''


@pytest.fixture
def module(tmp_path, monkeypatch, few_pictures):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "failing.py").write_text(MODULE)
    (tmp_path / "unimportable.py").write_text("raise GeneratorExit('enough')\n")
    importlib.invalidate_caches()
    build_net._net_of.cache_clear()
    yield
    for name in ("failing", "unimportable"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("runtime", "RuntimeError: enough (failing.py, line 17)"),
        ("value", "ValueError: enough (failing.py, line 17)"),
        ("leaving", "SystemExit: 0 (failing.py, line 17)"),
        ("alone", "Alone: enough (failing.py, line 17)"),
    ],
)
def test_what_a_layer_raises_in_training_is_one_line(tmp_path, capsys, name, said):
    line = refused(capsys, "train", "--net", f"failing:{name}", *SMALL, "--out", "out")
    assert line.splitlines()[-1] == f"anynet: --net failing:{name}: in use, it raised {said}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [("gradcheck",), ("lr",), ("train", "--profile"), ("search", "--over", "lr=0.1,0.2", "--out", "found")],
    ids=" ".join,
)
def test_every_command_says_it(capsys, command):
    line = refused(capsys, *command, "--net", "failing:runtime", *SMALL)
    assert line.endswith("--net failing:runtime: in use, it raised RuntimeError: enough (failing.py, line 17)\n")


def test_an_optimizer_without_an_update_is_one_line(capsys):
    line = refused(capsys, "train", "--hidden", "5", "--optimizer", "failing:Bare", *SMALL)
    said = "in use, it raised NotImplementedError: Bare: expected a method init, got none"
    assert line.splitlines()[-1] == f"anynet: --optimizer failing:Bare: {said}"
    line = refused(capsys, "train", "--hidden", "5", "--optimizer", "anynet:Optimizer", *SMALL)
    assert "expected a subclass of anynet.Optimizer or a function of the schedule, got the class Optimizer" in line


def test_what_is_no_exception_is_one_line(capsys):
    line = refused(capsys, "train", "--net", "unimportable:net", *SMALL)
    assert line.endswith("cannot be imported: GeneratorExit: enough (unimportable.py, line 1)\n")
    line = refused(capsys, "train", "--net", "failing:generator", *SMALL)
    assert "called with (3, 32, 32), 10, it raised GeneratorExit: enough (failing.py, line " in line


def test_a_net_is_no_function_that_makes_one(capsys):
    line = refused(capsys, "train", "--net", "failing:net", *SMALL)
    assert line.endswith("--net failing:net: expected a function of shape and classes, got a Sequential\n")


def test_steps_that_cannot_be_recorded_are_not_profiled(capsys):
    line = refused(capsys, "train", "--profile", "--net", "failing:reading", *SMALL)
    assert line.splitlines()[-1] == (
        "anynet: --profile: expected a step that can be recorded, but a number is read from an array, by float"
    )


def test_errors_of_anynet_alone_are_not_blamed_on_others(monkeypatch):
    cli.main(["gradcheck", "--net", "failing:reading", *SMALL, "--probes", "2"])

    def fail(*args):
        raise RuntimeError("a fault of anynet")

    monkeypatch.setattr("anynet.app.commands.gradcheck.gradient_subject", fail)
    with pytest.raises(RuntimeError, match="a fault of anynet"):
        cli.main(["gradcheck", "--hidden", "5", *SMALL])
