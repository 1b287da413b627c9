"""Whitening of patches against airbench94's own in PyTorch, by its definition, and in trainings."""

from dataclasses import replace

import numpy as np
import pytest
from numerical import assert_close
from on_backends import on_backends

import anynet as an
from anynet import gradcheck

NET = an.Sequential(
    *(an.PatchWhitening(), an.ReLU(), an.Conv2d(5, 3), an.GlobalPool(), an.Linear(10)), input_shape=(3, 6, 5)
)
SETTINGS = {"epochs": 2, "batch_size": 20, "normalize": "standardize:channel", "progress": False}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 3, 6, 5), np.uint8)
    images[:, :, 1:] = images[:, :, 1:] // 2 + images[:, :, :-1] // 2
    part = an.data.Split(images, np.arange(60) % 10)
    return an.data.Dataset("drawn", tuple("0123456789"), part, part, part)


def airbenchs_kernel(torch, images):
    """The whitening parameters of legacy/airbench94.py, in float64."""

    def get_patches(x, patch_shape):
        c, (h, w) = x.shape[1], patch_shape
        return x.unfold(2, h, 1).unfold(3, w, 1).transpose(1, 3).reshape(-1, c, h, w)

    patches = get_patches(torch.tensor(images), (2, 2))
    n, c, h, w = patches.shape
    patches_flat = patches.view(n, -1)
    est_patch_covariance = (patches_flat.T @ patches_flat) / n
    eigenvalues, eigenvectors = torch.linalg.eigh(est_patch_covariance, UPLO="U")
    eigenvalues = eigenvalues.flip(0).view(-1, 1, 1, 1)
    eigenvectors = eigenvectors.T.reshape(c * h * w, c, h, w).flip(0)
    scaled = eigenvectors / torch.sqrt(eigenvalues + 5e-4)
    return torch.cat((scaled, -scaled)).numpy()


def normalized(data):
    x = data.train.x.reshape(60, 3, 6, 5) / 255
    return (x - x.mean(axis=(0, 2, 3), keepdims=True)) / x.std(axis=(0, 2, 3), keepdims=True)


@on_backends("members", ["one", "two"], fast={"jax": [], "torch:cpu": ["two"], "emulated cupy": []})
def test_airbenchs_kernel_is_the_state_before_and_after_training(data, backend_here, members):
    torch = pytest.importorskip("torch")
    expected = airbenchs_kernel(torch, normalized(data)).transpose(2, 3, 1, 0)
    seeds = range(2) if members == "two" else None
    made = an.fit(NET, data, an.SGD(0.05), seeds=seeds, backend=backend_here, **SETTINGS)
    for run in [made] if seeds is None else made:
        kernel = run.backend.to_host(run.last.state["0.kernel"])
        signs = np.sign((kernel * expected).sum(axis=(0, 1, 2)))  # those of eigenvectors are free
        np.testing.assert_allclose(kernel, expected * signs, atol=1e-4)
        np.testing.assert_array_equal(kernel[..., :12], -kernel[..., 12:])
        assert np.abs(run.backend.to_host(NET.layout.split(run.params)["0.b"])).max() > 0


def test_values_of_patches_are_uncorrelated(data):
    ready = an.setup(NET, data, an.SGD(), dtype="float64", **{k: v for k, v in SETTINGS.items() if k != "progress"})
    layer, pixels = NET[0], ready.inputs.first_samples(5000)
    assert_close(pixels, np.moveaxis(normalized(data), 1, -1).reshape(-1, 3), 1e-12)
    state = {"kernel": ready.carry.state["0.kernel"]}
    y, _, _ = layer.forward({"b": np.zeros(24)}, state, pixels, train=False)
    np.testing.assert_allclose(y[:, :12].T @ y[:, :12] / len(y), np.eye(12), atol=0.02)  # of eps


@pytest.mark.parametrize("members", [None, 3])
def test_gradients(members):
    layer = an.PatchWhitening((2, 3), n_in=2, image=(4, 5))
    gradcheck.check(gradcheck.of_layer(layer, members=members)).require()
    gradcheck.check(gradcheck.of_layer(an.Sequential(layer, an.Tanh()), members=members)).require()


def test_a_kept_net_has_its_kernel(data, tmp_path):
    run = an.fit(NET, data, an.SGD(0.05), **SETTINGS)
    run.save(tmp_path / "net.safetensors")
    kept = an.load(tmp_path / "net.safetensors", backend="numpy")
    assert kept.net == NET
    np.testing.assert_array_equal(kept.predict_proba(data.val.x), run.predict_proba(data.val.x))


def test_a_resumed_training_ends_with_the_same_bits(data, tmp_path):
    an.fit(NET, data, an.SGD(0.05), checkpoint=tmp_path, **SETTINGS | {"epochs": 1})
    resumed = an.fit(NET, data, an.SGD(0.05), checkpoint=tmp_path, resume=True, **SETTINGS)
    straight = an.fit(NET, data, an.SGD(0.05), **SETTINGS)
    np.testing.assert_array_equal(resumed.params, straight.params)
    np.testing.assert_array_equal(resumed.last.state["0.kernel"], straight.last.state["0.kernel"])


def test_it_is_the_first_layer(data):
    net = an.Sequential(an.Conv2d(3), an.PatchWhitening(), an.GlobalPool(), an.Linear(10), input_shape=(3, 6, 5))
    with pytest.raises(
        ValueError, match=r"^layer 1, PatchWhitening.*: expected as the first layer, whose inputs are tr"
    ):
        an.fit(net, data, an.SGD(), batch_size=10)


@pytest.mark.parametrize("value", [0, 1, "row"], ids=["zeros", "ones", "rows"])
def test_patches_that_do_not_vary_need_eps(value):
    x = np.repeat(np.random.default_rng(0).random((40, 1)), 2, axis=1) if value == "row" else np.full((40, 2), value)
    layer = an.PatchWhitening(1, eps=0, n_in=2, image=(4, 5))
    with pytest.raises(
        ValueError, match=r"^PatchWhitening\(kernel=1, eps=0.0.*: eps: expected more than 0, because .*; give 5e-4"
    ):
        layer.state_from(1.0 * x)
    assert np.isfinite(replace(layer, eps=5e-4).state_from(1.0 * x)["kernel"]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": 0}, "kernel: expected 1 or more, got 0"),
        ({"eps": -1.0}, "expected eps finite, 0 or more"),
        ({"kernel": 9, "image": (4, 4)}, "expected images of"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        an.PatchWhitening(**settings)
