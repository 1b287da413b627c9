"""The losses, on every array library: against their equations, differences of these, and PyTorch's autograd."""

import math
from functools import partial

import numpy as np
import pytest
from numerical import assert_close, central_difference

from anynet.compiler import trace
from anynet.nn.losses import CrossEntropy, correct, hinge, softmax_cross_entropy

K, N, C = 3, 6, 5


def cross_entropy_equation(logits, labels):
    """The sum over one batch of the log of 1 / p, sample by sample."""
    return sum(math.log(sum(math.exp(s - row[y]) for s in row)) for row, y in zip(logits, labels, strict=True)) / len(
        logits
    )


def hinge_equation(logits, labels):
    return sum(
        max(0.0, s - row[y] + 1) for row, y in zip(logits, labels, strict=True) for j, s in enumerate(row) if j != y
    ) / len(logits)


def general_equation(smoothing, weights):
    """The same with other probabilities than 0 and 1, each class counted by its weight."""

    def equation(logits, labels):
        found = 0.0
        for row, y in zip(logits, labels, strict=True):
            log_sum = math.log(sum(math.exp(s) for s in row))
            for j, s in enumerate(row):
                found += weights[j] * ((1 - smoothing) * (j == y) + smoothing / C) * (log_sum - s)
        return found / sum(weights[y] for y in labels)

    return equation


WEIGHTS = (0.5, 1.0, 3.0, 0.25, 2.0)
SMOOTHED, WEIGHTED, BOTH = CrossEntropy(0.2), CrossEntropy(0, WEIGHTS), CrossEntropy(0.1, WEIGHTS)
CASES = {
    "softmax_cross_entropy": (softmax_cross_entropy, cross_entropy_equation),
    "hinge": (hinge, hinge_equation),
    "cross-entropy without settings": (CrossEntropy(), cross_entropy_equation),
    "smoothed": (SMOOTHED, general_equation(0.2, (1.0,) * C)),
    "weighted": (WEIGHTED, general_equation(0.0, WEIGHTS)),
    "smoothed and weighted": (BOTH, general_equation(0.1, WEIGHTS)),
}
SHAPES = {
    "single": ((N, C), (N,)),
    "members": ((K, N, C), (N,)),
    "members with labels of their own": ((K, N, C), (K, N)),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=CASES)
def every(request):
    return CASES[request.param][0]


@pytest.fixture(params=["softmax_cross_entropy", "hinge", "smoothed"])
def loss(request):
    """Losses for any number of classes."""
    return CASES[request.param][0]


@pytest.fixture(params=SHAPES)
def drawn(request, rng):
    """Logits and labels, no logit so close to the hinge's kink that a difference could step over it."""
    logits_shape, labels_shape = SHAPES[request.param]
    logits, labels = 1.5 * rng.standard_normal(logits_shape), rng.integers(0, C, labels_shape)
    every_label = np.broadcast_to(labels, logits_shape[:-1])[..., None]
    to_kink = logits - np.take_along_axis(logits, every_label, axis=-1) + 1
    assert np.min(np.abs(to_kink)) > 1e-3
    assert 0.1 < np.mean(to_kink > 0) < 0.9  # both sides of the kink are tried
    return logits, labels


def by_member(equation, logits, labels):
    """The equation for one net, or for each of K."""
    if logits.ndim == 2:
        return np.asarray(equation(logits, labels))
    return np.stack([equation(logits[k], labels if labels.ndim == 1 else labels[k]) for k in range(len(logits))])


def test_the_value_is_the_equation(xp, case, drawn):
    loss, equation = case
    value, _ = xp.call(loss, *drawn)
    assert_close(value, by_member(equation, *drawn), 1e-13 if xp.dtype == "float64" else 1e-6)


def test_the_gradient_is_the_equations_difference(xp, case, drawn):
    loss, equation = case
    logits, labels = drawn
    _, gradient = xp.call(loss, logits, labels)
    # No member's loss depends on another's logits, so the gradient of the sum holds the gradient of each.
    expected = central_difference(lambda s: np.sum(by_member(equation, s, labels)), logits)
    assert_close(gradient, expected, 1e-8 if xp.dtype == "float64" else 1e-5)


def test_libraries_agree(xp, every, drawn):
    expected = every(*drawn)
    for one, other in zip(xp.call(every, *drawn), expected, strict=True):
        assert_close(one, other, xp.rtol)


