"""``--net MODULE:FUNCTION`` and ``--optimizer MODULE:NAME``: code of others, from the current folder."""

import importlib
import json
import sys
import tomllib

import numpy as np
import pytest
from commands import refused
from PIL import Image
from safetensors.numpy import load_file

import anynet as an
from anynet.app import build_net, cli
from anynet.app.build_optimizer import make_optimizer
from anynet.app.config import Config

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots", "module")

SMALL = ("--train", "400", "--val", "100")

MODULE = '''
from dataclasses import dataclass

import anynet as an


class Half(an.Layer):
    """A layer that is no dataclass."""

    def forward(self, params, state, x, *, train):
        return 0.5 * x, None, state

    def backward(self, params, cache, dy):
        return 0.5 * dy, {}


def net(shape, classes):
    assert (shape, classes) == ((3, 32, 32), 10)
    return an.Sequential(an.Flatten(shape), an.Linear(6), an.LayerNorm(), an.GELU(), Half(), an.Linear(classes))


def unsized(shape, classes):
    return an.Sequential(an.Linear(6), an.ReLU(), an.Linear(classes))


class Inner:
    unsized = staticmethod(unsized)


def narrow(shape, classes):
    return an.Sequential(an.Linear(30, classes))


def wide(shape, classes):
    return an.Sequential(an.Linear(11))


def groups(shape, classes):
    return an.Sequential(an.GroupNorm(7), an.Linear(classes))


class Odd(an.Layer):
    def parameters(self):
        return 1 / 0


def odd(shape, classes):
    return an.Sequential(Odd(), an.Linear(classes))


def layer(shape, classes):
    return an.Linear(3072, classes)


def failing(shape, classes):
    return {}[classes]


def leaving(shape, classes):
    raise SystemExit("enough")


def of_shape(shape):
    return None


@dataclass(frozen=True)
class Slow(an.SGD):
    """A class with all settings of SGD."""


@dataclass(frozen=True)
class Plain(an.Optimizer):
    """A class without settings."""


def rmsprop(schedule):
    return an.RMSprop(schedule, centered=True)


def nothing(schedule):
    return None


class Other:
    pass


def images(shape, classes):
    return an.Sequential(an.Conv2d(4, 5, stride=4), an.ReLU(), an.MaxPool2d(2), an.GlobalPool(), an.Linear(classes))


def endless(shape, classes):
    return an.Sequential(an.Conv2d(classes, 5, stride=4))


number = 3
'''


