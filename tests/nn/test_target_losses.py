"""Losses of numbers: against their equations, differences of these, and PyTorch's autograd; recorded; refusals."""

import math

import numpy as np
import pytest
from libraries import tree_map
from loops import PLAIN, own
from numerical import assert_close, central_difference

from anynet import gradcheck
from anynet.nn.losses import CrossEntropy, Huber, binary_cross_entropy, hinge, mean_squared_error

K, N, M = 3, 6, 4


def squared(s, t):
    return (s - t) ** 2


def huber(s, t, delta=0.7):
    return (s - t) ** 2 / 2 if abs(s - t) <= delta else delta * (abs(s - t) - delta / 2)


def logistic(s, t):
    return -t * math.log(1 / (1 + math.exp(-s))) - (1 - t) * math.log(1 / (1 + math.exp(s)))


CASES = {
    "mean_squared_error": (mean_squared_error, squared),
    "Huber": (Huber(0.7), huber),
    "binary_cross_entropy": (binary_cross_entropy, logistic),
}
SHAPES = {
    "single": ((N, M), (N, M)),
    "members": ((K, N, M), (N, M)),
    "members with targets of their own": ((K, N, M), (K, N, M)),
    "one number": ((N, 1), (N, 1)),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=SHAPES)
def drawn(request, rng):
    """Outputs, and targets in [0, 1]."""
    outputs_shape, targets_shape = SHAPES[request.param]
    return 1.5 * rng.standard_normal(outputs_shape), rng.random(targets_shape)


def means(each, outputs, targets):
    """The mean of each member's numbers."""
    numbers = np.vectorize(each)(outputs, targets)
    return numbers.mean(axis=(-2, -1))


def test_the_value_is_the_equation(xp, case, drawn):
    loss, each = case
    value, _ = xp.call(loss, *drawn)
    assert_close(value, means(each, *drawn), 1e-13 if xp.dtype == "float64" else 1e-6)


def test_the_gradient_is_the_equations_difference(xp, case, drawn):
    loss, each = case
    outputs, targets = drawn
    _, gradient = xp.call(loss, outputs, targets)
    expected = central_difference(lambda s: np.sum(means(each, s, targets)), outputs)
    assert_close(gradient, expected, 1e-8 if xp.dtype == "float64" else 1e-5)


def test_members_are_losses_of_their_own(xp, case, rng):
    loss, _ = case
    outputs = rng.standard_normal((K, N, M))
    for targets in (rng.random((N, M)), rng.random((K, N, M))):
        value, gradient = xp.call(loss, outputs, targets)
        for k in range(K):
            value_alone, gradient_alone = xp.call(loss, outputs[k], targets if targets.ndim == 2 else targets[k])
            assert_close(value[k], value_alone, xp.rtol)
            assert_close(gradient[k], gradient_alone, xp.rtol)


