"""Muon against Jordan's equations in float64, and against PyTorch's on hidden matrices and its AdamW on the rest."""

import math

import numpy as np
import pytest
from numerical import assert_close

from anynet import BatchNorm, Layer, Linear, Muon, Parameter, Sequential, Tanh
from anynet.nn.initializers import Zeros
from anynet.optim.orthogonal import orthogonal

NET = Sequential(
    *(Linear(5, 6), Tanh(), Linear(6, 9), BatchNorm(9), Tanh()),
    *(Sequential(Linear(9, 9), Tanh()), Linear(9, 4), Tanh(), Linear(4, 3)),
)
HIDDEN = ("2.W", "5.0.W", "6.W")
LAYOUT = NET.layout
RATES = np.asarray([0.02, 0.02, 0.04])


def by_hand(params, grads, rates, momentum=0.95, decay=0.0):
    """Return the parameters after every step of one net, by name and with singular value decompositions."""
    parts, paths = LAYOUT.split(params), []
    m, v = ({name: np.zeros_like(part) for name, part in parts.items()} for _ in range(2))
    for t, (eta, gradient) in enumerate(zip(rates, grads, strict=True), 1):
        parts = dict(parts)
        for name, g in LAYOUT.split(gradient).items():
            if name in HIDDEN:
                m[name] = momentum * m[name] + (1 - momentum) * g
                u, s, vt = np.linalg.svd(momentum * m[name] + (1 - momentum) * g, full_matrices=False)
                s = s / (np.sqrt(np.sum(s**2)) + 1e-7)
                for _ in range(5):
                    s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
                n_in, n_out = g.shape
                step, own = math.sqrt(max(1, n_out / n_in)) * (u * s) @ vt, eta
            else:
                m[name], v[name] = 0.9 * m[name] + 0.1 * g, 0.95 * v[name] + 0.05 * g**2
                step, own = (m[name] / (1 - 0.9**t)) / (np.sqrt(v[name] / (1 - 0.95**t)) + 1e-10), 0.015 * eta
            shrink = 1 - own * decay if name.endswith("W") else 1
            parts[name] = shrink * parts[name] - own * step
        paths.append(parts)
    return paths


def numbers(rng, *members):
    """Return parameters and gradients; elements between parameters are 0, as in training."""
    gaps = np.ones(LAYOUT.size)
    for start, stop, _ in LAYOUT.slots.values():
        gaps[start:stop] = 0
    shape = (len(RATES), *members, LAYOUT.size)
    return rng.standard_normal((*members, LAYOUT.size)) * (gaps == 0), rng.standard_normal(shape) * (gaps == 0)


def descend(muon):
    def function(params, grads, rates):
        state, path = muon.init(params), []
        for t in range(rates.shape[0]):
            params, state = muon.update(params, grads[t, ...], state, rates[t, ...], layout=LAYOUT)
            path.append(params)
        return path, state

    return function


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.5, "weight_decay": 0.25}], ids=str)
def test_steps_are_the_equations(xp, rng, settings, dtype):
    if (xp.dtype, dtype) == ("float32", "float64"):
        pytest.skip("this device holds no float64")
    xp.dtype = dtype
    params, grads = numbers(rng)
    path, _ = xp.call(descend(Muon(**settings)), params, grads, RATES)
    expected = by_hand(params, grads, RATES, settings.get("momentum", 0.95), settings.get("weight_decay", 0.0))
    for ours, theirs in zip(path, expected, strict=True):
        for name, part in LAYOUT.split(ours).items():
            assert_close(part, theirs[name], 1e-10 if dtype == "float64" else 2e-5)


def test_pytorchs_muon_and_adamw_agree(rng, monkeypatch):
    torch = pytest.importorskip("torch")
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this PyTorch has no Muon")
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self)  # its iterations in float64 too
    params, grads = numbers(rng)
    theirs = {name: torch.tensor(part.T.copy()) for name, part in LAYOUT.split(params).items()}  # (n_out, n_in)
    matrices, others = (
        [part for name, part in theirs.items() if (name in HIDDEN) is hidden] for hidden in (True, False)
    )
    muon = torch.optim.Muon(matrices, weight_decay=0.0)
    adamw = torch.optim.AdamW(others, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.0)
    path, _ = descend(Muon())(params, grads, RATES)
    for ours, gradient, rate in zip(path, grads, RATES, strict=True):
        for name, part in LAYOUT.split(gradient).items():
            theirs[name].grad = torch.tensor(part.T.copy())
        for optimizer, own in ((muon, rate), (adamw, 0.015 * rate)):
            optimizer.param_groups[0]["lr"] = float(own)
            optimizer.step()
        for name, part in LAYOUT.split(ours).items():
            np.testing.assert_allclose(part.T, theirs[name].numpy(), rtol=0, atol=1e-7)  # 1e-7 is added to the norm