def test_members_are_losses_of_their_own(xp, every, rng):
    logits = rng.standard_normal((K, N, C))
    for labels in (rng.integers(0, C, N), rng.integers(0, C, (K, N))):
        value, gradient = xp.call(every, logits, labels)
        assert value.shape == (K,)
        for k in range(K):
            value_alone, gradient_alone = xp.call(every, logits[k], labels if labels.ndim == 1 else labels[k])
            assert_close(value[k], value_alone, xp.rtol)
            assert_close(gradient[k], gradient_alone, xp.rtol)


def test_pytorchs_autograd_agrees(every, drawn):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    logits, labels = drawn
    value, gradient = every(logits, labels)

    t = torch.tensor(logits, requires_grad=True)
    y = torch.tensor(np.broadcast_to(labels, logits.shape[:-1]).copy())
    each = {
        softmax_cross_entropy: lambda s, y: functional.cross_entropy(s, y),
        # PyTorch's sums over the classes and divides by how many there are.
        hinge: lambda s, y: C * functional.multi_margin_loss(s, y, p=1, margin=1.0),
    }.get(every) or partial(
        functional.cross_entropy,
        label_smoothing=every.label_smoothing,
        weight=every.class_weights and torch.tensor(every.class_weights, dtype=torch.float64),
    )
    theirs = each(t, y) if logits.ndim == 2 else torch.stack([each(t[k], y[k]) for k in range(K)])
    theirs.sum().backward()
    assert_close(value, theirs.detach().numpy(), 1e-13)
    assert_close(gradient, t.grad.numpy(), 1e-13)


def test_cross_entropy_known_by_hand(xp):
    # Probabilities 1/8, 2/8, 5/8 and 1/2, 1/4, 1/4.
    logits = np.log(np.asarray([[1.0, 2.0, 5.0], [2.0, 1.0, 1.0]]))
    value, gradient = xp.call(softmax_cross_entropy, logits, np.asarray([2, 1]))
    assert_close(value, (math.log(8 / 5) + math.log(4)) / 2, xp.rtol)
    assert_close(gradient, np.asarray([[1 / 8, 2 / 8, -3 / 8], [1 / 2, -3 / 4, 1 / 4]]) / 2, xp.rtol)


def test_hinge_known_by_hand(xp):
    logits = np.asarray([[3.0, 2.5, 0.0, 4.0], [1.0, 0.0, 0.0, 3.0]])
    value, gradient = xp.call(hinge, logits, np.asarray([0, 3]))
    np.testing.assert_array_equal(value, (0.5 + 2.0) / 2)
    np.testing.assert_array_equal(gradient, np.asarray([[-2.0, 1, 0, 1], [0, 0, 0, 0]]) / 2)


