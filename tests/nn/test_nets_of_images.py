"""Nets of images: forms of their input, sizes, nested nets, layers of others, tables, and what they refuse."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numerical import assert_close

import anynet as an
from anynet import gradcheck
from anynet.core.pixels import IMAGES, PIXELS, ROWS, form_of, from_pixels, to_pixels
from anynet.nn.initializers import Ones
from anynet.nn.net_json import net_from_json, to_json
from anynet.nn.nets import airbench94, lenet, resnet9, resnet18

SHAPE, N = (3, 5, 4), 3
UNSIZED = (
    *(an.Conv2d(4, 3, stride=2), an.BatchNorm(), an.ReLU()),
    an.Residual(an.Conv2d(6), an.Tanh(), shortcut=an.Sequential(an.Linear(6), an.BatchNorm())),
    an.Sequential(an.AvgPool2d((2, 1)), an.Sequential(an.MaxPool2d((1, 2), padding=(0, 1)))),
    an.Flatten(),
    an.Linear(3),
)
NET = an.Sequential(*UNSIZED, input_shape=SHAPE)


def drawn(rng, form, members=()):
    """The same images in a form."""
    images = rng.standard_normal((*members, N, *SHAPE))
    pixels = to_pixels(images, SHAPE)
    return {IMAGES: images, ROWS: images.reshape(*members, N, -1), PIXELS: pixels}[form]


# ---- forms of the input


@pytest.mark.parametrize("members", [(), (2,)], ids=["single", "members"])
@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_rows_images_and_pixels_are_the_same_input(members, shared):
    params, state = NET.init([1, 2] if members else 1, like=np.zeros(1))
    results = {}
    for form in (IMAGES, ROWS, PIXELS):
        x = drawn(np.random.default_rng(0), form, () if shared else members)
        y, cache, new = NET.forward(params, state, x, train=True)
        assert y.shape == (*members, N, 3)
        dx, grads = NET.backward(params, cache, np.cos(y))
        assert dx.shape == (*members, *x.shape[0 if shared else len(members) :])
        np.testing.assert_array_equal(NET.parameter_gradients(params, cache, np.cos(y)), grads)
        results[form] = y, to_pixels(dx, SHAPE), grads, *new.values(), NET(params, state, x)
    for form in (ROWS, PIXELS):
        for one, other in zip(results[form], results[IMAGES], strict=True):
            np.testing.assert_array_equal(one, other)


def test_jax_compiles_forward_and_backward_apart(rng):
    jax = pytest.importorskip("jax")
    net = an.Sequential(an.Conv2d(4), an.MaxPool2d(2), an.Flatten(), an.Linear(3), input_shape=SHAPE)
    params, state = net.init(0)
    for form in (IMAGES, ROWS, PIXELS):
        x = drawn(rng, form).astype(np.float32)
        y, cache, _ = jax.jit(lambda *args: net.forward(*args, train=True))(params, state, jax.numpy.asarray(x))
        dx, _ = jax.jit(net.backward)(jax.numpy.asarray(params), cache, y)
        assert dx.shape == x.shape


def test_a_pixel_has_the_channels_of_its_place(rng):
    images = rng.standard_normal((2, N, *SHAPE))
    pixels = to_pixels(images, SHAPE)
    for k, n, c, i, j in np.ndindex(images.shape):
        assert pixels[k, n * 20 + i * 4 + j, c] == images[k, n, c, i, j]
    for form, x in ((IMAGES, images), (ROWS, images.reshape(2, N, 60)), (PIXELS, pixels)):
        assert form_of(x, SHAPE) == form
        np.testing.assert_array_equal(from_pixels(pixels, SHAPE, form), x)


@pytest.mark.parametrize("shape", [(N, 59), (N, 3, 4, 5), (N * 20 + 1, 3), (N * 20, 4), (60,), (3, 5, 4), (N, 5, 4, 3)])
def test_other_inputs_are_refused(shape):
    message = r"^layer 0, Conv2d\(.*: expected x of shape \(\.\.\., N, 60\), \(\.\.\., N, 3, 5, 4\) or pixels, got \("
    with pytest.raises(ValueError, match=message):
        NET(*NET.init(0, like=np.zeros(1)), np.zeros(shape))


def test_without_a_number_of_channels_the_input_is_pixels():
    net = an.Sequential(an.MaxPool2d(2), an.GlobalPool(), input_shape=(3, 4, 4))
    assert net(np.zeros(0), {}, np.ones((32, 5))).shape == (2, 5)
    with pytest.raises(ValueError, match=r"expected pixels of shape \(\.\.\., N \* 16, n\), got \(5, 48\)$"):
        net(np.zeros(0), {}, np.ones((5, 48)))


def test_gradients_of_a_nested_net(rng):
    for form in (IMAGES, ROWS, PIXELS):
        subject = gradcheck.of_net(NET, drawn(rng, form), rng.integers(0, 3, N), l2=0.1)
        gradcheck.check(subject, probes=20).require()
    images = drawn(rng, IMAGES)
    gradcheck.check(gradcheck.of_net(an.Sequential(*UNSIZED), images, rng.integers(0, 3, N)), probes=5).require()
    with pytest.raises(ValueError, match=r"expected samples of shape \(channels, rows, columns\), got \(60,\); if"):
        gradcheck.of_net(an.Sequential(*UNSIZED), images.reshape(N, -1), [0, 1, 2])


# ---- residual connections


def test_a_shortcut_is_added(rng, xp):
    block = NET[3]
    *branch, ahead = block
    x, dy = rng.standard_normal((2, N * 6, 4)), rng.standard_normal((2, N * 6, 6))
    params, state = an.Sequential(block).init([1, 2], like=np.zeros(1))
    named = {name[2:]: a for name, a in an.Sequential(block).layout.split(params).items()}
    state = {name[2:]: a for name, a in state.items()}
    first, second = an.Sequential(*branch), an.Sequential(*ahead)

    def own(parts, place):
        return {n.removeprefix(place): a for n, a in parts.items() if n.startswith("2.") == (place == "2.")}

    def both(named, state, x, dy):
        y, cache, new = block.forward(named, state, x, train=True)
        found = y, *block.backward(named, cache, dy), block.parameter_gradients(named, cache, dy), new
        parts = []
        for net, place in ((first, ""), (second, "2.")):
            y, cache, new = net.forward(own(named, place), own(state, place), x, train=True)
            dx, grads = net.backward(own(named, place), cache, dy)
            parts.append((y, dx, *({f"{place}{n}": a for n, a in each.items()} for each in (grads, new))))
        (y, dx, grads, new), (more_y, more_dx, more_grads, more_new) = parts
        return found, (y + more_y, dx + more_dx, grads | more_grads, grads | more_grads, new | more_new)

    found, expected = xp.call(both, named, state, x, dy)
    for one, other in zip(found, expected, strict=True):
        for name in other if isinstance(other, dict) else [None]:
            assert_close(*((one, other) if name is None else (one[name], other[name])), xp.rtol)
        assert not isinstance(other, dict) or one.keys() == other.keys()


def test_random_layers_of_a_shortcut_have_numbers_of_their_own():
    net = an.Sequential(an.Residual(an.Dropout(), shortcut=an.Dropout()))
    y = net.forward(np.zeros(0), {}, np.ones((50, 40)), train=True, rng=an.random.key(0))[0]
    assert set(np.unique(y)) == {0, 2, 4}
    np.testing.assert_array_equal(net(np.zeros(0), {}, np.ones((2, 3))), np.full((2, 3), 2.0))


def test_a_shortcut_is_shown_as_it_was_written():
    block = an.Residual(an.Conv2d(6), an.ReLU(), shortcut=an.Conv2d(6, 1, stride=2, bias=False))
    text = "Residual(Conv2d(6), ReLU(), shortcut=Conv2d(6, kernel=1, stride=2, bias=False))"
    assert repr(block) == text
    net = an.Sequential(*UNSIZED)
    assert eval(repr(net), vars(an)) == net
    assert eval(repr(an.Sequential(block, an.GlobalPool())), vars(an)) == an.Sequential(block, an.GlobalPool())
    assert repr(NET[3]) == "Residual(Conv2d(6), Tanh(), shortcut=Sequential(Linear(4, 6), BatchNorm(6)))"
    assert an.Residual(*block) == block


# ---- sizes


def test_sizes_are_inferred_in_nested_nets():
    assert an.Sequential(an.Sequential(*UNSIZED), input_shape=SHAPE)[0] == NET
    assert an.Sequential(*UNSIZED).with_samples(SHAPE) == NET
    assert [layer.image for layer in NET if layer.takes_images] == [(5, 4), (3, 2), (3, 2), (1, 2)]
    assert NET[0] == an.Conv2d(4, 3, stride=2, n_in=3, image=(5, 4))
    assert (NET.image_shape, NET.n_in, NET.features(), NET.n_out) == (SHAPE, 60, (3, 3), 3)
    assert (NET[:3].image_out(NET.image), NET.image_out(NET.image)) == ((3, 2), None)
    assert NET.with_samples(SHAPE) is NET
    assert NET.with_samples((60,)) is NET


def test_1x1_convolutions_are_linear_layers(rng):
    x = rng.standard_normal((2 * 20, 3))
    conv, linear = an.Conv2d(5, 1, n_in=3, image=(5, 4)), an.Linear(3, 5)
    w, b, dy = rng.standard_normal((3, 5)), rng.standard_normal(5), rng.standard_normal((40, 5))
    y, cache, _ = conv.forward({"W": w[None, None], "b": b}, {}, x, train=True)
    expected, other, _ = linear.forward({"W": w, "b": b}, {}, x, train=True)
    assert_close(y, expected, 1e-14)
    dx, grads = conv.backward({"W": w[None, None], "b": b}, cache, dy)
    expected, others = linear.backward({"W": w, "b": b}, other, dy)
    assert_close(dx, expected, 1e-14)
    assert_close(grads["W"][0, 0], others["W"], 1e-14)


def test_weights_of_kernels_are_in_the_penalty():
    assert {name for name, p in NET.parameters().items() if p.is_weight} == {"0.W", "3.0.W", "3.2.0.W", "6.W"}


# ---- tables


def test_a_table_has_images_and_counts_their_pixels():
    outputs = {output.name: output for output in NET.outputs()}
    assert {name: (each.image, each.n) for name, each in outputs.items()} == {
        "0": ((3, 2), 4), "1": ((3, 2), 4), "2": ((3, 2), 4),
        "3": ((3, 2), 6), "3.0": ((3, 2), 6), "3.1": ((3, 2), 6),
        "3.2": ((3, 2), 6), "3.2.0": ((3, 2), 6), "3.2.1": ((3, 2), 6),
        "4": ((1, 2), 6), "4.0": ((1, 2), 6), "4.1": ((1, 2), 6), "4.1.0": ((1, 2), 6),
        "5": (None, 12), "6": (None, 3),
    }  # fmt: skip
    counted = {"0": 6 * 27 * 4, "1": 6 * 4, "3.0": 6 * 36 * 6, "3.2.0": 6 * 4 * 6, "3.2.1": 6 * 6, "6": 12 * 3}
    leaves = {name: each.multiply_adds for name, each in outputs.items() if not each.is_container}
    assert {name: n for name, n in leaves.items() if n} == counted
    assert NET.multiply_adds() == sum(counted.values())
    rows = {line.split()[0]: line for line in NET.summary().splitlines() if not line.startswith(" ")}
    assert list(rows) == ["layer", "0", "1", "2", "3", "3.0", "3.1", "3.2", "3.2.0", "3.2.1", "4.0", "4.1.0", *"56",
                          "total"]  # fmt: skip
    assert rows["0"].split() == ["0", "Conv2d(4,", "stride=2)", "(N,", "3,", "2,", "4)", "112", "648"]
    assert rows["5"].split() == ["5", "Flatten()", "(N,", "12)", "0", "0"]
    assert rows["total"].split() == ["total", f"{NET.n_parameters:,}", f"{sum(counted.values()):,}"]


def test_layers_ahead_of_the_first_of_images_run_for_each_pixel():
    net = an.Sequential(an.BatchNorm(), an.Linear(8), an.Conv2d(2, 3, stride=2), an.GlobalPool(), input_shape=(3, 4, 4))
    assert [output.multiply_adds for output in net.outputs()] == [16 * 3, 16 * 24, 4 * 72 * 2, 0]
    assert [output.values for output in net.outputs()] == [48, 128, 8, 0]


def test_layers_of_a_shortcut_have_the_size_of_its_input():
    block = an.Residual(an.Conv2d(4, 3, stride=2), shortcut=an.Sequential(an.BatchNorm(), an.Conv2d(4, 1, stride=2)))
    net = an.Sequential(block, an.GlobalPool(), input_shape=(2, 4, 4))
    counted = {output.name: output.multiply_adds for output in net.outputs() if not output.is_container}
    assert counted == {"0.0": 4 * 72, "0.1.0": 16 * 2, "0.1.1": 4 * 8, "1": 0}


@pytest.mark.parametrize(
    ("make", "shape", "parameters", "multiply_adds"),
    [
        # LeCun et al. have connections between some maps alone in their third layer; otherwise these are their numbers.
        (lenet, (1, 32, 32), 156 + 2416 + 48120 + 10164 + 850, 28 * 28 * 150 + 100 * 2400 + 48000 + 10080 + 840),
        (lenet, (1, 28, 28), 156 + 2416 + 48120 + 10164 + 850, 28 * 28 * 150 + 100 * 2400 + 48000 + 10080 + 840),
        (resnet9, (3, 32, 32), 6_573_130, None),
        (resnet18, (3, 32, 32), 11_173_962, None),
    ],
)
def test_well_known_nets_have_their_numbers(make, shape, parameters, multiply_adds):
    """Parameters of ResNet-9 and ResNet-18 are those that PyTorch counts in the usual implementations."""
    net = make(shape, 10)
    assert net.n_parameters == parameters
    assert multiply_adds in (None, net.multiply_adds())


@pytest.mark.parametrize(("make", "least"), [(lenet, 16), (resnet9, 8), (airbench94, 25)])
def test_well_known_nets_take_images_of_a_size(make, least):
    """From the least on, with one pixel left ahead of the last linear layer."""
    (*_, last) = (each for each in make((1, least, least + 1), 10).outputs() if each.image)
    assert last.image == (1, 1)
    message = f"^{make.__name__}: expected images of {least} x {least} pixels or more, got {least} x {least - 1}$"
    with pytest.raises(ValueError, match=message):
        make((1, least, least - 1), 10)
    with pytest.raises(
        ValueError, match=rf"^{make.__name__}: expected a shape \(channels, rows, columns\), .* got 784$"
    ):
        make(784, 10)


def test_the_last_pooling_of_resnet9_is_over_the_image():
    for side, left in ((28, 3), (32, 4), (64, 8)):
        assert resnet9((1, side, side), 10).layers[-3].kernel == left


# ---- JSON


def test_json_of_a_net_of_images():
    again = net_from_json(to_json(NET))
    assert again == NET
    assert again.image_shape == SHAPE
    layer = an.Conv2d(4, (1, 3), stride=(2, 1), padding=(1, 2, 0, 1), groups=2, bias=False, init=an.Xavier())
    net = an.Sequential(
        layer, an.AvgPool2d(2, stride=1, padding="same"), an.Flatten(), an.Linear(2), input_shape=(2, 5, 4)
    )
    assert net_from_json(to_json(net)) == net


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": 2.5}, "kernel: expected a whole number, got 2.5"),
        ({"padding": "full"}, 'padding: expected "same", "valid" or a number of pixels, got "full"'),
        ({"image": [5]}, "image: expected one number, or one of rows and one of columns, got 1"),
        ({"image": [0, 4]}, r"image: expected 1 or more, got \[0, 4\]"),
        ({"groups": 3}, "expected multiples of 3 channels, the number of groups, got 4"),
    ],
)
def test_json_of_wrong_settings_is_refused(change, message):
    description = to_json(NET)
    description["layers"][0] |= change
    with pytest.raises(ValueError, match=rf"^layer 0, Conv2d: .*{message}$"):
        net_from_json(description)


# ---- layers of others


@dataclass(frozen=True)
class Halved(an.ImageLayer):
    """Every other row and column, times s."""

    def size_out(self):
        return tuple(-(-size // 2) for size in self.size_in())

    def features(self):
        return None, None

    def parameters(self):
        return {"s": an.Parameter((), Ones())}

    def forward(self, params, state, x, *, train):
        (rows, columns), (*members, n, channels) = self.size_in(), x.shape
        chosen = x.reshape(*members, -1, rows, columns, channels)[..., ::2, ::2, :]
        y = chosen.reshape(*members, -1, channels)
        return params["s"][..., None, None] * y, (y, n), state

    def backward(self, params, cache, dy):
        (rows, columns), (y, n), (*members, _, channels) = self.size_in(), cache, dy.shape
        dx = np.zeros((*members, n // (rows * columns), rows, columns, channels))
        dx[..., ::2, ::2, :] = (params["s"][..., None, None] * dy).reshape(dx[..., ::2, ::2, :].shape)
        return dx.reshape(*members, n, channels), {"s": (y * dy).sum((-2, -1))}


@dataclass(frozen=True)
class Negative(an.ImageLayer):
    """A layer that keeps the size, which is all that it says."""

    def forward(self, params, state, x, *, train):
        return -x, None, state

    def backward(self, params, cache, dy):
        return -dy, {}


@dataclass(frozen=True)
class Short(Halved):
    """One that gives other pixels than it says."""

    def size_out(self):
        return self.size_in()


def test_layers_of_images_of_others(rng):
    layers = an.Conv2d(4), Halved(), Negative(), an.Residual(Negative(), Negative()), Halved(), an.Flatten()
    net = an.Sequential(*layers, an.Linear(3), input_shape=SHAPE)
    assert [layer.image for layer in net if layer.takes_images] == [(5, 4), (5, 4), (3, 2), (3, 2), (3, 2), (2, 1)]
    assert net[1] == Halved(image=(5, 4))
    gradcheck.check(gradcheck.of_net(net, drawn(rng, IMAGES), [0, 1, 2]), probes=10).require()
    for members in (None, 2):
        gradcheck.check(gradcheck.of_layer(Halved(image=(3, 5)), members=members)).require()


def test_what_they_return_is_checked():
    net = an.Sequential(an.Conv2d(4), Short(), an.GlobalPool(), input_shape=SHAPE)
    message = r"^layer 1, Short\(\): expected forward to return y of shape \(\.\.\., 60, 4\), got shape \(18, 4\)$"
    with pytest.raises(ValueError, match=message):
        net(*net.init(0, like=np.zeros(1)), np.zeros((N, *SHAPE)))


def test_their_size_is_checked_as_that_of_others():
    assert Halved(image=[5, np.int64(4)]) == Halved(image=(5, 4))
    with pytest.raises(ValueError, match=r"^Halved\(\): image: expected 1 or more, got \(0, 4\)$"):
        Halved(image=(0, 4))
    with pytest.raises(ValueError, match=r"^Negative\(\): expected the size of its images, got none; give the net an"):
        Negative().size_in()


# ---- refusals


@pytest.mark.parametrize(
    "layer", [an.Conv2d(4), an.MaxPool2d(2), an.AvgPool2d(2), an.GlobalPool(), an.Flatten()], ids=repr
)
def test_layers_without_the_size_of_images_say_what_to_do(layer):
    net = an.Sequential(an.ReLU(), layer)
    ending = "such as Sequential(..., input_shape=(3, 32, 32))"  # and the sizes of a layer by itself
    for use in (lambda: net(np.zeros(0), {}, np.zeros((4, 3))), lambda: gradcheck.of_layer(layer)):
        with pytest.raises(ValueError, match=f"^{re.escape(str(layer).split('(')[0])}.*{re.escape(ending)}"):
            use()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: an.Sequential(an.Conv2d(8, 9, padding="valid"), input_shape=(3, 8, 7)),
            "Conv2d(8, kernel=9, padding='valid'): expected images of (9, 9) pixels or more with their padding, "
            "got (8, 7); give a smaller kernel, or more padding",
        ),
        (
            lambda: an.Sequential(an.MaxPool2d(2), an.MaxPool2d(3), input_shape=(3, 4, 4)),
            "MaxPool2d(3): expected images of (3, 3) pixels or more with their padding, got (2, 2); give a smaller "
            "kernel, or more padding",
        ),
        (
            lambda: an.Sequential(an.Conv2d(8, image=(8, 8)), an.Conv2d(8, image=(4, 4))),
            "layer 1, Conv2d(8): takes images of (4, 4) pixels, but those before it give (8, 8)",
        ),
        (
            lambda: an.Sequential(an.GlobalPool(), an.Conv2d(8), input_shape=(3, 4, 4)),
            "layer 1, Conv2d(8): takes images, but GlobalPool() before it gives features",
        ),
        (
            lambda: an.Sequential(an.Flatten((3, 4, 4)), an.Conv2d(8), input_shape=(3, 4, 4)),
            "Flatten(shape=(3, 4, 4)): expected no shape in a net of images, got one; write Flatten(), behind its "
            "layers",
        ),
        (
            lambda: an.Sequential(an.Conv2d(8), input_shape=48),
            "Sequential(Conv2d(8)): expected samples of shape (channels, rows, columns), got (48,); if they are the "
            "values of images, give the net their shape, such as Sequential(..., input_shape=(3, 32, 32))",
        ),
        (
            lambda: an.Sequential(an.Conv2d(8, n_in=3, image=(4, 4)), input_shape=(1, 4, 4)),
            "Sequential(Conv2d(8)): expected images of shape (3, 4, 4), as its layers take, got (1, 4, 4)",
        ),
        (
            lambda: an.Sequential(an.Conv2d(8, groups=2), input_shape=(3, 4, 4)),
            "Conv2d(8, groups=2): expected multiples of 2 channels, the number of groups, got 3",
        ),
        (
            lambda: an.Sequential(an.Residual(an.Conv2d(3, stride=2)), input_shape=(3, 4, 4)),
            "Residual(Conv2d(3, stride=2)): expected layers that give images of (4, 4) pixels, as they take, got "
            "images of (2, 2) pixels; give shortcut=Conv2d(3, 1), with the stride with which the layers shrink images",
        ),
        (
            lambda: an.Sequential(an.Residual(an.Conv2d(16)), input_shape=(8, 4, 4)),
            "Residual(Conv2d(16)): expected layers that give the 8 features they take, got 16; give "
            "shortcut=Conv2d(16, 1), with the stride with which the layers shrink images",
        ),
        (
            lambda: an.Sequential(an.Residual(an.GlobalPool(), shortcut=an.MaxPool2d(2)), input_shape=(3, 4, 4)),
            "Residual(GlobalPool(), shortcut=MaxPool2d(2)): expected layers that give images of (2, 2) pixels, as the "
            "shortcut gives, got features",
        ),
        (
            lambda: an.Residual(an.Conv2d(5, n_in=3), shortcut=an.Conv2d(6, 1, n_in=3)),
            "Residual(Conv2d(5), shortcut=Conv2d(6, kernel=1)): expected layers that give the 6 features of the "
            "shortcut, got 5",
        ),
        (lambda: an.Residual(shortcut=an.ReLU()), "a Residual needs at least one layer besides its shortcut"),
        (
            lambda: an.MaxPool2d(2, padding=2),
            "MaxPool2d(2, padding=2): expected padding that is smaller than the kernel, so that no window is empty",
        ),
        (lambda: an.Conv2d(4, 0), "Conv2d(4, kernel=0): kernel: expected 1 or more, got 0"),
        (
            lambda: an.Conv2d(4, padding="full"),
            "Conv2d(4, padding='full'): padding: expected \"same\", \"valid\" or a number of pixels, got \"full\"",
        ),
        (
            lambda: an.Conv2d(4, padding=(1, 2, 3)),
            "Conv2d(4, padding=(1, 2, 3)): padding: expected one number, or one of rows and one of columns, got 3",
        ),
        (lambda: an.Conv2d(0), "Conv2d(0): expected n_out of 1 or more"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: an.Conv2d("4"), "n_out: expected a whole number, got '4'"),
        (lambda: an.Conv2d(4, 3.0), "kernel: expected a whole number, got 3.0"),
        (lambda: an.Conv2d(4, bias=2), "bias: expected True or False, got 2"),
        (lambda: an.AvgPool2d(None), "kernel: expected a whole number, got None"),
        (lambda: an.GlobalPool(image="ab"), "image: expected a whole number, got 'ab'"),
        (
            lambda: an.Conv2d(16, 32, 3),
            r"^Conv2d\(16, 32, 3\): expected 2 by place, the others by name; channels of the input follow from the "
            r"image: Conv2d\(32, 3\)",
        ),
        (
            lambda: an.MaxPool2d(3, 2),
            r"^MaxPool2d\(3, 2\): expected 1 by place, the others by name; MaxPool2d\(3, stride=2\)",
        ),
    ],
)
def test_settings_of_another_type_are_refused(make, message):
    with pytest.raises(TypeError, match=f"{message}$"):
        make()


def test_padding_is_kept_in_its_shortest_form():
    shortest = an.Conv2d(4, 3, padding=1)
    assert an.Conv2d(4, (3, 3), stride=(1, 1), padding=(1, 1, 1, 1)) == shortest == an.Conv2d(4, 3, padding=(1, 1))
    assert replace(an.Conv2d(4), padding=[1, 2]).padding == (1, 1, 2, 2)
