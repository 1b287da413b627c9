"""Every peer that is installed trains what the reference trains, in a process of its own."""

from contextlib import ExitStack

import pytest
from tiny import TINY

from benchmarks import reference
from benchmarks.measure import compare
from benchmarks.peers import DEFAULT
from benchmarks.worker import Worker

NOT_HERE = ("is not installed", "no batch normalisation", "cupy", "torch cannot use the device", "jax has no device")

NAMED = ["torch:cuda", "jax-scan:gpu", "anynet-numpy+eager"]


@pytest.fixture(scope="module")
def workers():
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("TORCHDYNAMO_DISABLE", "1")  # compiling takes longer than all other tests together
        yield {name: stack.enter_context(Worker(1)) for name in (*DEFAULT, *NAMED)}


@pytest.mark.parametrize("workload", TINY, ids=lambda workload: workload.name)
def test_every_peer_comes_to_the_reference_s_loss(workers, workload):
    expected, losses, left_out = compare(workload, workers)
    assert losses.keys() >= {"plain-numpy", "anynet-numpy", "anynet-numpy+eager"}
    assert losses == pytest.approx(dict.fromkeys(losses, expected), rel=reference.TOLERANCE)
    assert losses.keys() | left_out.keys() == workers.keys()
    for why in left_out.values():
        assert any(words in why for words in NOT_HERE), why
