"""Differences as the truth: every layer, every loss and whole nets pass the gradient check.

They say little in float32, which is held against PyTorch's gradients instead.
"""

import drawn
import pytest
from hypothesis import strategies as st

from anynet import gradcheck
from anynet.nn.losses import hinge, softmax_cross_entropy

LOSSES = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}
METHODS = {"central": 10, "directional": 3}
"""How many elements, or directions, of each array."""


def hold(subject):
    for method, probes in METHODS.items():
        gradcheck.check(subject, method=method, probes=probes, tolerance=1e-6).require()


@pytest.mark.parametrize("name", drawn.LAYERS)
def test_layers(float64, name):
    make, train = drawn.LAYERS[name]

    def layer_holds(shape, seed):
        layer = make(shape)
        params, state, x, _, key = drawn.layer_point(layer, shape, seed)
        backend, given = float64.backend, {"params": params, "state": state, "train": train, "rng": key}
        hold(gradcheck.of_layer(layer, x, seed=seed, backend=backend, **given))

    drawn.for_all(layer_holds, float64.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", drawn.LOSSES)
def test_losses(float64, name):
    make, arguments = drawn.LOSSES[name]

    def loss_holds(shape, seed):
        hold(gradcheck.of_loss(make(shape), *arguments(shape, seed), backend=float64.backend))

    drawn.for_all(loss_holds, float64.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", LOSSES)
def test_nets_with_a_penalty(float64, name):
    def net_holds(shaped_net, train, seed):
        shape, net = shaped_net
        params, state, x, labels, l2 = drawn.net_point(net, shape, seed)
        given = {"params": params, "state": state, "loss": LOSSES[name], "l2": l2, "train": train}
        hold(gradcheck.of_net(net, x, labels, backend=float64.backend, **given))

    drawn.for_all(net_holds, float64.examples, shaped_net=drawn.SHAPED_NETS, train=st.booleans(), seed=drawn.SEEDS)