def test_hinge_takes_the_flat_side_at_the_margin(xp):
    value, gradient = xp.call(hinge, np.asarray([[1.0, 0.0, -3.0]]), np.asarray([0]))
    np.testing.assert_array_equal(value, 0)
    np.testing.assert_array_equal(gradient, np.zeros((1, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_huge_logits(xp, dtype):
    if (xp.dtype, dtype) == ("float32", "float64"):
        pytest.skip("this device holds no float64")
    xp.dtype = dtype
    logits, labels = np.asarray([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]]), np.asarray([1, 0, 2])
    value, gradient = xp.call(softmax_cross_entropy, logits, labels)
    # Minus log p is 2e4 for the first sample, 0 for the second, log 3 for the third.
    np.testing.assert_allclose(value, (2e4 + 0 + math.log(3)) / 3, rtol=1e-6 if dtype == "float32" else 1e-14)
    expected = np.asarray([[1, -1, 0], [0, 0, 0], [1 / 3, 1 / 3, -2 / 3]]) / 3
    np.testing.assert_allclose(gradient, expected, rtol=1e-6 if dtype == "float32" else 1e-14, atol=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hinge_of_huge_logits(xp, dtype):
    if (xp.dtype, dtype) == ("float32", "float64"):
        pytest.skip("this device holds no float64")
    xp.dtype = dtype
    value, gradient = xp.call(hinge, np.asarray([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]]), np.asarray([1, 0]))
    np.testing.assert_array_equal(value, (20001 + 10001) / 2)
    np.testing.assert_array_equal(gradient, np.asarray([[1, -2, 1], [0, 0, 0]]) / 2)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_labels_of_any_integer_dtype(xp, loss, dtype):
    # Classes beyond 127, so that a signed byte on the way would show.
    logits, labels = np.zeros((2, 200)), np.asarray([199, 130])
    logits[[0, 1], labels] = 3.0
    value, gradient = xp.call(loss, logits, labels.astype(dtype))
    right = math.exp(3) / (math.exp(3) + 199)
    smoothed = 0.2 / 200 * (math.log(right) * 200 - 199 * 3) * -1 + 0.8 * -math.log(right), right - 0.8 - 0.001
    expected, slope = {
        softmax_cross_entropy: (-math.log(right), right - 1), hinge: (0.0, 0.0), SMOOTHED: smoothed
    }[loss]  # fmt: skip
    assert_close(value, expected, xp.rtol)
    assert_close(gradient[[0, 1], labels], np.full(2, slope / 2), xp.rtol)


def test_correct_counts(xp):
    logits = np.asarray([[[3.0, 1, 2], [0, 5, 1], [0, 1, 2]], [[1.0, 3, 2], [0, 5, 1], [2, 1, 0]]])
    for labels, expected in (
        (np.asarray([0, 1, 1]), [2, 1]),
        (np.asarray([[0, 1, 2], [0, 0, 1]]), [3, 0]),
    ):
        count = xp.call(correct, logits, labels)
        assert count.dtype.kind == "i"
        np.testing.assert_array_equal(count, expected)
    np.testing.assert_array_equal(xp.call(correct, logits[1], np.asarray([1, 2, 0])), 2)


@pytest.mark.parametrize(
    ("logits_shape", "labels_shape"),
    [
        ((6, 5), (5,)),
        ((6, 5), (6, 1)),
        ((6, 5), (3, 6)),
        ((3, 6, 5), (2, 6)),
        ((3, 6, 5), (3,)),
        ((3, 6, 5), (3, 6, 5)),
        ((6,), ()),
        ((6,), (6,)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(loss, logits_shape, labels_shape):
    with pytest.raises(ValueError, match="expected logits of shape") as refusal:
        loss(np.zeros(logits_shape), np.zeros(labels_shape, int))
    assert str(refusal.value) == (
        f"expected logits of shape (..., N, C) and labels of shape (N,) or (..., N), "
        f"got {logits_shape} and {labels_shape}"
    )


def test_labels_that_are_no_integers_are_refused(xp, loss):
    # Libraries put their own name ahead of the dtype's, and JAX a note behind the message.
    with pytest.raises(
        TypeError, match=rf"^labels: expected integers, the class indices, got ([a-z_]+\.)?{xp.dtype}(\n|$)"
    ):
        xp.call(loss, np.zeros((2, 3)), np.zeros(2))


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex128"])
def test_logits_that_are_no_real_numbers_are_refused(loss, dtype):
    with pytest.raises(TypeError, match=rf"^logits: expected floating-point numbers, got {dtype}$"):
        loss(np.zeros((2, 3), dtype), np.asarray([0, 1]))


LABELS_OUT_OF_RANGE = [
    ([[1.0, 2, 3]], [7], r"7 at index 0"),
    ([[1.0, 2, 3]], [-1], r"-1 at index 0"),
    ([[1.0, 2, 3]] * 3, [2, 0, 3], r"3 at index 2"),
    ([[[1.0, 2, 3]] * 2] * 2, [[0, 1], [2, -9]], r"-9 at index 1, 1"),
]


@pytest.mark.parametrize(("logits", "labels", "found"), LABELS_OUT_OF_RANGE)
@pytest.mark.parametrize("function", [softmax_cross_entropy, hinge, correct])
def test_labels_out_of_range_are_refused(backend_here, function, logits, labels, found):
    logits, labels = (backend_here.asarray(np.asarray(a, t)) for a, t in ((logits, "float32"), (labels, "int32")))
    with pytest.raises(ValueError, match=rf"^labels: expected 0 to 2, the indices of 3 classes, got {found}$"):
        function(logits, labels)


def test_a_label_beyond_its_dtype_cannot_be(xp, loss):
    value, _ = xp.call(loss, np.zeros((1, 300)), np.asarray([255], "uint8"))
    assert np.isfinite(value)


@pytest.mark.parametrize(("logits", "labels", "found"), LABELS_OUT_OF_RANGE)
def test_labels_out_of_range_make_the_loss_nan_where_they_cannot_be_read(loss, logits, labels, found):
    jax = pytest.importorskip("jax")
    logits, labels = np.asarray(logits, "float32"), np.asarray(labels)
    wrong = ((labels < 0) | (labels > 2)).any(axis=-1)
    value, _ = jax.jit(loss)(jax.numpy.asarray(logits), jax.numpy.asarray(labels))
    np.testing.assert_array_equal(np.isnan(value), wrong)
    recorded = trace(loss, np, logits, np.clip(labels, 0, 2))
    assert recorded.outputs[0].shape == wrong.shape


def test_a_loop_of_ones_own_tells_labels_out_of_range(backend_here):
    """The loss of a step is a flag, read after the loop, whatever the loop does with it."""

    def step(carry, logits, labels):
        return carry + softmax_cross_entropy(logits, labels)[0]

    put = backend_here.asarray
    logits, carry = put(np.zeros((2, 3), "float32")), put(np.zeros((), "float32"))
    loop = backend_here.loop(step)
    labels = np.asarray([[0, 1], [2, 0]])
    right = backend_here.to_host(loop(carry, logits, put(labels), int))
    np.testing.assert_allclose(right, 2 * math.log(3), rtol=1e-6)
    labels[1, 0] = 3
    if backend_here.target is None and backend_here.name != "jax":
        with pytest.raises(ValueError, match="got 3 at index 0"):
            loop(carry, logits, put(labels), int)
    else:
        assert np.isnan(backend_here.to_host(loop(carry, logits, put(labels), int)))


def test_one_hot_labels_are_refused(loss):
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(2, 3\)$"):
        loss(np.zeros((2, 3)), np.asarray([[1, 0, 0], [0, 1, 0]]))


@pytest.mark.parametrize("other", ["torch", "array_api_strict"])
def test_arrays_of_two_libraries_are_refused(loss, other):
    labels = pytest.importorskip(other).asarray([0, 1])
    with pytest.raises(TypeError, match=rf"^logits is an array of numpy, labels one of {other}: bring both to one"):
        loss(np.zeros((2, 3)), labels)


def test_arrays_on_two_devices_are_refused(loss):
    strict = pytest.importorskip("array_api_strict")
    here, there = strict.Device("CPU_DEVICE"), strict.Device("device1")
    with pytest.raises(ValueError, match=r"^logits is on device .*device1.*, labels on .*CPU_DEVICE.*: bring both"):
        loss(strict.zeros((2, 3), device=there), strict.zeros(2, dtype=strict.int64, device=here))


@pytest.mark.parametrize("function", [softmax_cross_entropy, hinge, correct])
def test_a_list_of_labels_is_refused(function):
    with pytest.raises(TypeError, match=r"^labels: expected an array of a library, got list$"):
        function(np.zeros((2, 3)), [0, 1])


# ---- settings


def test_losses_with_settings_are_values():
    assert CrossEntropy(0.1, [1, 2]) == CrossEntropy(0.1, (1.0, 2.0)) == CrossEntropy(0.1, np.asarray([1.0, 2.0]))
    assert hash(CrossEntropy(0.1, [1, 2])) == hash(CrossEntropy(0.1, (1.0, 2.0)))
    assert CrossEntropy(0.1) != CrossEntropy(0.2)
    assert str(CrossEntropy(0.1, [1, 2])) == "CrossEntropy(label_smoothing=0.1, class_weights=(1.0, 2.0))"
    assert CrossEntropy() == CrossEntropy(label_smoothing=0.0, class_weights=None)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"label_smoothing": 1.0}, ValueError, r"expected label_smoothing in \[0, 1\)$"),
        ({"label_smoothing": -0.1}, ValueError, r"expected label_smoothing in \[0, 1\)$"),
        ({"label_smoothing": math.nan}, ValueError, r"expected label_smoothing in \[0, 1\)$"),
        ({"label_smoothing": "0.1"}, TypeError, "label_smoothing: expected a number, got '0.1'$"),
        ({"class_weights": (1.0, 0.0)}, ValueError, "^class_weights: expected finite numbers above 0, one for each cl"),
        ({"class_weights": (1.0, math.inf)}, ValueError, "^class_weights: expected finite numbers above 0"),
        ({"class_weights": ()}, ValueError, "^class_weights: expected finite numbers above 0"),
        ({"class_weights": ("a",)}, TypeError, "^class_weights: expected a number, got 'a'$"),
        ({"class_weights": "balanced"}, TypeError, "^class_weights: expected a number for each class, got 'balanced'$"),
        ({"class_weights": 2.0}, TypeError, r"^class_weights: expected a number for each class, got 2\.0$"),
        (
            {"class_weights": {1: 0.5, 2: 0.25}},
            TypeError,
            "^class_weights: expected a number for each class, got a dict$",
        ),
        ({"class_weights": {0.5, 0.25}}, TypeError, "^class_weights: expected a number for each class, got a set$"),
        ({"class_weights": b"ab"}, TypeError, "^class_weights: expected a number for each class, got b'ab'$"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        CrossEntropy(**settings)


def test_weights_of_other_classes_are_refused(xp):
    with pytest.raises(ValueError, match=r"^class_weights: expected 3 weights, one for each class, got 2"):
        xp.call(CrossEntropy(class_weights=(1, 2)), np.zeros((2, 3)), np.asarray([0, 1]))
