"""Training in each backend's own loop, held against PyTorch's layers, autograd, losses and optimizers."""

import drawn
import numpy as np
import pytest
from agreement import agree, each_member

from anynet import SGD
from anynet.data import Normalization
from anynet.data.batch import Batch
from anynet.nn.losses import hinge, softmax_cross_entropy
from anynet.training.step import Fixed, start, train_step

STEPS = 3
LOSSES = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}
OPTIMIZERS = {"plain": {}, "momentum": {"momentum": 0.9}, "nesterov": {"momentum": 0.9, "nesterov": True}}


def trained_by_torch(theirs, net, loss, settings, images, labels):
    """The parameters and the state that PyTorch comes to, of one net."""

    def train(params, state, rates, l2):
        p, s = theirs.leaves(net.layout.split(params)), theirs.copies(state)
        weights = [tensor for name, tensor in p.items() if name.endswith(".W")]
        others = [tensor for name, tensor in p.items() if not name.endswith(".W")]
        groups = [{"params": weights, "weight_decay": 2 * float(l2)}, {"params": others}]
        optimizer = theirs.torch.optim.SGD([group for group in groups if group["params"]], lr=1.0, **settings)
        for x, y, rate in zip(images, labels, rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = float(rate)
            optimizer.zero_grad()
            logits = theirs.net(net, p, s, theirs.torch.tensor(x / 128 - 1), train=True)
            theirs.LOSSES[loss](logits, theirs.torch.tensor(y)).backward()
            optimizer.step()
        vector = net.layout.join({name: tensor.detach().numpy() for name, tensor in p.items()}, like=params)
        return {"params": vector, **theirs.numbers(s)}

    return train


CASES = [
    pytest.param(
        loss, settings, id=f"{loss}-{name}", marks=[pytest.mark.thorough] * (loss == "hinge" and name != "plain")
    )
    for loss in LOSSES
    for name, settings in OPTIMIZERS.items()
]
"""All pairs; those that have both a loss and an optimizer of others are slow."""


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_training(theirs, there, name, settings):
    if there.dtype == "float32" and name == "hinge":
        pytest.skip("a rounding may move a score across the margin")
    loss = LOSSES[name]

    def paths_agree(shaped_net, seed):
        shape, net = shaped_net
        shape = shape._replace(n=max(shape.n, 2))  # PyTorch refuses a batch of one
        rng = np.random.default_rng(seed)
        point, optimizer = drawn.net_point(net, shape, seed), SGD(**settings)
        images = rng.integers(0, 256, (STEPS, shape.n, shape.n_in), dtype=np.uint8)
        labels = rng.integers(0, shape.n_out, (STEPS, shape.n))
        rates = drawn.uniform(rng, 0.01, 0.1, (STEPS, *shape.members))

        params, state, l2, lr, scale, shift = there.put(
            (point.params, point.state, point.l2, rates, np.full(shape.n_in, 1 / 128), np.full(shape.n_in, -1.0))
        )
        step = train_step(net, loss, optimizer)
        loop = there.backend.loop(lambda carry, shared, row: step(carry, shared, Batch(*row[0]), row[1]))
        rows = tuple(map(there.backend.asarray, (images, labels))), lr
        after = loop(start(net, optimizer, params, state), Fixed(Normalization(scale, shift), l2), rows, int)
        host = there.backend.to_host
        ours = {"params": host(after.params), **{name: host(array) for name, array in after.state.items()}}

        train = trained_by_torch(theirs, net, loss, settings, images, labels)
        expected = each_member(train, shape.members, point.params, point.state, np.moveaxis(rates, 0, -1), point.l2)
        agree(ours, expected, 1e-9 if there.dtype == "float64" else 1e-3, least=1.0)

    shaped_nets = drawn.SHAPED_NETS if there.dtype == "float64" else drawn.SMOOTH_NETS
    drawn.for_all(paths_agree, max(there.examples // 2, 2), shaped_net=shaped_nets, seed=drawn.SEEDS)
