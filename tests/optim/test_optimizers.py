"""Optimizers whose parameters are alike, on every array library: against PyTorch's on the same numbers."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from array_api_compat import array_namespace
from libraries import Library, tree_map
from numerical import assert_close

from anynet import SGD, Adam, AdamW, Linear, Lion, Muon, RMSprop, Sequential
from anynet.optim import Optimizer
from anynet.optim.schedules import Constant, Step

CASES = {
    "SGD": (SGD(), "SGD", {}),
    "SGD, momentum": (SGD(momentum=0.9), "SGD", {"momentum": 0.9}),
    "SGD, Nesterov": (SGD(momentum=0.8, nesterov=True), "SGD", {"momentum": 0.8, "nesterov": True}),
    "Adam": (Adam(), "Adam", {}),
    "Adam, other betas": (Adam(beta1=0.5, beta2=0.9, eps=1e-3), "Adam", {"betas": (0.5, 0.9), "eps": 1e-3}),
    "Adam, no memory": (Adam(beta1=0, beta2=0.95), "Adam", {"betas": (0.0, 0.95)}),
    "Adam, none at all": (Adam(beta1=0, beta2=0), "Adam", {"betas": (0.0, 0.0)}),
    "AdamW": (AdamW(weight_decay=0.5), "AdamW", {"weight_decay": 0.5}),
    "RMSprop": (RMSprop(), "RMSprop", {}),
    "RMSprop, all": (
        RMSprop(alpha=0.75, eps=1e-3, momentum=0.5, centered=True),
        "RMSprop",
        {"alpha": 0.75, "eps": 1e-3, "momentum": 0.5, "centered": True},
    ),
    "SGD, decay": (SGD(momentum=0.9, weight_decay=0.1), "", {}),
    "Lion": (Lion(weight_decay=0.1), "", {}),
}
"""Optimizers, and their names and settings in PyTorch, where it has them."""


def parabola(p):
    """The gradient of (3 x² + y²) / 2, steeper one way than the other."""
    return array_namespace(p).stack([3 * p[..., 0], p[..., 1]], axis=-1)


def rosenbrock(p):
    """The gradient of (1 - x)² + 100 (y - x²)², a bent valley."""
    x, y = p[..., 0], p[..., 1]
    return array_namespace(p).stack([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)


# The gradient, and learning rates that change on the way: what the velocity remembers of them matters.
TARGETS = {
    "parabola": (parabola, np.asarray([0.1, 0.1, 0.2, 0.05, 0.05])),
    "rosenbrock": (rosenbrock, np.asarray([1e-3, 1e-3, 2e-3, 5e-4, 5e-4])),
}
START = np.asarray([-1.2, 0.75])


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


def descend(optimizer, gradient):
    """The parameters after each step, and the last state."""

    def function(params, rates):  # rates: shape (steps,) or (steps, K)
        state, path = optimizer.init(params), []
        for t in range(rates.shape[0]):
            params, state = optimizer.update(params, gradient(params), state, rates[t, ...])
            path.append(params)
        return path, state

    return function


def pytorchs_path(name, settings, gradient, rates):
    torch = pytest.importorskip("torch")
    params = torch.tensor(START, requires_grad=True)
    optimizer, path = getattr(torch.optim, name)([params], lr=1.0, **settings), []
    for rate in rates.tolist():
        optimizer.param_groups[0]["lr"] = rate
        params.grad = gradient(params.detach())
        optimizer.step()
        path.append(params.detach().numpy().copy())
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][1]])
def test_pytorchs_optimizers_agree(xp, name, target, dtype):
    if (xp.dtype, dtype) == ("float32", "float64"):
        pytest.skip("this device holds no float64")
    xp.dtype = dtype  # what comes back, the state as well, must have it
    optimizer, name, settings = CASES[name]
    gradient, rates = target
    path, _ = xp.call(descend(optimizer, gradient), START, rates)
    expected = pytorchs_path(name, settings, gradient, rates)
    assert not np.allclose(expected[0], expected[-1], rtol=1e-3)  # it gets somewhere
    for one, other in zip(path, expected, strict=True):
        rtol, atol = (1e-12, 0) if dtype == "float64" else (1e-5, 1e-6)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def test_members_are_runs_of_their_own(xp, case, rng):
    optimizer, _, _ = case
    starts, rates = rng.standard_normal((3, 2)), np.outer([0.1, 0.1, 0.2, 0.05], [1.0, 0.1, 0.5])
    run = descend(optimizer, parabola)
    path, state = xp.call(run, starts, rates)
    for k in range(3):
        path_alone, state_alone = xp.call(run, starts[k], rates[:, k])
        for one, other in zip(path, path_alone, strict=True):
            assert_close(one[k], other, xp.rtol)
        assert state.keys() == state_alone.keys()
        for key, other in state_alone.items():
            assert_close(state[key][k] if state[key].ndim else state[key], other, xp.rtol)


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (SGD(), "momentum"),
        (SGD(momentum=0.5, nesterov=True), "momentum"),
        (RMSprop(), "momentum"),
        *((optimizer, "weight_decay") for optimizer in (SGD(momentum=0.9), AdamW(), Lion())),
    ],
    ids=str,
)
def test_each_member_may_have_its_own(xp, rng, optimizer, name):
    values, starts, rates = (0.9, 0.5, 0.3), rng.standard_normal((3, 2)), np.asarray([0.1, 0.2, 0.05])
    assert name in optimizer.PER_MEMBER
    path, _ = xp.call(descend(replace(optimizer, **{name: values}), parabola), starts, rates)
    for k, value in enumerate(values):
        alone, _ = descend(replace(optimizer, **{name: value}), parabola)(starts[k], rates)
        for one, other in zip(path, alone, strict=True):
            assert_close(one[k], other, xp.rtol)


@pytest.mark.parametrize("shape", [(2,), (2, 2)])
@pytest.mark.parametrize(
    "optimizer",
    [SGD(momentum=(0.9, 0.5, 0.3)), RMSprop(momentum=(0.9, 0.5, 0.3)), AdamW(weight_decay=(0.9, 0.5, 0.3))],
    ids=str,
)
def test_as_many_values_as_members(shape, optimizer):
    params = np.zeros(shape)
    with pytest.raises(ValueError, match=r"\(0.9, 0.5, 0.3\): expected one value for each member of params"):
        optimizer.update(params, params, optimizer.init(params), np.asarray(0.1))


def test_one_rate_serves_all_members(xp, case, rng):
    optimizer, _, _ = case
    starts, rates = rng.standard_normal((3, 2)), np.asarray([0.1, 0.2])
    path, _ = xp.call(descend(optimizer, parabola), starts, rates)
    expected, _ = descend(optimizer, parabola)(starts, np.stack([rates] * 3, axis=1))
    for one, other in zip(path, expected, strict=True):
        assert_close(one, other, xp.rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_is_as_good_as_an_array(xp, case, rng, dtype):
    """To the bit; without one the rate is the optimizer's own."""
    if (xp.dtype, dtype) == ("float32", "float64"):
        pytest.skip("this device holds no float64")
    xp.dtype, (optimizer, _, _) = dtype, case
    params, grads = rng.standard_normal((2, 3, 5))

    def step(*lr):
        return lambda params, grads: optimizer.update(params, grads, optimizer.init(params), *lr)

    def steps(params, grads, lr):
        numbers = (), (None,), (optimizer.lr,), (np.float64(optimizer.lr),), (2 * optimizer.lr,)
        return [step(lr)(params, grads), *(step(*number)(params, grads) for number in numbers)]

    by_array, *by_number, other = xp.call(steps, params, grads, np.asarray(optimizer.lr))
    for each in by_number:
        np.testing.assert_equal(each, by_array)
    assert not np.array_equal(other[0], by_array[0])


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_a_schedule_needs_the_epoch(optimizer):
    params = np.ones(3)
    with pytest.raises(
        ValueError, match=r"^lr: .*, because Step\(.*\) is a function .*; pass optimizer.schedule\(epoc"
    ):
        optimizer(Step(0.3, factor=0.1, every=2)).update(params, params, optimizer().init(params))
    constant, _ = optimizer(Constant(0.25)).update(params, params, optimizer().init(params))
    scheduled = optimizer(Step(0.5, factor=0.5, every=2))
    by_epoch, _ = scheduled.update(params, params, scheduled.init(params), scheduled.schedule(3.9))
    np.testing.assert_array_equal(constant, by_epoch)


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (SGD(weight_decay=0.1), []),
        (SGD(momentum=0.9), ["velocity"]),
        *((optimizer, ["m", "v", "t"]) for optimizer in (Adam(), AdamW(), Muon())),
        (RMSprop(), ["v"]),
        (RMSprop(momentum=0.9), ["v", "velocity"]),
        (RMSprop(centered=True), ["v", "mean"]),
        (Lion(), ["m"]),
    ],
)
def test_the_start_is_zeros_shaped_like_the_parameters(xp, optimizer, names):
    state = xp.call(optimizer.init, np.ones((3, 2)))
    assert {name: array.shape for name, array in state.items()} == {n: () if n == "t" else (3, 2) for n in names}
    for array in state.values():
        assert array.dtype == xp.dtype
        np.testing.assert_array_equal(array, 0)