def test_members_are_runs_of_their_own(xp, rng):
    settings = {"momentum": (0.95, 0.5, 0.0), "weight_decay": (0.0, 0.5, 0.1)}
    params, grads = numbers(rng, 3)
    rates = np.outer(RATES, [1.0, 0.5, 2.0])
    path, state = xp.call(descend(Muon(**settings)), params, grads, rates)
    for k in range(3):
        own = Muon(**{name: values[k] for name, values in settings.items()})
        alone, state_alone = descend(own)(params[k], grads[:, k], rates[:, k])
        for one, other in zip(path, alone, strict=True):
            assert_close(one[k], other, xp.rtol)
        for name in ("m", "v"):
            assert_close(state[name][k], state_alone[name], xp.rtol)


@pytest.mark.parametrize("shape", [(8, 8), (40, 10), (10, 40), (1, 5), (5, 1), (1, 1)])
@pytest.mark.parametrize("size", [1e-20, 1e-3, 1e6])
def test_steps_are_nearly_orthogonal(rng, shape, size):
    """In float32, whatever the gradient's size: singular values that are not tiny come near 1."""
    u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    matrix = (u * np.linspace(0.2, 1, min(shape))) @ vt
    made = orthogonal((size * matrix).astype(np.float32).reshape(-1), shape).reshape(shape)
    assert made.dtype == np.float32
    expected = (0, 1e-10) if size == 1e-20 else (0.65, 1.25)  # 1e-7 is added to the norm
    singular = np.linalg.svd(made, compute_uv=False)
    assert expected[0] <= np.min(singular) <= np.max(singular) <= expected[1]
    if size > 1e-20:
        turned = u.T @ made @ vt.T
        np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-4)


def test_a_gradient_of_zeros_changes_nothing(rng):
    params, _ = numbers(rng)
    after, _ = Muon().update(params, 0 * params, Muon().init(params), layout=LAYOUT)
    np.testing.assert_array_equal(after, params)


class Vector(Layer):
    """Layer whose weights are no matrix."""

    def parameters(self):
        return {"w": Parameter((4,), Zeros(), is_weight=True)}


NETS = {
    "one layer": (Sequential(Linear(4, 3)), []),
    "two layers": (Sequential(Linear(4, 5), Tanh(), Linear(5, 3)), []),
    "three layers": (Sequential(Linear(4, 4), Linear(4, 4), Linear(4, 3)), ["1.W"]),
    "vectors": (Sequential(Linear(4, 4), Vector(), Linear(4, 4), Vector(), Linear(4, 3)), ["2.W"]),
    "no weights": (Sequential(BatchNorm(4)), []),
}


@pytest.mark.parametrize("name", NETS)
def test_what_is_a_hidden_matrix(rng, name):
    """Their steps are not by the sign of the gradient, as Adam's first ones are; nothing else is left out."""
    net, hidden = NETS[name]
    params, grads = rng.standard_normal((2, net.layout.size))
    after, _ = Muon(adam_lr=1.0, lr=1.0).update(params, grads, Muon().init(params), layout=net.layout)
    steps, signs = net.layout.split(params - after), net.layout.split(np.sign(grads))
    assert [name for name in steps if not np.allclose(steps[name], signs[name], rtol=1e-6)] == hidden


def test_a_layout_is_needed():
    with pytest.raises(ValueError, match=r"^layout: expected the places .* matrices; pass layout=net.layout$"):
        Muon().update(np.ones(32), np.ones(32), Muon().init(np.ones(32)))


def test_zeros_that_are_to_keep_their_norm_take_the_step_alone():
    """A matrix of zeros has no norm to keep; others have that of their number of outputs, and then take the step."""
    rng = np.random.default_rng(0)
    params, grads = (rng.standard_normal(LAYOUT.size) for _ in range(2))
    start, stop, _ = LAYOUT.slots["6.W"]
    params[start:stop] = 0
    muon = Muon(0.1, keep_norm=True)

    def step(muon, params):
        return LAYOUT.split(muon.update(params, grads, muon.init(params), layout=LAYOUT)[0])

    found, plain = step(muon, params), step(Muon(0.1), params)
    assert_close(found["6.W"], plain["6.W"], 1e-12)
    own = LAYOUT.split(params)["2.W"]
    assert_close(found["2.W"] - own * 3 / np.linalg.norm(own), plain["2.W"] - own, 1e-12)