def test_pytorchs_autograd_agrees(case, drawn):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    loss, _ = case
    value, gradient = loss(*drawn)
    outputs, targets = (
        torch.tensor(drawn[0], requires_grad=True),
        torch.tensor(np.broadcast_to(drawn[1], gradient.shape)),
    )
    theirs = {
        mean_squared_error: functional.mse_loss,
        Huber(0.7): lambda s, t: functional.huber_loss(s, t, delta=0.7),
        binary_cross_entropy: functional.binary_cross_entropy_with_logits,
    }[loss]
    values = [theirs(s, t) for s, t in zip(outputs, targets, strict=True)] if gradient.ndim == 3 else [
        theirs(outputs, targets)
    ]  # fmt: skip
    torch.stack(values).sum().backward()
    assert_close(value, np.reshape([each.item() for each in values], value.shape), 1e-13)
    assert_close(gradient, outputs.grad.numpy(), 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_numbers(xp, dtype):
    if (xp.dtype, dtype) == ("float32", "float64"):
        pytest.skip("this device holds no float64")
    xp.dtype = dtype
    outputs, targets = np.asarray([[1e4, -1e4], [1e4, -1e4]]), np.asarray([[1.0, 0.0], [0.0, 1.0]])
    value, gradient = xp.call(binary_cross_entropy, outputs, targets)
    np.testing.assert_array_equal(value, 1e4 / 2)
    np.testing.assert_array_equal(gradient, [[0, 0], [0.25, -0.25]])
    value, gradient = xp.call(Huber(2.0), outputs, targets)
    np.testing.assert_allclose(value, (2 * 4e4 - 4 * 2) / 4, rtol=1e-6 if dtype == "float32" else 1e-14)
    np.testing.assert_array_equal(gradient, [[0.5, -0.5]] * 2)


@pytest.mark.parametrize("members", [None, K])
def test_steps_that_are_recorded_are_plain_ones(backend_here, rng, members):
    """Over three batches, values and gradients of all losses."""
    shape = (N, M) if members is None else (members, N, M)

    def step(carry, shared, row):
        outputs, targets, labels = row
        losses = [(loss, targets) for loss, _ in CASES.values()]
        losses += [(loss, labels) for loss in (CrossEntropy(0.1, (1, 2, 3, 4)), CrossEntropy(0.1), hinge)]
        for loss, right in losses:
            value, gradient = loss(outputs + carry[1], right)
            carry = carry[0] + value, carry[1] - 0.1 * gradient
        return carry

    backend_here.dtype("float64")
    rows = rng.standard_normal((3, *shape)), rng.random((3, N, M)), rng.integers(0, M, (3, N))
    carry = np.zeros(shape[:-2]), np.zeros(shape)
    found = own(backend_here).loop(step)(*tree_map(backend_here.asarray, (carry, (), rows)), int)
    expected = PLAIN.loop(step)(carry, (), rows, int)
    for one, other in zip(found, expected, strict=True):
        assert_close(backend_here.to_host(one), other, 1e-12)


def test_they_pass_the_gradient_check(case, drawn):
    gradcheck.check(gradcheck.of_loss(case[0], *drawn)).require()


# ---- refusals


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [((6, 5), (5,)), ((6, 5), (6, 1)), ((6, 1), (6,)), ((3, 6, 5), (2, 6, 5)), ((6,), (6,)), ((6, 5), (3, 6, 5))],
)
def test_shapes_that_do_not_fit_are_refused(case, outputs, targets):
    name = "logits" if case[0] is binary_cross_entropy else "outputs"
    with pytest.raises(ValueError, match=r"^expected") as refusal:
        case[0](np.zeros(outputs), np.zeros(targets))
    assert str(refusal.value) == (
        f"expected {name} of shape (..., N, m) and targets of shape (N, m) or (..., N, m), got {outputs} and {targets}"
    )


@pytest.mark.parametrize(
    ("outputs", "targets", "message"),
    [
        ("int64", "float64", r"^(logits|outputs): expected floating-point numbers, got int64$"),
        ("float64", "int64", r"^targets: expected floating-point numbers, got int64$"),
        ("float32", "float64", r"^targets: expected the dtype of (logits|outputs), float32, got float64; cast one"),
    ],
)
def test_other_dtypes_are_refused(case, outputs, targets, message):
    with pytest.raises(TypeError, match=message):
        case[0](np.zeros((2, 3), outputs), np.zeros((2, 3), targets))


def test_arrays_of_two_libraries_are_refused(case):
    targets = pytest.importorskip("torch").zeros((2, 3))
    with pytest.raises(TypeError, match=r" is an array of numpy, targets one of torch: bring both"):
        case[0](np.zeros((2, 3)), targets)


@pytest.mark.parametrize(("wrong", "found"), [(-0.5, r"-0\.5"), (2.0, r"2\.0"), (math.nan, "nan")])
def test_targets_that_are_no_probabilities_are_refused(backend_here, wrong, found):
    targets = np.zeros((2, 3), np.float32)
    targets[1, 2] = wrong
    arrays = backend_here.asarray(np.zeros((2, 3), np.float32)), backend_here.asarray(targets)
    with pytest.raises(ValueError, match=rf"^targets: expected probabilities, 0 to 1, got {found} at index 1, 2$"):
        binary_cross_entropy(*arrays)


def test_they_make_the_loss_nan_where_they_cannot_be_read():
    jax = pytest.importorskip("jax")
    targets = np.zeros((3, 2, 2), np.float32)
    targets[1, 0, 1] = 1.5
    value, _ = jax.jit(binary_cross_entropy)(jax.numpy.zeros((3, 2, 2), "float32"), jax.numpy.asarray(targets))
    np.testing.assert_array_equal(np.isnan(value), [False, True, False])


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf, math.nan])
def test_distances_out_of_range_are_refused(delta):
    with pytest.raises(ValueError, match=rf"^Huber\(delta={delta}\): expected delta finite, above 0$"):
        Huber(delta)


def test_huber_is_a_value():
    assert Huber() == Huber(1.0) != Huber(2.0)
    assert hash(Huber(1)) == hash(Huber(1.0))
    with pytest.raises(TypeError, match="delta: expected a number, got '1'"):
        Huber("1")