def test_arguments_stay_as_they_were(xp, case):
    optimizer, _, _ = case
    params, grads, rate = xp.put([START, 2 * START, np.asarray(0.1)])
    with xp.context():
        state = optimizer.init(params)
        params, state = optimizer.update(params, grads, state, rate)
    arguments = params, grads, state, rate
    before = tree_map(lambda a: xp.to_host(a).copy(), arguments)
    with xp.context():
        moved, _ = optimizer.update(*arguments)
    assert not np.array_equal(xp.to_host(moved), before[0])
    after = tree_map(xp.to_host, arguments)
    for one, other in zip(after[:2] + after[3:], before[:2] + before[3:], strict=True):
        np.testing.assert_array_equal(one, other)
    assert after[2].keys() == before[2].keys()
    for key in before[2]:
        np.testing.assert_array_equal(after[2][key], before[2][key])


def test_adams_first_step_in_float32_is_the_rate():
    """1 - 0.999 ** t, worked out in float32, would put it off in the fifth digit."""
    xp = Library()
    xp.dtype = "float32"
    rates = np.full(1, 0.5)
    path, _ = xp.call(descend(Adam(), lambda p: p + 2), np.zeros(2), rates)
    np.testing.assert_allclose(path[0], -0.5, rtol=3e-7)


