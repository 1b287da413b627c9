"""Recipes step by step with plain PyTorch, from the same parameters and with the same batches; and the command."""

import importlib
import json
import math
import re
import sys

import numpy as np
import pytest

import anynet as an
from anynet.app.config_file import make_config
from anynet.app.experiment import prepare
from anynet.app.reports import preset
from anynet.backends import to_numpy
from anynet.data.synthetic import draw
from anynet.nn import nets
from benchmarks import common
from benchmarks.parity import command, record
from benchmarks.parity.recipes import Recipe
from benchmarks.parity.record import Record, Run, difference

WIDTH, BATCH, EPOCHS = 0.125, 5, 4
PARTS = ("W", "gamma", "b", "beta")
"""Order of the parameters of a layer in PyTorch."""


@pytest.fixture
def recipes():
    """Recipes in PyTorch: a fixture, so that only processes that run such tests import PyTorch."""
    pytest.importorskip("torch")
    return importlib.import_module("torch_recipes")


# ---- step by step


def made_ready(name, dtype, slower):
    """A training by the preset of small, augmented batches, with lower learning rates, as these are for large ones."""
    settings = preset(name)[0] | {"batch_size": BATCH, "epochs": EPOCHS, "drop_last": True}
    settings["lr"] *= slower
    own = {"dtype": dtype, "backend": "numpy", "val": "0", "evaluate_train": "never"}
    experiment = prepare(make_config(settings | own, name), ("synthetic", draw(0, per_batch=BATCH)))
    net = getattr(nets, name)((3, 32, 32), 10, WIDTH)
    return net, an.setup(net, experiment.data, experiment.optimizer, **experiment.settings.keywords)


def turned(array):
    """A kernel or a matrix, or a vector as it is, as PyTorch has it."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def parameters(net, carry):
    """All parameters that PyTorch has, too, in its order."""
    parts = {name: to_numpy(part) for name, part in net.layout.split(carry.params).items()}

    def key(name):
        *places, part = name.split(".")
        return [*map(int, places)], PARTS.index(part)

    return [
        turned(parts[name]) for name in sorted(parts.keys() - {"25.b", "26.s"} if _whitens(net) else parts, key=key)
    ]


def statistics(net, carry):
    """Running means and variances in PyTorch's order."""
    found = {name: to_numpy(array) for name, array in carry.state.items() if not name.endswith("kernel")}
    order = sorted(found, key=lambda name: ([*map(int, name.split(".")[:-1])], name))
    return [found[name] for name in order]


def _whitens(net):
    return isinstance(net[0], an.PatchWhitening)


def in_lockstep(recipes, name, dtype, slower):
    """Losses of all steps by both, then parameters and running statistics by both."""
    torch, (make, update) = recipes.torch, recipes.THEIRS[name]
    net, ready = made_ready(name, dtype, slower)
    theirs, carry = make(WIDTH).to(getattr(torch, dtype), memory_format=torch.channels_last), ready.carry
    trained = [p for key, p in theirs.named_parameters() if key != "whiten.weight"]
    with torch.no_grad():
        for p, array in zip(trained, parameters(net, carry), strict=True):
            p.copy_(torch.tensor(array.copy()))
        if _whitens(net):
            theirs.whiten.weight.copy_(torch.tensor(turned(to_numpy(carry.state["0.kernel"])).copy()))
    step, losses = update(theirs, EPOCHS, ready.inputs.steps), []
    step.rates = [rate * slower for rate in step.rates]
    for epoch in range(EPOCHS):
        batches, rates = ready.batches(epoch), ready.rates(epoch)
        for i in range(ready.inputs.steps):
            part = batches.part(i, i + 1)
            (batch,) = part
            x = batch.inputs(ready.fixed.normalization)
            outputs, _, _ = net.forward(carry.params, carry.state, x.reshape(-1, 3), train=True)
            loss = float(ready.inputs.loss(outputs, batch.y)[0])
            images = torch.tensor(to_numpy(x).reshape(-1, 32, 32, 3)).permute(0, 3, 1, 2)
            losses.append((loss, step(images, torch.tensor(to_numpy(batch.y)))))
            carry = ready.loop(carry, ready.fixed, part, rates[i : i + 1])
    kept = [b for key, b in theirs.named_buffers() if not key.endswith("num_batches_tracked")]
    ours = [*parameters(net, carry), *statistics(net, carry)]
    return np.asarray(losses), list(zip(ours, (t.detach().numpy() for t in (*trained, *kept)), strict=True))


@pytest.mark.parametrize("name", ["airbench94", "resnet9", "resnet18"])
def test_losses_and_parameters_are_those_of_pytorch(recipes, name):
    losses, pairs = in_lockstep(recipes, name, "float64", slower=0.05)
    assert len(losses) == 20
    np.testing.assert_allclose(*losses.T, rtol=1e-9)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8 * np.abs(theirs).max())


# ---- images in PyTorch


