"""Optimizers of groups of parameters, against airbench94_muon's own in PyTorch and each optimizer by itself."""

import numpy as np
import pytest
from numerical import assert_close

import anynet as an
from anynet import BatchNorm, Groups, Linear, Muon, Sequential, Tanh
from anynet.optim.schedules import Constant, Triangular

NET = Sequential(Linear(4, 6), BatchNorm(6), Tanh(), Linear(6, 6), BatchNorm(6), Tanh(), Linear(6, 3))
LAYOUT = NET.layout


def numbers(rng, layout, *members, steps=4):
    """Return parameters and gradients; elements between parameters are 0, as in training."""
    inside = np.zeros(layout.size, bool)
    for start, stop, _ in layout.slots.values():
        inside[start:stop] = True
    return (
        np.where(inside, rng.standard_normal((*members, layout.size)), 0),
        np.where(inside, rng.standard_normal((steps, *members, layout.size)), 0),
    )


def descend(optimizer, layout, params, grads, rates):
    state, path = optimizer.initial_state(params, layout), []
    given = {"layout": layout} if optimizer.uses_layout else {}
    for t in range(grads.shape[0]):
        params, state = optimizer.update(params, grads[t, ...], state, rates[t, ...], **given)
        path.append(params)
    return path, state


def airbenchs_muon(torch):
    """The optimizer of airbench94_muon.py, without bfloat16 and compiling."""

    def zeropower(G, steps=3, eps=1e-7):
        a, b, c = (3.4445, -4.7750, 2.0315)
        X = G / (G.norm() + eps)
        if G.size(0) > G.size(1):
            X = X.T
        for _ in range(steps):
            A = X @ X.T
            B = b * A + c * A @ A
            X = a * X + B @ X
        return X.T if G.size(0) > G.size(1) else X

    class AirbenchMuon(torch.optim.Optimizer):
        def __init__(self, params, lr, momentum):
            super().__init__(params, {"lr": lr, "momentum": momentum})

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    g, state = p.grad, self.state[p]
                    if "momentum_buffer" not in state:
                        state["momentum_buffer"] = torch.zeros_like(g)
                    buf = state["momentum_buffer"]
                    buf.mul_(group["momentum"]).add_(g)
                    g = g.add(buf, alpha=group["momentum"])
                    p.data.mul_(len(p.data) ** 0.5 / p.data.norm())
                    p.data.add_(zeropower(g.reshape(len(g), -1)).view(g.shape), alpha=-group["lr"])

    return AirbenchMuon


def test_airbench94_muon_is_a_few_groups(rng):
    """Its rates and decays are those of a sum over the batch; gradients here are those of the mean."""
    torch = pytest.importorskip("torch")
    conv = {"padding": "same", "bias": False}
    net = Sequential(
        *(an.Conv2d(24, 2, padding="valid"), an.GELU(), an.Conv2d(6, 3, **conv), BatchNorm(), an.GELU()),
        *(an.Conv2d(6, 3, **conv), BatchNorm(), an.Conv2d(6, 3, **conv), BatchNorm(), an.GELU()),
        *(an.GlobalPool(), Linear(3)),
        input_shape=(3, 6, 6),
    )
    batch, spe, total, whiten = 2000, 5, 40, 15  # size of a batch, steps per epoch, all steps, steps of the first bias
    bias_lr, head_lr, wd = 0.053, 0.67, 2e-6 * batch
    fall, first = Triangular(1.0, total / spe, peak=0, start=1, end=0), Triangular(1.0, whiten / spe, 0, 1, 0)

    def sgd(rate, schedule):
        decay = wd / (rate * batch)
        return an.SGD(lambda t: rate * batch * schedule(t), 0.85, nesterov=True, weight_decay=decay, decoupled=False)

    muon = Muon(lambda t: 0.24 * fall(t), 0.6, steps=3, keep_norm=True, matrices="all")
    groups = Groups(
        groups={
            **{"0.W": None, "*.gamma": None, "11.b": None, "0.b": sgd(bias_lr, first), "*.beta": sgd(bias_lr, fall)},
            **{"11.W": sgd(head_lr, fall), "*": muon},
        }
    )
    params, grads = numbers(rng, net.layout, steps=total)
    rates = np.asarray([[1.0, *(part.schedule(i / spe) for part in groups.parts)] for i in range(total)])
    path, _ = descend(groups, net.layout, params, grads / batch, rates)

    def turned(part):  # (rows, columns, C, D) to (D, C, rows, columns)
        return torch.tensor(part.transpose(3, 2, 0, 1).copy() if part.ndim == 4 else part.copy())

    theirs = {name: turned(part) for name, part in net.layout.split(params).items()}
    frozen = [name for name in theirs if name.endswith("gamma") or name in ("0.W", "11.b")]
    configs = [
        {"params": [theirs["0.b"]], "lr": bias_lr, "weight_decay": wd / bias_lr},
        {"params": [p for n, p in theirs.items() if "beta" in n], "lr": bias_lr, "weight_decay": wd / bias_lr},
        {"params": [theirs["11.W"]], "lr": head_lr, "weight_decay": wd / head_lr},
    ]
    sgds = torch.optim.SGD(configs, momentum=0.85, nesterov=True)
    kernels = [p for n, p in theirs.items() if p.ndim == 4 and n not in frozen]
    muons = airbenchs_muon(torch)(kernels, lr=0.24, momentum=0.6)
    initial = [group["lr"] for group in (*sgds.param_groups, *muons.param_groups)]
    for step, (ours, gradient) in enumerate(zip(path, grads, strict=True)):
        for name, part in net.layout.split(gradient).items():
            trains = name not in frozen and (name != "0.b" or step < whiten)
            theirs[name].grad = turned(part) if trains else None
        for i, group in enumerate((*sgds.param_groups, *muons.param_groups)):
            group["lr"] = initial[i] * (1 - step / (whiten if i == 0 else total))
        sgds.step()
        muons.step()
        for name, part in net.layout.split(ours).items():
            np.testing.assert_allclose(turned(part).numpy(), theirs[name].numpy(), rtol=1e-8, atol=1e-5)