@pytest.mark.parametrize(
    ("optimizer", "settings", "message"),
    [
        (
            SGD,
            {"lr": 0},
            "decoupled=True): expected a positive learning rate",
        ),
        (
            SGD,
            {"lr": -0.1},
            "decoupled=True): expected a positive learning rate",
        ),
        (
            SGD,
            {"lr": float("nan")},
            "decoupled=True): expected a positive learning rate",
        ),
        (
            SGD,
            {"momentum": 1},
            "decoupled=True): expected momentum in [0, 1)",
        ),
        (
            SGD,
            {"momentum": -0.1},
            "decoupled=True): expected momentum in [0, 1)",
        ),
        (
            SGD,
            {"nesterov": True},
            "decoupled=True): expected a momentum above 0 for nesterov=True",
        ),
        (
            SGD,
            {"momentum": (0.5, 1)},
            "decoupled=True): expected momentum in [0, 1)",
        ),
        (
            SGD,
            {"momentum": (0.5, 0.0), "nesterov": True},
            "decoupled=True): expected a momentum above 0 for nesterov=True",
        ),
        (Adam, {"lr": 0.0}, "Adam(lr=0.0, beta1=0.9, beta2=0.999, eps=1e-08): expected a positive learning rate"),
        *(
            (Adam, {name: value}, f"expected {name} in [0, 1)")
            for name in ("beta1", "beta2")
            for value in (1, -0.1, float("nan"))
        ),
        *(
            (kind, {"weight_decay": value}, "expected weight_decay in [0, inf)")
            for kind in (SGD, AdamW, Lion, Muon)
            for value in (-0.1, float("inf"), float("nan"), (0.1, -0.1))
        ),
        *(
            (kind, {name: value}, f"expected {name} in [0, 1)")
            for kind, name in (
                (RMSprop, "alpha"),
                (RMSprop, "momentum"),
                (Lion, "beta1"),
                (Lion, "beta2"),
                (Muon, "momentum"),
            )
            for value in (1, -0.1, float("nan"))
        ),
        *(
            (kind, {name: value}, f"expected a positive, finite {name}")
            for kind, name in ((Adam, "eps"), (AdamW, "eps"), (RMSprop, "eps"), (Muon, "adam_lr"))
            for value in (0, -1e-8, float("inf"), float("nan"))
        ),
    ],
)
def test_settings_out_of_range_are_refused(optimizer, settings, message):
    with pytest.raises(ValueError, match="expected") as refusal:
        optimizer(**settings)
    assert str(refusal.value).endswith(message)
    (key, value), *_ = settings.items()
    assert f"{key}={value}" in str(refusal.value)


