"""The benchmark of several processes, and its model of more than it measures."""

import json
import math

import numpy as np
import pytest

from benchmarks import rank_model
from benchmarks.ranks import model, page
from benchmarks.ranks.command import main
from benchmarks.ranks.model import Net
from benchmarks.ranks.networks import Network

NETWORK = Network("n", alpha=1e-5, beta=1e-9, gamma=1e-10, overhead=2e-6, source="given")
NET = Net("net", 64, 1000, (8,), (1, 64), (1e-4, 6.4e-3), (1.0,))


def test_two_ranks_send_each_other_everything_or_two_halves():
    n = 4 * 1000
    found = NETWORK.algorithms(2, 1000)
    assert found["recursive doubling"] == pytest.approx(1e-5 + n * 1.1e-9)
    assert found["ring"] == found["Rabenseifner"] == pytest.approx(2e-5 + n * 1e-9 + n / 2 * 1e-10)


@pytest.mark.parametrize("ranks", [2, 8, 64])
def test_costs_are_those_of_messages_sent_one_by_one(ranks):
    n, rounds = 4 * 1_000_000, int(math.log2(ranks))
    doubling = sum(1e-5 + n * 1.1e-9 for _ in range(rounds))
    halving = sum(1e-5 + n / 2**k * 1.1e-9 for k in range(1, rounds + 1))  # and adds what it receives
    gathering = sum(1e-5 + n / 2**k * 1e-9 for k in range(1, rounds + 1))
    ring = (ranks - 1) * (1e-5 + n / ranks * 1.1e-9) + (ranks - 1) * (1e-5 + n / ranks * 1e-9)
    found = NETWORK.algorithms(ranks, 1_000_000)
    expected = {"recursive doubling": doubling, "Rabenseifner": halving + gathering, "ring": ring}
    assert found == pytest.approx(expected)
    assert NETWORK.sum(ranks, 1_000_000) == pytest.approx(2e-6 + min(expected.values()))


def test_a_step_computes_the_largest_share_and_sums_gradients_and_statistics():
    sums = sum(NETWORK.sum(4, n) for n in (1001, 8, 8, 16))
    assert model.step(NET, 62, 4, NETWORK) == pytest.approx(1.6e-3 + sums)  # 16 samples
    assert model.speedup(NET, 64, 1, NETWORK) == 1
    with pytest.raises(ValueError, match="net: steps of 1 to 64 samples were measured"):
        model.step(NET, 128, 1, NETWORK)


def test_without_noise_the_simulation_is_the_model():
    for ranks in (1, 2, 16):
        simulated = model.simulate(NET, 64, ranks, NETWORK, 5, np.random.default_rng(0))
        assert simulated == pytest.approx(model.step(NET, 64, ranks, NETWORK))


def test_in_a_simulation_all_wait_for_the_slowest():
    noisy = Net(**vars(NET) | {"noise": (1.0, 1.0, 1.0, 3.0)})
    simulated = model.simulate(noisy, 64, 64, NETWORK, 50, np.random.default_rng(0))
    slowest = model.step(NET, 64, 64, NETWORK) + 2 * NET.compute(1)  # one of 64 is, almost surely
    assert simulated == pytest.approx(slowest, rel=1e-3)


def test_members_are_as_many_times_as_fast_as_the_fullest_rank_has_fewer():
    assert [model.members_speedup(40, r) for r in (1, 3, 8, 16, 1024)] == [1, 40 / 14, 8, 40 / 3, 40]


@pytest.mark.thorough
def test_all_parts_are_measured_and_a_page_is_written(tmp_path):
    pytest.importorskip("mpi4py")
    for part in ("throughput", "sums", "steps"):
        main(part, workloads=["W1"], backends=["numpy+llvm"], quick=True, out=tmp_path / f"here-ranks-{part}.json")
    (result,) = json.loads((tmp_path / "here-ranks-throughput.json").read_text())["results"]
    assert all(len(seconds) == 1 and seconds[0] > 0 for seconds in result["seconds"].values())
    rank_model.main(tmp_path / "here-ranks-throughput.json")
    text = (tmp_path / "here-ranks.md").read_text()
    assert page.TITLE in text
    assert (tmp_path / "here-ranks.png").exists()
    with pytest.raises(ValueError, match="expected names of workloads, got 'W99'"):
        main("sums", workloads=["W99"], out=tmp_path / "none.json")


def test_shared_memory_is_fitted_to_two_ranks():
    def measured(size):
        seconds = {"anynet": [6e-6 + size * 1e-9], "Allreduce": [2e-6 + size * 1e-9]}
        return {"size": size, "seconds": seconds, "addition": [size * 4e-10]}

    here, *others = model.networks([measured(10**i) for i in range(8)])
    assert here.sum(2, 10**7) == pytest.approx(1e-2, rel=1e-2)
    assert here.overhead == pytest.approx(4e-6, rel=1e-2)
    assert [other.gamma for other in others] == pytest.approx([1e-10] * 2)
