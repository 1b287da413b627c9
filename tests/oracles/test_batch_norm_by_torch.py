"""PyTorch's BatchNorm1d as the truth: several batches in training, then one in evaluation, with drawn settings."""

import drawn
import numpy as np
from agreement import agree, each_member
from hypothesis import strategies as st

from anynet import BatchNorm

TRAINING, EVALUATION = 3, 1
BATCHES = range(TRAINING + EVALUATION)


def truth(theirs, layer):
    """Outputs, gradients and running statistics after each batch, of one net's batches in a dict."""

    def run(params, xs, dys):
        module, found = theirs.torch.nn.BatchNorm1d(layer.n, layer.eps, layer.momentum, dtype=theirs.torch.float64), {}
        module.load_state_dict({"weight": theirs.torch.tensor(params["gamma"])}, strict=False)
        module.load_state_dict({"bias": theirs.torch.tensor(params["beta"])}, strict=False)
        for i in BATCHES:
            module.train(i < TRAINING)
            module.zero_grad()
            x = theirs.leaf(xs[i])
            y = module(x)
            y.backward(theirs.torch.tensor(dys[i]))
            found |= theirs.numbers({f"y {i}": y})
            found |= {f"dx {i}": x.grad.numpy()}
            found |= {f"dgamma {i}": module.weight.grad.numpy().copy(), f"dbeta {i}": module.bias.grad.numpy().copy()}
            found |= {f"mean {i}": module.running_mean.numpy().copy(), f"var {i}": module.running_var.numpy().copy()}
        return found

    return run


def ours(layer):
    def run(params, state, xs, dys):
        found = {}
        for i in BATCHES:
            y, cache, state = layer.forward(params, state, xs[i], train=i < TRAINING)
            dx, grads = layer.backward(params, cache, dys[i])
            found |= {f"y {i}": y, f"dx {i}": dx, f"dgamma {i}": grads["gamma"], f"dbeta {i}": grads["beta"]}
            found |= {f"mean {i}": state["mean"], f"var {i}": state["var"]}
        return found

    return run


def test_outputs_gradients_and_running_statistics(theirs, there):
    def batches_agree(members, n, features, momentum, eps, seed):
        layer, rng = BatchNorm(features, momentum, eps), np.random.default_rng(seed)
        centre, spread = drawn.uniform(rng, -3, 3, (features,)), drawn.uniform(rng, 0.5, 3, (features,))
        params = {name: drawn.normal(rng, (*members, features)) for name in ("gamma", "beta")}
        start = {"mean": np.zeros((*members, features)), "var": np.ones((*members, features))}
        xs, dys = ({i: drawn.normal(rng, (*members, n, features)) for i in BATCHES} for _ in "xy")
        xs = {i: np.float64(np.float32(centre + spread * x)) for i, x in xs.items()}

        rtol = there.rtol if there.dtype == "float64" else 1e-3  # differences of numbers that are nearly the same
        found = there.call(ours(layer), params, start, xs, dys)
        expected = each_member(truth(theirs, layer), members, params, xs, dys)
        agree(found, expected, rtol, least=max(np.max(np.abs(dy)) for dy in dys.values()))

    drawn.for_all(
        batches_agree,
        there.examples,
        members=drawn.MEMBERS,
        n=st.integers(2, 70),  # PyTorch refuses to train on a batch of one
        features=drawn.SIZES,
        momentum=st.sampled_from([0.01, 0.1, 0.5, 1.0]),
        eps=st.sampled_from([1e-5, 1e-3]),
        seed=drawn.SEEDS,
    )
