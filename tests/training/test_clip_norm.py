"""Training with clipped gradients in each backend's own loop, held against PyTorch's autograd and clipping."""

import numpy as np
import pytest
from loops import own

import anynet as an
from anynet.data import Dataset, split
from anynet.data.synthetic import draw

L2, RATES, CLIP_NORM = 0.05, (0.02, 0.1), 6.0
NET = an.Sequential(an.Linear(3072, 10))
SETTINGS = {"l2": L2, "batch_size": 30, "epochs": 1, "normalize": "none", "clip_norm": CLIP_NORM}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=20), train=80, val=20)


def trained_by_torch(ready, params, rate):
    """The parameters that PyTorch comes to, and the norms of gradients before clipping."""
    torch, host = pytest.importorskip("torch"), ready.backend.to_host
    leaves = {name: torch.nn.Parameter(torch.tensor(a)) for name, a in NET.layout.split(params).items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=rate, momentum=0.9)
    norms = []
    for images, labels, *_ in ready.batches(0):
        optimizer.zero_grad()
        x = torch.tensor(host(images).astype("float32")) / 255
        loss = torch.nn.functional.cross_entropy(
            x @ leaves["0.W"] + leaves["0.b"], torch.tensor(host(labels).astype("int64"))
        )
        (loss + L2 * (leaves["0.W"] ** 2).sum()).backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(leaves.values(), CLIP_NORM)))
        optimizer.step()
    return {name: leaf.detach().numpy() for name, leaf in leaves.items()}, norms


@pytest.mark.parametrize("members", [True, False], ids=["members", "one"])
def test_pytorch_trains_the_same(data, backend_here, members):
    here = own(backend_here)
    several = [{"lr": rate, "seed": k} for k, rate in enumerate(RATES)] if members else None
    ready = an.setup(NET, data, an.SGD(RATES[0], momentum=0.9), members=several, seed=0, backend=here, **SETTINGS)
    host = here.to_host
    start = host(ready.carry.params)
    after = host(ready.loop(ready.carry, ready.fixed, ready.batches(0), ready.rates(0)).params)
    norms = []
    for k, rate in enumerate(RATES if members else RATES[:1]):
        expected, some = trained_by_torch(ready, start[k] if members else start, rate)
        for name, found in NET.layout.split(after[k] if members else after).items():
            np.testing.assert_allclose(found, expected[name], rtol=0, atol=2e-5 * np.abs(expected[name]).max())
        norms += some
    assert max(norms) > CLIP_NORM
    assert min(norms) < CLIP_NORM or not members


def test_no_limit_and_a_high_one_train_the_same(data):
    settings = {**SETTINGS, "backend": "numpy"}
    free, high = (an.fit(NET, data, an.SGD(0.02), **settings | {"clip_norm": c}) for c in (None, 1e6))
    np.testing.assert_array_equal(free.params, high.params)
    clipped = an.fit(NET, data, an.SGD(0.02), **settings)
    assert not np.array_equal(free.params, clipped.params)


def test_members_share_the_limit(data):
    with pytest.raises(ValueError, match=r"^member 1: clip_norm is the same for all nets that are trained at once"):
        an.fit(NET, data, an.SGD(), members=[{}, {"clip_norm": 1.0}], batch_size=10)
