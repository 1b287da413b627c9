"""Differences as the truth: every layer, every loss and whole nets pass the gradient check."""

import drawn
import numpy as np
import pytest
from agreement import agree
from hypothesis import strategies as st

from anynet import gradcheck
from anynet.losses import hinge, softmax_cross_entropy

LOSSES = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}
METHODS = {"centred": 10, "directional": 3}
"""How many elements, or directions, of each array."""


def hold(subject_in, there):
    """In float64 against differences; in float32, where differences say little, against the gradients in float64."""
    if there.dtype == "float64":
        for method, probes in METHODS.items():
            subject = subject_in("float64", there.backend)
            gradcheck.check(subject, method=method, probes=probes, tolerance=1e-6).require()
        return
    single, double = subject_in("float32", there.backend), subject_in("float64", "numpy")
    found, expected = single.gradients(single.point), double.gradients(double.point)
    agree(found, expected, 1e-3, least=max(np.max(np.abs(gradient)) for gradient in expected.values()))


@pytest.mark.parametrize("name", drawn.LAYERS)
def test_layers(there, name):
    make, train = drawn.LAYERS[name]

    def layer_holds(shape, seed):
        layer = make(shape)
        params, state, x, _ = drawn.layer_point(layer, shape, seed)

        def subject_in(dtype, backend):
            return gradcheck.of_layer(
                layer, x, params=params, state=state, train=train, seed=seed, dtype=dtype, backend=backend
            )

        hold(subject_in, there)

    drawn.for_all(layer_holds, there.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", LOSSES)
def test_losses(there, name):
    def loss_holds(shape, seed):
        logits, labels = drawn.scores(shape, seed)

        def subject_in(dtype, backend):
            return gradcheck.of_loss(LOSSES[name], logits, labels, dtype=dtype, backend=backend)

        hold(subject_in, there)

    drawn.for_all(loss_holds, there.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", LOSSES)
def test_nets_with_a_penalty(there, name):
    if there.dtype == "float32" and name == "hinge":
        pytest.skip("a rounding may move a score across the margin")

    def net_holds(shaped_net, train, seed):
        shape, net = shaped_net
        params, state, x, labels, l2 = drawn.net_point(net, shape, seed)

        def subject_in(dtype, backend):
            return gradcheck.of_net(
                net,
                x,
                labels,
                params=params,
                state=state,
                loss=LOSSES[name],
                l2=l2,
                train=train,
                dtype=dtype,
                backend=backend,
            )

        hold(subject_in, there)

    shaped_nets = drawn.SHAPED_NETS if there.dtype == "float64" else drawn.SMOOTH_NETS
    drawn.for_all(net_holds, there.examples, shaped_net=shaped_nets, train=st.booleans(), seed=drawn.SEEDS)