@pytest.fixture
def module(tmp_path, monkeypatch, few_pictures):
    """A module in the current folder, which Python does not search yet."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    (tmp_path / "ownnets.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("\n\ndef f(:\n")
    (tmp_path / "missing.py").write_text("import nothing_of_this_name\n")
    importlib.invalidate_caches()
    build_net._net_of.cache_clear()
    yield
    for name in ("ownnets", "broken", "missing"):
        sys.modules.pop(name, None)


def test_a_net_of_a_module_is_trained_kept_and_used(tmp_path, capsys):
    flags = ["train", *SMALL, "--net", "ownnets:net", "--epochs", "2", "--dtype", "float64"]
    cli.main([*flags, "--out", "out"])
    config = tomllib.loads((tmp_path / "out" / "config.toml").read_text())
    assert config["net"] == "ownnets:net"
    flags += ["--schedule", "constant"]
    cli.main(["3" if word == "2" else word for word in flags] + ["--out", "longer"])
    cli.main([*flags, "--out", "resumed"])
    cli.main(["train", "--resume", "resumed", "--epochs", "3"])
    longer, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("longer", "resumed"))
    for name in longer.keys() - {"history"}:
        np.testing.assert_array_equal(longer[name], resumed[name])
    cli.main(["train", "--resume", "resumed"])
    assert "finished after 3 epochs" in capsys.readouterr().err

    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save("a.png")
    cli.main(["predict", "out", "a.png"])
    assert capsys.readouterr().out.startswith("a.png: ")
    cli.main(["train", "--preset", "out/config.toml", "--epochs", "1", "--out", "again"])
    assert tomllib.loads((tmp_path / "again" / "config.toml").read_text())["net"] == "ownnets:net"


def test_members_share_a_net_that_cannot_be_compared(tmp_path, capsys):
    flags = [*SMALL, "--epochs", "1", "--net", "ownnets:net", "--optimizer", "ownnets:Slow"]
    cli.main(["train", *flags, "--sweep", "momentum=0.1,0.9", "--seeds", "2", "--out", "out"])
    assert json.loads((tmp_path / "out" / "result.json").read_text())["members"] == 4
    cli.main(["search", "--over", "lr=0.01,0.02", *flags, "--out", "searched"])
    cli.main(["search", "--over", "lr=0.01,0.02", *flags, "--out", "searched"])
    assert "results in searched" in capsys.readouterr().out
    cli.main(["gradcheck", "--net", "ownnets:net", *SMALL, "--probes", "3"])
    assert "all gradients agree" in capsys.readouterr().out


def test_a_net_of_images_is_taken_by_all_commands(tmp_path, capsys):
    flags = [*SMALL, "--epochs", "1", "--net", "ownnets:images", "--backend", "numpy", "--compile", "off"]
    cli.main(["train", *flags, "--sweep", "lr=0.1,0.2", "--out", "out"])
    assert tomllib.loads((tmp_path / "out" / "config.toml").read_text())["normalize"] == "standardize:channel"
    cli.main(["search", "--over", "lr=0.01,0.02", *flags, "--out", "searched"])
    cli.main(["gradcheck", *flags, "--probes", "3"])
    assert "all gradients agree" in capsys.readouterr().out
    cli.main(["train", *flags, "--profile"])
    said = capsys.readouterr().out
    assert all(row in said for row in ("0 Conv2d 3-4", "2 MaxPool2d", "3 GlobalPool", "4 Linear 4-10"))
    cli.main(["lr", *flags])
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save("a.png")
    cli.main(["predict", "out/member-0", "a.png"])
    assert "a.png: " in capsys.readouterr().out


def test_a_run_needs_the_module_that_made_it(tmp_path, monkeypatch, capsys):
    cli.main(["train", *SMALL, "--epochs", "1", "--net", "ownnets:net", "--out", "out"])
    capsys.readouterr()
    Image.new("RGB", (32, 32)).save("a.png")
    settings = (tmp_path / "out" / "config.toml").read_text()
    (tmp_path / "out" / "config.toml").write_text(settings.replace("ownnets:net", "ownnets:unsized"))
    line = refused(capsys, "predict", "out", "a.png")
    assert line.startswith(
        "anynet: out/config.toml: expected settings that train accepts, got this: net: expected the "
    )
    (tmp_path / "out" / "config.toml").write_text(settings)
    (tmp_path / "ownnets.py").unlink()
    sys.modules.pop("ownnets")
    build_net._net_of.cache_clear()
    importlib.invalidate_caches()
    missing = f"--net ownnets:net: expected a module in {tmp_path} or among Python's packages, found no ownnets"
    assert missing in refused(capsys, "predict", "out", "a.png")
    line = refused(capsys, "train", "--resume", "out", "--epochs", "2")
    assert line.splitlines()[-1] == f"anynet: {missing}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ownnets", '--net: expected MODULE:NAME, such as mynets:make_net, got "ownnets"'),
        ("./ownnets.py:net", '--net: expected MODULE:NAME, such as mynets:make_net, got "./ownnets.py:net"'),
        ("nowhere:net", "--net nowhere:net: expected a module in {here} or among Python's packages, found no nowhere"),
        (
            "ownnets.py:net",
            "--net ownnets.py:net: expected a module in {here} or among Python's packages, found no ownnets.py; leave "
            "out .py",
        ),
        (
            "broken:net",
            "--net broken:net: the module cannot be imported: SyntaxError: invalid syntax (broken.py, line 3)",
        ),
        (
            "missing:net",
            "--net missing:net: the module cannot be imported: ModuleNotFoundError: No module named "
            "'nothing_of_this_name' (missing.py, line 1)",
        ),
        ("ownnets:nett", '--net ownnets:nett: there is no "nett" in it; did you mean "net"?'),
        ("ownnets:Inner.sized", '--net ownnets:Inner.sized: there is no "sized" in it; did you mean "unsized"?'),
        ("ownnets:number", "--net ownnets:number: expected a function of shape and classes, got 3"),
        (
            "ownnets:of_shape",
            "--net ownnets:of_shape: called with (3, 32, 32), 10, it raised TypeError: of_shape() takes 1 positional "
            "argument but 2 were given",
        ),
        (
            "ownnets:failing",
            "--net ownnets:failing: called with (3, 32, 32), 10, it raised KeyError: 10 (ownnets.py, line 56)",
        ),
        (
            "ownnets:leaving",
            "--net ownnets:leaving: called with (3, 32, 32), 10, it raised SystemExit: enough (ownnets.py, line 60)",
        ),
        ("ownnets:layer", "--net ownnets:layer: expected it to return an anynet.Sequential, got a Linear"),
        (
            "ownnets:narrow",
            "--net ownnets:narrow: expected a net from 3,072 features, of samples of shape (3, 32, 32), to 10 classes, "
            "got one from 30 to 10",
        ),
        (
            "ownnets:wide",
            "--net ownnets:wide: expected a net from 3,072 features, of samples of shape (3, 32, 32), to 10 classes, "
            "got one from 3,072 to 11",
        ),
        (
            "ownnets:groups",
            "--net ownnets:groups, with_samples: called with (3, 32, 32), it raised ValueError: GroupNorm(groups=7, "
            "n=3072, eps=1e-05): expected 2 features or more in each group, the same number in all",
        ),
        (
            "ownnets:endless",
            "Sequential(Conv2d(10, kernel=5, stride=4)) gives images; add Flatten() or GlobalPool() ahead of the last "
            "Linear",
        ),
        (
            "ownnets:odd",
            "--net ownnets:odd, parameters: called with nothing, it raised ZeroDivisionError: division by zero "
            "(ownnets.py, line 44)",
        ),
    ],
)
def test_what_makes_no_net_is_one_line(tmp_path, capsys, text, message):
    line = refused(capsys, "train", "--net", text, *SMALL, "--out", "out")
    assert line.splitlines()[-1] == f"anynet: {message.format(here=tmp_path)}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "flags",
    [
        *(["--hidden", "512,128"], ["--activation", "relu"], ["--norm", "batch"], ["--dropout", "0"], ["--init", "he"]),
        ["--sweep", "init=he,xavier"],
        ["--preset", "garcia-sanz/1"],
    ],
    ids=str,
)
def test_settings_of_layers_are_refused_even_if_they_are_the_defaults(capsys, flags):
    line = refused(capsys, "train", "--net", "ownnets:net", *SMALL, *flags)
    said, *_ = line.splitlines()[-1].partition(" with it, since its net has all layers; leave it out")
    option = "--init" if "--sweep" in flags else " ".join(flags) if "--preset" in flags else flags[0]
    assert said == f"anynet: --net{' ownnets:net' * ('--sweep' in flags)}: expected no {option}"


def test_a_preset_of_a_net_is_named_if_settings_of_layers_are_given(capsys):
    line = refused(capsys, "train", "--preset", "lenet", "--hidden", "10", "--norm", "none")
    expected = "expected no --hidden, --norm with it, since its net has all layers; leave them out"
    assert line == f"anynet: --preset lenet: {expected}\n"


# ---- optimizers


def test_optimizers_of_a_module(tmp_path):
    schedule = an.schedules.Constant(0.1)
    config = {"lr": 0.1, "schedule": "constant", "momentum": 0.5}
    slow = make_optimizer(Config(**config, optimizer="ownnets:Slow", nesterov=True, weight_decay=0.2))
    own = sys.modules["ownnets"]
    assert slow == own.Slow(schedule, 0.5, True, weight_decay=0.2)
    assert make_optimizer(Config(**config, optimizer="ownnets:Plain")) == own.Plain(schedule)
    assert make_optimizer(Config(**config, optimizer="ownnets:rmsprop")) == an.RMSprop(schedule, centered=True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["sgdd"], 'Must be sgd, adam, adamw, rmsprop, lion, muon, or MODULE:NAME; did you mean "sgd"?'),
        (["ownnets:"], '--optimizer: expected MODULE:NAME, such as mynets:make_net, got "ownnets:"'),
        (["ownnets:Slou"], '--optimizer ownnets:Slou: there is no "Slou" in it; did you mean "Slow"'),
        (
            ["ownnets:Other"],
            "--optimizer ownnets:Other: expected a subclass of anynet.Optimizer or a function of the schedule, got the "
            "class Other",
        ),
        (["ownnets:number"], "expected a subclass of anynet.Optimizer or a function of the schedule, got 3"),
        (["ownnets:nothing"], "--optimizer ownnets:nothing: expected it to return an anynet.Optimizer, got None"),
        (["ownnets:of_two"], 'there is no "of_two"'),
        (
            ["ownnets:net"],
            "--optimizer ownnets:net: called with Constant(rate=0.1), it raised TypeError: net() missing 1",
        ),
        (["ownnets:Plain", "--nesterov"], "--nesterov: expected --optimizer sgd with it, got ownnets:Plain"),
        (["ownnets:rmsprop", "--weight-decay", "0.1"], "--weight-decay: ownnets:rmsprop has none"),
        (["ownnets:rmsprop", "--sweep", "momentum=0,0.1"], "momentum: ownnets:rmsprop has none; vary another setting"),
    ],
    ids=str,
)
def test_what_makes_no_optimizer_is_one_line(capsys, flags, message):
    line = refused(capsys, "train", "--schedule", "constant", "--lr", "0.1", "--optimizer", *flags)
    assert message in " ".join(line.replace("│", " ").split())
