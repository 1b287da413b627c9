"""PyTorch's optimizers as the truth: twenty steps with drawn settings, sizes, rates and weight decay."""

import drawn
import numpy as np
import pytest
from agreement import agree, each_member
from hypothesis import strategies as st

from anynet import SGD, Adam, AdamW, Linear, RMSprop, Sequential
from anynet.nn.l2 import add_l2_gradient

STEPS = 20
MOMENTA = st.sampled_from([0.5, 0.9, 0.99]) | st.floats(0.01, 0.99)
BETA1, BETA2 = (
    st.sampled_from([0.0, 0.9]) | st.floats(0.1, 0.95),
    st.sampled_from([0.99, 0.999]) | st.floats(0.9, 0.9999),
)
EPS, DECAY = st.sampled_from([1e-8, 1e-4, 1e-1]), st.floats(0.01, 1)
OPTIMIZERS = {
    "SGD": st.just((SGD(), {})),
    "momentum": MOMENTA.map(lambda rho: (SGD(momentum=rho), {"momentum": rho})),
    "Nesterov": MOMENTA.map(lambda rho: (SGD(momentum=rho, nesterov=True), {"momentum": rho, "nesterov": True})),
    "Adam": st.builds(
        lambda beta1, beta2, eps: (Adam(beta1=beta1, beta2=beta2, eps=eps), {"betas": (beta1, beta2), "eps": eps}),
        *(BETA1, BETA2, EPS),
    ),
    "AdamW": st.builds(
        lambda beta1, beta2, eps, decay: (AdamW(0.1, beta1, beta2, eps, decay), {"betas": (beta1, beta2), "eps": eps}),
        *(BETA1, BETA2, EPS, DECAY),
    ),
    "RMSprop": st.builds(
        lambda **settings: (RMSprop(**settings), settings),
        alpha=st.floats(0.5, 0.99),
        eps=st.sampled_from([1e-4, 1e-1]),
        momentum=st.just(0.0) | MOMENTA,
        centered=st.booleans(),
    ),
    "SGD, coupled decay": st.builds(
        lambda rho, nesterov, decay: (
            SGD(momentum=rho, nesterov=nesterov, weight_decay=decay, decoupled=False),
            {"momentum": rho, "nesterov": nesterov},
        ),
        *(MOMENTA, st.booleans(), DECAY),
    ),
    "SGD, decay": DECAY.map(lambda decay: (SGD(weight_decay=decay), {})),
}
"""By name, how to draw one of ours, and PyTorch's settings of the same."""


def path_by_torch(torch, kind, settings, n_weights, decay):
    """The parameters after every step, of one net; decay is PyTorch's for the weights, or else the penalty's."""

    def path(params, grads, rates, l2):
        weights, others = (torch.tensor(part.copy()) for part in (params[:n_weights], params[n_weights:]))
        own = 2 * float(l2) if decay is None else decay
        groups = [{"params": [weights], "weight_decay": own}, {"params": [others], "weight_decay": 0.0}]
        optimizer, found = getattr(torch.optim, kind)(groups, lr=1.0, **settings), {}
        for t, (gradient, rate) in enumerate(zip(grads, rates, strict=True)):
            for group in optimizer.param_groups:
                group["lr"] = float(rate)
            weights.grad, others.grad = torch.tensor(gradient[:n_weights]), torch.tensor(gradient[n_weights:])
            optimizer.step()
            found[f"step {t}"] = np.concatenate([weights.numpy(), others.numpy()])
        return found

    return path


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_paths(theirs, there, name):
    def paths_agree(members, n_in, n_out, pair, size, one_rate, seed):
        optimizer, settings = pair
        layout, rng = Sequential(Linear(n_in, n_out)).layout, np.random.default_rng(seed)
        params = drawn.normal(rng, (*members, layout.size))
        grads = np.float64(np.float32(size)) * drawn.normal(rng, (*members, STEPS, layout.size))
        grads = grads.astype(np.float32).astype(np.float64)
        rates = drawn.uniform(rng, 1e-3, 1e-1, (STEPS,) if one_rate else (*members, STEPS))
        l2, decay = drawn.uniform(rng, 0, 0.1, members), getattr(optimizer, "weight_decay", 0) or None

        def step(params, gradient, state, rate, l2):
            if decay is not None:  # PyTorch's SGD decays the same way if it has no momentum
                return optimizer.update(params, gradient, state, rate, layout=layout)
            return optimizer.update(params, add_l2_gradient(layout, gradient, params, l2), state, rate)

        truth = path_by_torch(theirs.torch, type(optimizer).__name__, settings, layout.n_weights, decay)
        expected = each_member(truth, members, params, grads, np.broadcast_to(rates, (*members, STEPS)), l2)

        there_step, state, found = there.compile(step), there.call(optimizer.init, params), {}
        for t in range(STEPS):
            params, state = there_step(params, grads[..., t, :], state, rates[..., t], l2)
            found[f"step {t}"] = params
        agree(found, expected, there.rtol)

    drawn.for_all(
        paths_agree,
        there.examples,
        members=drawn.MEMBERS,
        n_in=drawn.SIZES,
        n_out=drawn.SIZES,
        pair=OPTIMIZERS[name],
        size=st.sampled_from([1e-3, 1, 100]),
        one_rate=st.booleans(),
        seed=drawn.SEEDS,
    )
