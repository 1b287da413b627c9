"""Every installed peer matches the reference loss."""

from contextlib import ExitStack

import pytest
from tiny_workloads import TINY

from benchmarks import peer_process, reference
from benchmarks.data import Data
from benchmarks.measure import compare, order_of
from benchmarks.peers import DEFAULT
from benchmarks.worker import Worker

REASONS = (
    "is not installed",
    "no batch normalization",
    "no GELU with tanh",
    "no convolution",
    "cupy",
    "torch cannot use the device",
    "jax has no device",
    "jax-step is faster",
)

HERE = ["torch", "torch-dataloader", "anynet-numpy", "anynet-numpy+eager", "anynet-torch:cpu"]

NAMED = ["torch:cuda", "jax-scan:gpu", "anynet-numpy+eager"]


@pytest.mark.parametrize("workload", TINY, ids=lambda workload: workload.name)
@pytest.mark.parametrize(
    "name", ["torch", "torch-dataloader", "anynet-numpy", "anynet-numpy+eager", "anynet-torch:cpu"]
)
def test_peer_matches_the_reference(name, workload):
    if "torch" in name or workload.layers:
        pytest.importorskip("torch")
    order = order_of(workload, 0)
    data = Data.draw(workload)
    alike = workload.deterministic
    expected = reference.loss(alike, data, reference.trained(alike, data, order))
    found = reference.loss(alike, data, peer_process.begin(name, alike, order))
    assert found == pytest.approx(expected, rel=reference.TOLERANCE)


@pytest.mark.parametrize("name", ["torch", "anynet-numpy", "plain-numpy"])
def test_dropout_is_trained_with_though_losses_are_compared_without(name):
    if name == "torch":
        pytest.importorskip("torch")
    workload = TINY[-1]
    order, data = order_of(workload, 0), Data.draw(workload)
    without, found = (
        reference.loss(workload, data, peer_process.begin(name, each, order))
        for each in (workload.deterministic, workload)
    )
    assert reference.TOLERANCE < abs(found / without - 1) < 0.5


@pytest.fixture(scope="module")
def workers():
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("TORCHDYNAMO_DISABLE", "1")  # compiling takes longer than all other tests
        patch.delenv("JAX_DISABLE_MOST_OPTIMIZATIONS", raising=False)  # losses of jax-step are NaN with it
        yield {name: stack.enter_context(Worker(1)) for name in (*DEFAULT, *NAMED)}


@pytest.mark.thorough
@pytest.mark.parametrize("workload", TINY, ids=lambda workload: workload.name)
def test_all_installed_peers_match_the_reference(workers, workload):
    expected, losses, left_out = compare(workload, workers)
    assert losses.keys() >= {"anynet-numpy", "anynet-numpy+eager"} | ({"plain-numpy"} if not workload.layers else set())
    assert losses == pytest.approx(dict.fromkeys(losses, expected), rel=reference.TOLERANCE)
    assert losses.keys() | left_out.keys() == workers.keys()
    for reason in left_out.values():
        assert any(words in reason for words in REASONS), reason
