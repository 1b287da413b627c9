"""Several ranks train as one process does, whatever the net, the data and the number of ranks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import anynet as an
from anynet.core import random
from anynet.core.ranks import RankLost, RanksError
from anynet.core.share import Share
from anynet.nn.shared_net import shared_net
from tests.thread_ranks import Meeting, ThreadRanks, on_ranks

SIZES = (2, 3, 4)
WIDE = an.Sequential(an.Linear(12, 4), an.Linear(4, 4))
ROWS = an.Sequential(
    an.Linear(12, 16), an.BatchNorm(), an.ReLU(), an.Dropout(0.3), an.Linear(16), an.BatchNorm(), an.Linear(4)
)
IMAGES = an.Sequential(
    an.Conv2d(4, 3),
    an.BatchNorm(),
    an.GELU(),
    an.Residual(an.Conv2d(6, 3, padding=1), an.BatchNorm(), an.ReLU(), shortcut=an.Conv2d(6, 1)),
    an.Dropout(0.2),
    an.GlobalPool(),
    an.Linear(4),
    input_shape=(3, 8, 8),
)


def rows(n=67, weights=False):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 12)), rng.integers(0, 4, n)
    own = rng.random(n) * (rng.random(n) < 0.8) if weights else None
    return an.data.from_arrays(x, y, x[:30], y[:30], weights=own)


def images(n=42):
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 256, (n, 3, 8, 8), np.uint8), rng.integers(0, 4, n)
    return an.data.from_arrays(x, y, x[:20], y[:20])


CASES = {
    # 67 samples in batches of 13: the last has 2, fewer than 3 ranks; and uneven shares
    "batch norm and dropout": (ROWS, rows(), an.SGD(0.05, momentum=0.9), {"batch_size": 13}),
    "penalty, norms, an average": (ROWS, rows(), an.Adam(0.01), {"l2": 0.01, "clip_norm": 0.5, "ema": 0.9}),
    "weights of samples": (ROWS, rows(weights=True), an.SGD(0.05), {"batch_size": 13}),
    "streamed": (ROWS, rows(), an.SGD(0.05), {"batch_size": 13, "memory_budget": 0}),
    "lookahead": (ROWS, rows(), an.SGD(0.05), {"batch_size": 16, "lookahead": "3:0.5"}),
    "images": (IMAGES, images(), an.SGD(0.05, momentum=0.9), {"batch_size": 10, "flip": True, "crop": 1, "cutout": 2}),
    "plain steps": (ROWS, rows(), an.SGD(0.05), {"batch_size": 13, "compile": "off"}),
}


def history_of(run):
    return np.asarray([[row.train_cost, row.val_loss, row.val_accuracy] for row in run.history])


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", SIZES)
def test_they_train_as_one_process_does(size, case, backend):
    net, data, optimizer, settings = CASES[case]
    settings = {"epochs": 3, "dtype": "float64", "backend": backend, **settings}
    alone = an.fit(net, data, optimizer, **settings)
    for run in on_ranks(size, lambda ranks: an.fit(net, data, optimizer, ranks=ranks, **settings)):
        assert_allclose(history_of(run), history_of(alone), rtol=1e-10)
        for one, other in ((run.last, alone.last), (run.best, alone.best)):
            assert_allclose(*(run.backend.to_host(each.params) for each in (one, other)), rtol=1e-9, atol=1e-10)
            for name, array in one.state.items():
                there = run.backend.to_host(other.state[name])
                assert_allclose(run.backend.to_host(array), there, rtol=1e-10, atol=1e-10)


def test_in_float32_they_differ_by_rounding():
    net, data, optimizer, settings = CASES["batch norm and dropout"]
    alone = an.fit(net, data, optimizer, epochs=2, **settings)
    run = on_ranks(3, lambda ranks: an.fit(net, data, optimizer, epochs=2, ranks=ranks, **settings))[0]
    assert_allclose(history_of(run), history_of(alone), rtol=1e-4)


def test_a_step_has_one_sum_and_three_for_each_batch_normalization():
    net, data = ROWS, rows()

    def train(ranks):
        ready = an.setup(net, data, an.SGD(0.1), batch_size=67, compile="off", ranks=ranks)
        ranks.sums.clear()
        ready.loop(ready.carry, ready.fixed, ready.batches(0), ready.rates(0))
        return ranks.sums

    sums, other = on_ranks(2, train)
    assert sums == other == [(16,)] * 4 + [(2, 16)] * 2 + [(net.layout.size + 1,)]


def test_statistics_of_the_shares_need_no_sums_in_a_step():
    net, data, settings = ROWS, rows(), {"batch_size": 67, "sync_batch_norm": False, "epochs": 1, "dtype": "float64"}
    runs = on_ranks(2, lambda ranks: an.fit(net, data, an.SGD(1e-12), ranks=ranks, **settings))
    shares = np.asarray(rows().train.x)[an.setup(net, data, an.SGD(0.1), **settings).batches(0)._order]
    params, _state = net.init(42, np.zeros(1))
    layer = net.layout.split(params)
    mean, deviation = np.asarray(data.train.x).mean(0), np.asarray(data.train.x).std(0)
    hidden = (shares - mean) / np.where(deviation > 0, deviation, 1) @ layer["0.W"] + layer["0.b"]
    expected = 0.1 * (hidden[:33].mean(0) + hidden[33:].mean(0)) / 2
    for run in runs:
        assert_allclose(run.last.state["1.mean"], expected, rtol=1e-6, atol=1e-9)
        assert_allclose(run.last.params, runs[0].last.params, rtol=0, atol=0)


@pytest.mark.parametrize("size", SIZES)
def test_members_are_what_they_are_alone(size, tmp_path):
    net, data = ROWS, rows()
    settings = {"seeds": range(5), "epochs": 2, "batch_size": 16, "backend": "numpy"}
    alone = an.fit(net, data, an.SGD(0.05), **settings)
    path = tmp_path / "checkpoints"
    for runs in on_ranks(size, lambda ranks: an.fit(net, data, an.SGD(0.05), ranks=ranks, checkpoint=path, **settings)):
        assert [run.seed for run in runs] == [0, 1, 2, 3, 4]
        for one, other in zip(runs, alone, strict=True):
            assert_allclose(history_of(one), history_of(other), rtol=1e-5)
    more = settings | {"epochs": 3}
    longer = an.fit(net, data, an.SGD(0.05), **more)
    for runs in on_ranks(  # on another number of ranks
        5 - size, lambda ranks: an.fit(net, data, an.SGD(0.05), ranks=ranks, checkpoint=path, resume=True, **more)
    ):
        for one, other in zip(runs, longer, strict=True):
            assert_allclose(history_of(one), history_of(other), rtol=1e-5)


def test_a_training_is_resumed_on_another_number_of_ranks(tmp_path):
    net, data, optimizer, settings = CASES["batch norm and dropout"]
    settings = {**settings, "dtype": "float64", "checkpoint": tmp_path / "checkpoints"}
    alone = an.fit(net, data, optimizer, **settings | {"checkpoint": None, "epochs": 6})
    on_ranks(3, lambda ranks: an.fit(net, data, optimizer, ranks=ranks, epochs=2, **settings))
    on_ranks(2, lambda ranks: an.fit(net, data, optimizer, ranks=ranks, epochs=4, resume=True, **settings))
    run = an.fit(net, data, optimizer, epochs=6, resume=True, **settings)
    assert_allclose(history_of(run), history_of(alone), rtol=1e-9)


def test_no_step_follows_a_sum_that_may_lack_a_part():
    class Doubting(ThreadRanks):
        whole = True

        def confirm(self):
            if not self.whole:
                raise RankLost(1, "rank 1 has ended")

    def tick(steps):
        ticks.append(steps)
        ranks.whole = len(ticks) < 2

    ranks, ticks = Doubting(0, Meeting(1)), []
    ready = an.setup(ROWS, rows(), an.SGD(0.1), batch_size=13, compile="off", ranks=ranks)
    with pytest.raises(RankLost):
        ready.loop(ready.carry, ready.fixed, ready.batches(0), ready.rates(0), tick)
    assert ticks == [1, 1]


def test_a_wrong_sum_is_refused():
    class Wrong(ThreadRanks):
        def sum(self, array):
            return 2 * array

    with pytest.raises(RanksError, match="expected 1 as the sum of a 1 of each, got 2"):
        an.setup(ROWS, rows(), an.SGD(0.1), ranks=Wrong(0, Meeting(1)))


def test_samples_are_resident_on_all_ranks_or_on_none():
    def resident(ranks):
        budget = [10**9, 0][ranks.rank]
        return an.setup(ROWS, rows(), an.SGD(0.1), memory_budget=budget, ranks=ranks).inputs.train.resident

    assert on_ranks(2, resident) == [False, False]


def test_callbacks_are_called_once_and_heard_by_all():
    called = []

    def stop(epoch):
        called.append(epoch.epoch)
        return epoch.epoch == 2

    runs = on_ranks(
        2, lambda ranks: an.fit(ROWS, rows(), an.SGD(0.1), epochs=5, on_epoch=stop, ranks=ranks, batch_size=16)
    )
    assert called == [1, 2]
    assert [len(run.history) for run in runs] == [2, 2]


def test_a_net_that_diverges_does_so_on_all_ranks():
    def train(ranks):
        with pytest.raises(an.DivergedError) as caught:
            an.fit(WIDE, rows(), an.SGD(1e30), epochs=3, batch_size=16, ranks=ranks, loss="hinge")
        return caught.value

    with np.errstate(all="ignore"):
        one, other = on_ranks(2, train)
    with pytest.raises(an.DivergedError) as alone:
        an.fit(WIDE, rows(), an.SGD(1e30), epochs=3, batch_size=16, loss="hinge")
    assert str(one) == str(other) == str(alone.value)
    norms = [[row["gradient_norm"] for row in error.report["steps_before"]] for error in (one, alone.value)]
    assert_allclose(*norms, rtol=1e-4)


def test_other_settings_are_refused_by_all():
    def train(ranks):
        with pytest.raises(RanksError, match=r"got optimizer .*0\.1.* on rank 0 and .*0\.2.* on rank 1"):
            an.fit(ROWS, rows(), an.SGD(0.1 * (1 + ranks.rank)), epochs=1, ranks=ranks)
        with pytest.raises(RanksError, match="got epochs 1 on rank 0 and 2 on rank 1"):
            an.fit(ROWS, rows(), an.SGD(0.1), epochs=1 + ranks.rank, ranks=ranks)
        with pytest.raises(RanksError, match=r"got data .* on rank 0 and .* on rank 1"):
            an.fit(ROWS, rows(60 + ranks.rank), an.SGD(0.1), epochs=1, ranks=ranks)

    on_ranks(2, train)


def test_more_ranks_than_samples_in_a_batch_are_refused():
    def train(ranks):
        with pytest.raises(ValueError, match="batch_size: expected 4 or more, a sample for each of 4 ranks, got 3"):
            an.fit(ROWS, rows(66), an.SGD(0.1), batch_size=3, epochs=1, ranks=ranks)

    on_ranks(4, train)


@pytest.mark.parametrize(("whole", "columns"), [(7, 3), (8, 1), (1, 5), (6, 6)])
@pytest.mark.parametrize("size", [1, *SIZES])
def test_random_numbers_of_shares_are_those_of_the_whole(size, whole, columns):
    rng = random.key(3)
    drawn = random.uniform(rng, (whole, columns), np.dtype("float32"))
    for rank in range(size):
        share = Share.of(rank, size, whole, None)
        own = random.uniform(rng, (share.size, columns), drawn.dtype, (share.start, share.whole))
        assert_array_equal(own, drawn[share.samples])


def test_rows_outside_of_the_whole_are_refused():
    with pytest.raises(ValueError, match="rows: expected 3 rows within 4, got them from 2 on"):
        random.uniform(random.key(3), (3, 2), np.dtype("float32"), (2, 4))


def test_a_shared_net_has_the_same_parameters():
    net = shared_net(IMAGES, Share.of(0, 2, 10, None), sync=True)
    assert net.layout.size == IMAGES.layout.size
    assert list(net.state()) == list(IMAGES.state())
    changed = {type(layer).__name__ for layer in net.named_layers().values()} - {
        type(layer).__name__ for layer in IMAGES.named_layers().values()
    }
    assert changed == {"SharedBatchNorm", "SharedDropout"}