PARTS = {"*.W": an.AdamW(0.01, weight_decay=0.5), "1.*": None, "*": an.SGD(0.5, momentum=0.9, weight_decay=0.25)}


def test_each_group_is_trained_by_its_optimizer(xp, rng):
    """As by itself on all parameters, all of which decay; gaps between parameters stay 0."""
    params, grads = numbers(rng, LAYOUT)
    rates = np.asarray([1.0, 1.0, 0.5, 0.25])
    groups = Groups(groups=PARTS)
    path, _ = xp.call(lambda *given: descend(groups, LAYOUT, *given), params, grads, rates)

    def alone(optimizer):
        found, state = params, optimizer.init(params)
        for t, gradient in enumerate(grads):
            found, state = optimizer.update(found, gradient, state, rates[t] * optimizer.lr)
        return LAYOUT.split(found)

    adamw, sgd = alone(PARTS["*.W"]), alone(PARTS["*"])
    for name, part in LAYOUT.split(path[-1]).items():
        kind = adamw if name.endswith("W") else LAYOUT.split(params) if name.startswith("1.") else sgd
        assert_close(part, kind[name], xp.rtol)
    joined = LAYOUT.join(LAYOUT.split(path[-1]), path[-1])
    assert_close(path[-1], joined, xp.rtol)


def test_members_are_runs_of_their_own(xp, rng):
    params, grads = numbers(rng, LAYOUT, 3)
    rates = np.outer(np.linspace(1, 0.5, 4), [1.0, 0.5, 2.0])
    groups = Groups(groups=PARTS | {"*.W": Muon(0.1)})
    path, state = xp.call(lambda *given: descend(groups, LAYOUT, *given), params, grads, rates)
    for k in range(3):
        alone, own = descend(groups, LAYOUT, params[k], grads[:, k], rates[:, k])
        assert_close(path[-1][k], alone[-1], xp.rtol)
        for name, array in own.items():
            assert_close(state[name][k] if array.ndim else state[name], array, xp.rtol)


def test_a_group_has_the_schedule_of_its_own():
    """Members have the common schedule times the group's; the history has the common one."""
    x = np.random.default_rng(0).standard_normal((40, 4))
    common, own = an.schedules.Exponential(0.1, 0.5), Triangular(1.0, 2, peak=0.5, start=0.5, end=0.5)
    groups = Groups(common, {"*.W": an.SGD(own), "*": an.SGD(3.0)})
    settings = {"batch_size": 20, "epochs": 2, "normalize": "none"}
    ready = an.setup(NET, (x, x[:, :3]), groups, members=[{}, {"lr": 0.2}], **settings)
    rows = np.asarray([ready.rates(epoch) for epoch in (0, 1)]).reshape(4, 3, 2)
    times = [0, 0.5, 1, 1.5]
    for k, schedule in enumerate((common, Constant(0.2))):
        shared = np.asarray([schedule(t) for t in times])
        expected = np.stack([shared, shared * [own(t) for t in times], 3 * shared], axis=1)
        np.testing.assert_allclose(rows[..., k], expected, rtol=1e-6)
    run = an.fit(NET, (x, x[:, :3]), groups, **settings)
    assert run.history["lr"].tolist() == [0.1, 0.05]


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ({}, ValueError, r'groups: expected one at least, such as {"\*": SGD\(0.1\)}, got none'),
        ({1: an.SGD()}, TypeError, r'groups: expected patterns of names, such as "\*.W", got 1$'),
        (an.SGD(), TypeError, r'groups: expected optimizers by name, such as {"\*": SGD\(0.1\)}, got a SGD$'),
        ({"*": 0.1}, TypeError, r"groups: expected an optimizer or None for \*, got 0.1"),
        ({"*": Groups(groups={"*": None})}, TypeError, r"groups: expected an optimizer or None for \*, got a Groups"),
        ({"*": an.SGD(momentum=(0.1, 0.2))}, ValueError, r"groups: expected one momentum for \*, got one for each mem"),
    ],
)
def test_groups_that_are_none_are_refused(groups, error, message):
    with pytest.raises(error, match=f"^{message}"):
        Groups(groups=groups)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"*.W": an.SGD()}, r'groups: expected a pattern for 0.b, got none; add "\*" at the end'),
        ({"*": an.SGD(), "9.b": None}, r'groups: expected parameters that match "9.b", got none; leave it out'),
    ],
)
def test_patterns_fit_the_net(groups, message):
    x = np.zeros((9, 4))
    with pytest.raises(ValueError, match=f"^{message}$"):
        an.fit(NET, (x, x[:, :3]), Groups(groups=groups), batch_size=3)


def test_rates_and_layouts_are_needed():
    groups, params = Groups(groups={"*": an.SGD(Triangular(0.1, 5))}), np.zeros(LAYOUT.size)
    with pytest.raises(ValueError, match=r"^layout: expected the places of the net's parameters; pass layout=net.lay"):
        groups.init(params)
    state = groups.init(params, layout=LAYOUT)
    with pytest.raises(ValueError, match=r"^lr: expected the rates of all groups, of shape \(2,\), because that of "):
        groups.update(params, params, state, 0.1, layout=LAYOUT)
    with pytest.raises(ValueError, match=r"^lr: expected shape \(2,\), got \(3,\)$"):
        groups.update(params, params, state, np.ones(3), layout=LAYOUT)