def test_images_in_pytorch_are_normalized_and_augmented(recipes):
    torch, torch_images = recipes.torch, recipes.torch_images
    torch.manual_seed(0)
    x = torch.arange(256 * 3 * 10 * 10, dtype=torch.float32).reshape(256, 3, 10, 10)
    mirrored = torch_images.flipped(x)
    same, other = (mirrored == x).all((1, 2, 3)), (mirrored == x.flip(3)).all((1, 2, 3))
    assert (same != other).all()
    assert 90 < same.sum() < 166
    cropped, padded = torch_images.cropped(x, 2), torch.nn.functional.pad(x, (2, 2, 2, 2), "reflect")
    windows = padded.unfold(2, 10, 1).unfold(3, 10, 1).movedim(1, 3)  # (images, rows, columns, channels, 10, 10)
    matches = (windows == cropped[:, None, None]).all((3, 4, 5))
    assert (matches.sum((1, 2)) >= 1).all()
    assert matches.any(0).all()  # all of the 25 places
    cut = torch_images.cut(x + 1, 8)
    assert ((cut == 0).sum((1, 2, 3)) == 3 * 64).all()
    assert torch.equal(cut[cut != 0], (x + 1)[cut != 0])
    assert len({(cut[i] == 0).numpy().tobytes() for i in range(256)}) == 9


# ---- the command


def test_difference_of_means_has_its_standard_error():
    means, error = difference([0.5, 0.7], [0.4, 0.4, 0.7])
    assert means == pytest.approx(0.1)
    assert error == pytest.approx(math.sqrt(0.02 / 2 + 0.03 / 3))
    assert math.isnan(difference([0.5], [0.4])[1])


@pytest.fixture
def run_in_turns(monkeypatch, tmp_path):
    """The command with numbers in place of trainings; returns the runs that were made, and a function that runs it."""
    made = []

    def train(run, folder, images):
        made.append((run.peer, run.recipe.name, run.seed))
        return Run(*run.key, 0.9 + run.seed / 100 + (run.peer == "torch") / 1000, 12.0)

    monkeypatch.setattr(record, "train", train)
    monkeypatch.setattr(command.generated, "write", lambda path: (path / "test_batch").touch())
    return made, lambda **given: command.main(quick=True, out=tmp_path / "it.json", **given)


def test_runs_are_written_and_not_repeated(run_in_turns, tmp_path):
    made, run = run_in_turns
    run(recipes=["airbench94"], seeds=2)
    expected = [(peer, "airbench94", seed) for seed in (1, 2) for peer in ("anynet-numpy", "torch")]
    assert made == expected
    page = (tmp_path / "it.md").read_text(encoding="utf-8")
    assert re.search(r"\| anynet-numpy \| 91\.00, 92\.00 \| 91\.50 +\| -0\.10 ± 0\.71 +\| 12", page)
    made.clear()
    run(recipes=["airbench94", "resnet9"], seeds=2)
    assert made == [(peer, "resnet9", seed) for _, _, seed in expected[::2] for peer in ("anynet-numpy", "torch")]
    again = Record.read(tmp_path / "it.json", {"images": command.QUICK_IMAGES})
    assert again.of("torch", Recipe("resnet9", 0.125, 1))[1].accuracy == pytest.approx(0.921)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--folder: expected the folder cifar-10-batches-py, got none"),
        (["--folder", "nowhere"], "--folder: expected the folder cifar-10-batches-py, got nowhere"),
        (["--quick", "--recipes", "resnet8"], 'unknown recipe "resnet8"; did you mean "resnet9"?'),
        (["--quick", "--out", "none/it.json"], "--out: expected a file in an existing folder, got none/it.json"),
    ],
)
def test_refusals_are_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        common.run(command.main, arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_fails_is_named(monkeypatch):
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(RuntimeError, match="torch, airbench94, width 1, 2 epochs, seed 3: exit code 1"):
        record.train(Run("torch", Recipe("airbench94", 1, 2), 3), "nowhere", 10)


@pytest.mark.parametrize("name", ["torch_airbench94", "torch_resnet9"])
def test_pytorch_trains_whole_epochs(recipes, name, monkeypatch):
    """Makes the steps that fit, and measures on all test images."""
    torch, module, steps = recipes.torch, getattr(recipes, name), []
    images = recipes.torch_images.Images(torch.randn(50, 3, 32, 32), torch.arange(50) % 10)
    monkeypatch.setattr(module, "BATCH", 20)
    monkeypatch.setattr(module.Update, "__call__", lambda self, x, y: steps.append((self.total, len(x), len(y))))
    assert module.train(images, images, WIDTH, 3) * 50 == pytest.approx(5, abs=5)
    assert steps == [(6, 20, 20)] * 6


@pytest.mark.thorough
def test_quick(tmp_path):
    out = tmp_path / "it.json"
    command.main(quick=True, recipes=["airbench94"], images=2400, out=out)
    runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert [run["peer"] for run in runs] == ["anynet-numpy", "torch"]
    assert all(0 <= run["accuracy"] <= 1 and run["seconds"] > 0 for run in runs)
