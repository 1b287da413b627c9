"""PyTorch's autograd as the truth: every layer, every loss and whole nets, on every backend and in both precisions."""

import drawn
import numpy as np
import pytest
from agreement import agree, each_member

from anynet.nn.l2 import add_l2_gradient, l2_cost
from anynet.nn.losses import hinge, softmax_cross_entropy

LOSSES = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}


@pytest.mark.parametrize("name", drawn.LAYERS)
def test_layers(theirs, there, name):
    make, train = drawn.LAYERS[name]

    def layers_agree(shape, seed):
        if name == "BatchNorm training":
            shape = shape._replace(n=max(shape.n, 2))  # PyTorch refuses a batch of one
        layer = make(shape)
        point = drawn.layer_point(layer, shape, seed)

        def ours(params, state, x, dy, key):
            y, cache, new_state = drawn.forward(layer, params, state, x, key, train)
            dx, grads = layer.backward(params, cache, dy)
            alone = layer.parameter_gradients(params, cache, dy)
            return {
                **{f"d{name}": grad for name, grad in grads.items()},
                **{f"d{name} alone": grad for name, grad in alone.items()},
                **new_state,
                "y": y,
                "dx": dx,
            }

        def truth(params, state, x, dy, key):
            p, s, t = theirs.leaves(params), theirs.copies(state), theirs.leaf(x)
            y = theirs.layer(layer, p, s, t, train, key)
            y.backward(theirs.torch.tensor(dy))
            grads = theirs.gradients(p)
            alone = {f"{name} alone": grad for name, grad in grads.items()}
            return {**grads, **alone, **theirs.numbers(s | {"y": y}), **theirs.gradients({"x": t})}

        expected = each_member(truth, shape.members, *point)
        agree(there.call(ours, *point), expected, there.rtol, least=np.max(np.abs(point.dy)))

    drawn.for_all(layers_agree, there.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", drawn.LOSSES)
def test_losses(theirs, there, name):
    make, arguments = drawn.LOSSES[name]

    def losses_agree(shape, seed):
        loss, (logits, labels) = make(shape), arguments(shape, seed)

        def ours(logits, labels):
            value, dlogits = loss(logits, labels)
            return {"value": value, "dlogits": dlogits}

        def truth(logits, labels):
            t = theirs.leaf(logits)
            value = theirs.loss(loss, t, theirs.torch.tensor(labels))
            value.backward()
            return {**theirs.numbers({"value": value}), **theirs.gradients({"logits": t})}

        expected = each_member(truth, shape.members, logits, labels)
        agree(there.call(ours, logits, labels), expected, there.rtol, least=1 / shape.n)

    drawn.for_all(losses_agree, there.examples, shape=drawn.SHAPES, seed=drawn.SEEDS)


@pytest.mark.parametrize("name", LOSSES)
def test_nets_with_a_penalty(theirs, there, name):
    if there.dtype == "float32" and name == "hinge":
        pytest.skip("a rounding may move a score across the margin")
    loss = LOSSES[name]

    def nets_agree(shaped_net, seed):
        shape, net = shaped_net
        point, train = drawn.net_point(net, shape, seed), shape.n > 1  # PyTorch refuses to train on a batch of one

        def ours(params, state, x, labels, l2):
            logits, cache, new_state = net.forward(params, state, x, train=train)
            value, dlogits = loss(logits, labels)
            dx, grads = net.backward(params, cache, dlogits)
            alone = net.parameter_gradients(params, cache, dlogits)
            return {
                "logits": logits,
                "cost": value + l2_cost(net.layout, params, l2),
                "dx": dx,
                "gradient": add_l2_gradient(net.layout, grads, params, l2),
                "gradient alone": add_l2_gradient(net.layout, alone, params, l2),
                **new_state,
            }

        def truth(params, state, x, labels, l2):
            p, s, t = theirs.leaves(net.layout.split(params)), theirs.copies(state), theirs.leaf(x)
            logits = theirs.net(net, p, s, t, train)
            penalty = sum((w**2).sum() for name, w in p.items() if name.endswith(".W"))
            cost = theirs.LOSSES[loss](logits, theirs.torch.tensor(labels)) + float(l2) * penalty
            cost.backward()
            grads = net.layout.join({name: tensor.grad.numpy() for name, tensor in p.items()}, like=params)
            return {
                **theirs.numbers(s | {"logits": logits, "cost": cost}),
                "dx": t.grad.numpy(),
                "gradient": grads,
                "gradient alone": grads,
            }

        expected = each_member(truth, shape.members, *point)
        rtol = there.rtol if there.dtype == "float64" else 1e-3  # batch normalisation may enlarge what was rounded
        agree(there.call(ours, *point), expected, rtol, least=np.max(np.abs(expected["gradient"])))

    shaped_nets = drawn.SHAPED_NETS if there.dtype == "float64" else drawn.SMOOTH_NETS
    drawn.for_all(nets_agree, there.examples, shaped_net=shaped_nets, seed=drawn.SEEDS)
