"""JAX's differentiation as the truth: of our own forward, and of formulas written here, in float64."""

from types import SimpleNamespace

import drawn
import numpy as np
import pytest
from agreement import agree
from hypothesis import strategies as st
from there import There

from anynet import (
    ELU,
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalPool,
    GroupNorm,
    Hardswish,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Scale,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
    backend,
)
from anynet.core.random import uniform
from anynet.nn.flatten_images import FlattenImages
from anynet.nn.l2 import add_l2_gradient, l2_cost
from anynet.nn.losses import (
    CrossEntropy,
    Huber,
    binary_cross_entropy,
    hinge,
    mean_squared_error,
    softmax_cross_entropy,
)

LOSSES = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}


@pytest.fixture(scope="module")
def float64(jax):
    return There(backend("jax"), "float64")


def layer_formula(jax, layer, p, s, x, train, key=None):
    """y, as textbooks have it."""
    xp = jax.numpy
    row = SimpleNamespace(**{name: a[..., None, :] for name, a in (p | s).items() if name[-1] != "W"})
    match layer:
        case Linear():
            return xp.einsum("...ni,...io->...no", x, p["W"]) + row.b
        case ReLU():
            return x * (x > 0)
        case LeakyReLU(slope):
            return x * ((x > 0) + slope * (x <= 0))
        case Sigmoid():
            return xp.exp(x) / (1 + xp.exp(x))
        case Tanh():
            return (xp.exp(x) - xp.exp(-x)) / (xp.exp(x) + xp.exp(-x))
        case ELU(alpha):
            return xp.where(x > 0, x, alpha * (xp.exp(x) - 1))
        case GELU("none"):
            return x * jax.scipy.special.ndtr(x)
        case GELU():
            return x / (1 + xp.exp(-2 * (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
        case SiLU():
            return x / (1 + xp.exp(-x))
        case Hardswish():
            return x * xp.clip(x + 3, 0, 6) / 6
        case Softplus():
            return xp.log(1 + xp.exp(x))
        case Softsign():
            return x / (1 + xp.abs(x))
        case LayerNorm(_, eps):
            mean, var = xp.mean(x, axis=-1, keepdims=True), xp.var(x, axis=-1, keepdims=True)
            return row.gamma * (x - mean) * (var + eps) ** -0.5 + row.beta
        case GroupNorm(groups, n, eps):
            parts = xp.split(x, groups, axis=-1)
            ones = {"gamma": xp.ones(n // groups), "beta": xp.zeros(n // groups)}
            parts = [layer_formula(jax, LayerNorm(n // groups, eps), ones, {}, part, train) for part in parts]
            return row.gamma * xp.concat(parts, axis=-1) + row.beta
        case Scale():
            return x * row.s
        case Flatten():
            return x.reshape(*x.shape[:-2], -1)
        case Dropout(rate):
            return x * (uniform(key, x.shape[-2:], x.dtype) >= rate) / (1 - rate) if train else x
        case Residual() if layer.takes_images:
            *branch, (ahead,) = layer
            own = [{name.rsplit(".", 1)[1]: a for name, a in p.items() if name.startswith(f"{i}.")} for i in range(2)]
            return image_formula(jax, branch[0], own[0], x) + image_formula(jax, ahead, own[1], x)
        case Residual(layers):
            y = x
            for i, inner in enumerate(layers):
                own = {name.split(".")[1]: a for name, a in p.items() if name.startswith(f"{i}.")}
                y = layer_formula(jax, inner, own, {}, y, train)
            return x + y
        case BatchNorm(_, _, eps):
            if train:
                row.mean, row.var = xp.mean(x, axis=-2, keepdims=True), xp.var(x, axis=-2, keepdims=True)
            return row.gamma * (x - row.mean) * (row.var + eps) ** -0.5 + row.beta
    return image_formula(jax, layer, p, x)


def image_formula(jax, layer, p, x):
    """y of a layer of images, from functions of JAX for one net."""
    if x.ndim > 2:
        return jax.vmap(lambda p, x: image_formula(jax, layer, p, x))(p, x)
    xp, images = jax.numpy, x.reshape(-1, *layer.image, x.shape[-1])
    match layer:
        case GlobalPool():
            return xp.mean(images, axis=(1, 2))
        case FlattenImages():
            return images.reshape(len(images), -1)
    kernel, stride = ((a, a) if isinstance(a, int) else a for a in (layer.kernel, layer.stride or layer.kernel))
    padding = layer.padding
    if not isinstance(padding, str):
        top, bottom, left, right = (padding,) * 4 if isinstance(padding, int) else padding
        padding = (top, bottom), (left, right)
    match layer:
        case Conv2d():
            layouts, groups = ("NHWC", "HWIO", "NHWC"), layer.groups
            y = jax.lax.conv_general_dilated(
                images, p["W"], stride, padding, dimension_numbers=layouts, feature_group_count=groups
            )
            y = y + p.get("b", 0.0)
        case MaxPool2d() | AvgPool2d():
            if not isinstance(padding, str):
                padding = ((0, 0), *padding, (0, 0))
            start, reduced = (-np.inf, jax.lax.max) if isinstance(layer, MaxPool2d) else (0.0, jax.lax.add)
            y = jax.lax.reduce_window(images, start, reduced, (1, *kernel, 1), (1, *stride, 1), padding)
            y = y / (1 if isinstance(layer, MaxPool2d) else kernel[0] * kernel[1])
        case _:
            raise NotImplementedError(layer)
    return y.reshape(-1, y.shape[-1])


def loss_formula(xp, loss, logits, labels):
    if loss is mean_squared_error:
        return xp.mean((logits - labels) ** 2, axis=(-2, -1))
    if loss is binary_cross_entropy:
        p = 1 / (1 + xp.exp(-logits))
        return -xp.mean(labels * xp.log(p) + (1 - labels) * xp.log(1 - p), axis=(-2, -1))
    match loss:
        case Huber(delta):
            r = abs(logits - labels)
            return xp.mean(xp.where(r <= delta, r**2 / 2, delta * (r - delta / 2)), axis=(-2, -1))
        case CrossEntropy(smoothing, weights):
            n = logits.shape[-1]
            weights = xp.asarray(weights or [1.0] * n)
            right = labels[..., None] == xp.arange(n)
            log_p = xp.log(xp.exp(logits) / xp.sum(xp.exp(logits), axis=-1, keepdims=True))
            each = weights * ((1 - smoothing) * right + smoothing / n) * log_p
            return -xp.sum(each, axis=(-2, -1)) / xp.sum(weights[labels], axis=-1)
    right = xp.take_along_axis(logits, labels[..., None], axis=-1)
    if loss is softmax_cross_entropy:
        return xp.mean(xp.log(xp.sum(xp.exp(logits), axis=-1)) - right[..., 0], axis=-1)
    margins = logits - right + 1
    return xp.mean(xp.sum(margins * (margins > 0), axis=-1) - 1, axis=-1)  # 1 of the right class itself


@pytest.mark.parametrize("name", drawn.LAYERS)
def test_layers(jax, float64, name):
    make, train = drawn.LAYERS[name]

    def layers_agree(shape, seed):
        layer = make(shape)
        point = drawn.layer_point(layer, shape, seed)

        def three_ways(params, state, x, dy, key):
            def differentiated(function):
                y, pull = jax.vjp(lambda params, x: function(params, state, x), params, x)
                grads, dx = pull(dy)
                return {"y": y, "dx": dx} | grads

            y, cache, _ = drawn.forward(layer, params, state, x, key, train)
            dx, grads = layer.backward(params, cache, dy)
            return (
                {"y": y, "dx": dx} | grads,
                differentiated(lambda params, state, x: drawn.forward(layer, params, state, x, key, train)[0]),
                differentiated(lambda params, state, x: layer_formula(jax, layer, params, state, x, train, key)),
            )

        ours, forward, formula = float64.call(three_ways, *point)
        agree(ours, forward, float64.rtol, least=np.max(np.abs(point.dy)))
        agree(ours, formula, float64.rtol, least=np.max(np.abs(point.dy)))

    drawn.for_all(layers_agree, float64.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", drawn.LOSSES)
def test_losses(jax, float64, name):
    make, arguments = drawn.LOSSES[name]

    def losses_agree(shape, seed):
        loss = make(shape)

        def three_ways(logits, labels):
            def differentiated(function):
                value, pull = jax.vjp(lambda logits: function(logits, labels), logits)
                return {"value": value, "dlogits": pull(jax.numpy.ones_like(value))[0]}

            return (
                dict(zip(("value", "dlogits"), loss(logits, labels), strict=True)),
                differentiated(lambda logits, labels: loss(logits, labels)[0]),
                differentiated(lambda logits, labels: loss_formula(jax.numpy, loss, logits, labels)),
            )

        ours, forward, formula = float64.call(three_ways, *arguments(shape, seed))
        agree(ours, forward, float64.rtol, least=1 / shape.n)
        agree(ours, formula, float64.rtol, least=1 / shape.n)

    drawn.for_all(losses_agree, float64.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", LOSSES)
def test_nets_with_a_penalty(jax, float64, name):
    loss = LOSSES[name]

    def nets_agree(shaped_net, train, seed):
        shape, net = shaped_net

        def by_forward(params, state, x, labels, l2):
            logits, _, _ = net.forward(params, state, x, train=train)
            return loss(logits, labels)[0] + l2_cost(net.layout, params, l2)

        def by_formula(params, state, x, labels, l2):
            p = net.layout.split(params)
            for i, layer in enumerate(net.layers):
                mine = [{n.split(".")[1]: a for n, a in named.items() if n.startswith(f"{i}.")} for named in (p, state)]
                x = layer_formula(jax, layer, *mine, x, train)
            penalty = sum((p[name] ** 2).sum(axis=(-2, -1)) for name in p if name.endswith(".W"))
            return loss_formula(jax.numpy, loss, x, labels) + l2 * penalty

        def three_ways(params, state, x, labels, l2):
            def differentiated(function):
                cost, pull = jax.vjp(lambda params, x: function(params, state, x, labels, l2), params, x)
                dparams, dx = pull(jax.numpy.ones_like(cost))
                return {"cost": cost, "dx": dx, "dparams": dparams}

            logits, cache, _ = net.forward(params, state, x, train=train)
            value, dlogits = loss(logits, labels)
            dx, grads = net.backward(params, cache, dlogits)
            dparams = add_l2_gradient(net.layout, grads, params, l2)
            return (
                {"cost": value + l2_cost(net.layout, params, l2), "dx": dx, "dparams": dparams},
                differentiated(by_forward),
                differentiated(by_formula),
            )

        ours, forward, formula = float64.call(three_ways, *drawn.net_point(net, shape, seed))
        agree(ours, forward, float64.rtol, least=np.max(np.abs(formula["dparams"])))
        agree(ours, formula, float64.rtol, least=np.max(np.abs(formula["dparams"])))

    drawn.for_all(nets_agree, float64.examples, shaped_net=drawn.SHAPED_NETS, train=st.booleans(), seed=drawn.SEEDS)
