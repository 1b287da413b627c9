"""Moving averages of parameters, against sums over all steps and PyTorch's AveragedModel."""

import numpy as np
import pytest
from loops import own
from numerical import assert_close
from on_backends import on_backends

import anynet as an
from anynet.data import Dataset, split
from anynet.data.synthetic import draw
from anynet.optim.averaging import update_average
from anynet.training.step import train_step

NET = an.Sequential(an.Linear(3072, 8), an.BatchNorm(8), an.ReLU(), an.Linear(8, 10))
SETTINGS = {"batch_size": 30, "epochs": 2, "dtype": "float64", "progress": False}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=20), train=80, val=20)


def paths(data, optimizer, **settings):
    """Return the parameters after each step of a training without averages, and its setup."""
    settings = {name: value for name, value in (SETTINGS | settings).items() if name != "progress"}
    ready = an.setup(NET, data, optimizer, **settings)
    carry, path = ready.carry, []
    step = train_step(NET, ready.inputs.loss, optimizer)
    for epoch in range(2):
        rates = ready.rates(epoch)
        for i, batch in enumerate(ready.batches(epoch)):
            carry = step(carry, ready.fixed, batch, rates[i, ...])
            path.append(ready.backend.to_host(carry.params))
    return np.asarray(path)


def average(path, decay):
    shares = decay ** np.arange(len(path))[::-1]
    return np.tensordot(shares / shares.sum(), path, axes=1)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.9999])
def test_averages_are_sums_over_all_steps(xp, rng, decay):
    path, t = rng.standard_normal((6, 2, 5)), np.arange(1.0, 7)

    def run(path, t):
        found = 7 * path[0, ...]  # what is there before the first step does not count
        for i in range(6):
            found = update_average(found, path[i, ...], decay, t[i, ...])
        return found

    assert_close(xp.call(run, path, np.stack([t, t], axis=1)), average(path, decay), xp.rtol)
    assert_close(xp.call(run, path, np.arange(1, 7)), average(path, decay), xp.rtol)  # steps as integers


def test_pytorchs_averaged_model_agrees(rng):
    """Its first average is the parameters after the first step, of which ours has a share of (1 - d) / (1 - d^t)."""
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(4, 1, bias=False).double()
    theirs = torch.optim.swa_utils.AveragedModel(module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    path = rng.standard_normal((200, 4))
    ours = path[0]
    for t, params in enumerate(path, 1):
        module.weight.data = torch.tensor(params[None])
        theirs.update_parameters(module)
        ours = update_average(ours, params, 0.9, np.asarray(float(t)))
    np.testing.assert_allclose(ours, theirs.module.weight.detach().numpy()[0], rtol=1e-8)  # 0.9 ** 200 is 7e-10


@on_backends("members", ["one", "two"], fast={"jax": [], "torch:cpu": ["two"], "emulated cupy": ["two"]})
def test_averages_are_evaluated_and_kept(data, backend_here, members):
    members = [{"lr": 0.05}, {"seed": 1}] if members == "two" else None
    path = paths(data, an.SGD(0.1, momentum=0.9), members=members)
    made = an.fit(NET, data, an.SGD(0.1, momentum=0.9), members=members, backend=own(backend_here), ema=0.8, **SETTINGS)
    for k, run in enumerate([made] if members is None else made):
        own_path = path if members is None else path[:, k]
        assert_close(run.backend.to_host(run.last.params), average(own_path, 0.8), 1e-9)
        steps = len(own_path) // 2 * run.best.epoch
        assert_close(run.backend.to_host(run.best.params), average(own_path[:steps], 0.8), 1e-9)
        images, labels = data.val.x, data.val.y
        assert run.history.best.val_accuracy == np.mean(np.argmax(run.predict_proba(images), axis=1) == labels)


def test_training_goes_on_from_the_parameters(data):
    plain, averaged = (an.fit(NET, data, an.SGD(0.1), ema=ema, **SETTINGS) for ema in (None, 1e-12))
    assert_close(averaged.last.params, plain.last.params, 1e-10)
    np.testing.assert_allclose(averaged.history["train_loss"], plain.history["train_loss"], rtol=1e-10)


def test_members_share_the_decay(data):
    with pytest.raises(ValueError, match=r"^member 1: ema is the same for all nets that are trained at once"):
        an.fit(NET, data, an.SGD(), members=[{}, {"ema": 0.5}], batch_size=10)


def test_a_member_that_diverges_keeps_its_average(data):
    """Of the epoch before: a rate that is too high comes after the first epoch."""
    members = [{"lr": 0.05}, {"lr": lambda epoch: 0.05 if epoch < 1 else 1e300}]
    with np.errstate(all="ignore"):
        fine, broken = an.fit(NET, data, an.SGD(0.1), members=members, ema=0.8, **SETTINGS)
    path = paths(data, an.SGD(0.05))
    assert_close(fine.last.params, average(path, 0.8), 1e-9)
    assert_close(broken.last.params, average(path[: len(path) // 2], 0.8), 1e-9)