@pytest.mark.parametrize(
    ("optimizer", "settings", "message"),
    [
        (SGD, {"weight_decay": "0.1"}, "weight_decay: expected a number, got '0.1'"),
        (AdamW, {"weight_decay": (0.1, None)}, "weight_decay: expected a number, got None"),
        (RMSprop, {"alpha": "0.9"}, "alpha: expected a number, got '0.9'"),
        (RMSprop, {"eps": None}, "eps: expected a number, got None"),
        (RMSprop, {"centered": 1}, "centered: expected True or False, got 1"),
        (Lion, {"beta1": True}, "beta1: expected a number, got True"),
        (Muon, {"adam_lr": "1"}, "adam_lr: expected a number, got '1'"),
    ],
)
def test_settings_of_other_types_are_refused(optimizer, settings, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        optimizer(**settings)


@pytest.mark.parametrize("optimizer", [SGD, Adam, AdamW, RMSprop, Lion, Muon, Optimizer])
def test_the_rate_is_a_number_or_a_schedule(optimizer):
    assert optimizer(lr=0.3).schedule == Constant(0.3)
    schedule = Step(0.3, factor=0.1, every=2)
    assert optimizer(lr=schedule).schedule is schedule


def numbers(kind):
    """Return the names of the settings that are real numbers."""
    return [field.name for field in fields(kind) if "float" in str(field.type)]


def flags(kind):
    return [field.name for field in fields(kind) if field.type in (bool, "bool")]


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, RMSprop, Lion, Muon])
@pytest.mark.parametrize("scalar", [np.float32, np.float64])
def test_numpys_scalars_are_as_good_as_numbers(kind, scalar):
    """Settings of both have the same text, steps the same bits, and what is float32 stays so."""
    settings = {name: True for name in flags(kind)} | dict.fromkeys(numbers(kind), 0.25)  # exact in float32
    optimizer = kind(**settings)
    same = kind(**{name: np.True_ if value is True else scalar(value) for name, value in settings.items()})
    assert repr(same) == repr(optimizer)
    net = Sequential(Linear(2, 3), Linear(3, 3), Linear(3, 2))
    layout = {"layout": net.layout} if optimizer.uses_layout else {}
    params, grads = np.linspace(-1, 1, 2 * net.layout.size, dtype=np.float32).reshape(2, -1)
    expected = optimizer.update(params, grads, optimizer.init(params), **layout)
    after, state = same.update(params, grads, same.init(params), **layout)
    assert {after.dtype, *(array.dtype for array in state.values())} == {np.dtype("float32")}
    np.testing.assert_equal((after, state), expected)


@pytest.mark.parametrize("kind", [SGD, AdamW, RMSprop, Lion, Muon])
def test_values_of_members_become_numbers(kind):
    for name in kind.PER_MEMBER:
        values = getattr(kind(**{name: (np.float64(0.25), np.float32(0.5), 0)}), name)
        assert values == (0.25, 0.5, 0.0)
        assert {type(value) for value in values} == {float}


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, RMSprop, Lion, Muon])
def test_a_tuple_has_a_value_for_each_member(kind):
    for name in numbers(kind):
        if name in kind.PER_MEMBER:
            with pytest.raises(ValueError, match=rf"^{name}: expected a number, or a tuple with .* member, got \(\)$"):
                kind(**{name: ()})
        else:
            with pytest.raises(TypeError, match=f"^{name}: expected a number, got a tuple$"):
                kind(**{name: (0.5,)})


def test_the_edges_of_the_ranges_are_allowed():
    assert SGD(momentum=0).momentum == 0
    assert Adam(beta1=0, beta2=0).beta2 == 0
    assert RMSprop(alpha=0, momentum=0).alpha == 0
    assert Lion(beta1=0, beta2=0, weight_decay=0).beta1 == 0


@pytest.mark.parametrize("optimizer", [SGD(momentum=0.9), Adam(), AdamW(), RMSprop(), Lion(), Muon()], ids=str)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lr": "0.1"}, TypeError, "lr: expected an array of a library, got str"),
        ({"lr": True}, TypeError, "lr: expected a number, got True"),
        ({"lr": -0.1}, ValueError, "lr: expected a rate of 0 or more, finite, got -0.1"),
        ({"lr": float("inf")}, ValueError, "lr: expected a rate of 0 or more, finite, got inf"),
        ({"lr": float("nan")}, ValueError, "lr: expected a rate of 0 or more, finite, got nan"),
        (
            {"lr": np.asarray([0.1, 0.2, 0.3])},
            ValueError,
            "lr: expected shape () or (2,), one for each member, got (3,)",
        ),
        ({"grads": np.ones((2, 3))}, ValueError, "grads: expected the shape of params, (2, 4), got (2, 3)"),
        ({"grads": np.ones(4)}, ValueError, "grads: expected the shape of params, (2, 4), got (4,)"),
        (
            {"grads": np.ones((2, 4), np.float32)},
            TypeError,
            "grads: expected the dtype of params, float64, got float32",
        ),
    ],
)
def test_what_does_not_fit_is_refused(optimizer, change, error, message):
    params = np.zeros((2, 4))
    given = {"params": params, "grads": np.ones((2, 4)), "state": optimizer.init(params), "lr": np.asarray(0.1)}
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        optimizer.update(**given | change)


@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=["SGD", "Adam"])
def test_two_libraries_are_refused(optimizer):
    grads = pytest.importorskip("torch").ones(4)
    params = np.zeros(4, np.float32)
    with pytest.raises(TypeError, match="params is an array of numpy, grads one of torch"):
        optimizer.update(params, grads, optimizer.init(params), np.asarray(0.1, np.float32))
