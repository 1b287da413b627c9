"""Sums of CuPy arrays over ranks by NCCL: ranks are threads, each with a device of the emulated GPU."""

import sys
from time import monotonic
from types import SimpleNamespace

import numpy as np
import pytest
from fake_cupy import put_in_place
from numpy.testing import assert_allclose, assert_array_equal

import anynet as an
from anynet.backends import backend
from anynet.compiler import CompileError, compile_loop
from anynet.core.collective import sum_over_ranks
from anynet.core.ranks import RankLost, RanksError
from tests.thread_ranks import ThreadRanks, on_ranks

ROWS = np.arange(20 * 5.0).reshape(20, 5)


class GpuRanks(ThreadRanks):
    """Ranks as threads with a device and a stream each, whose sums are as those of `MpiRanks`."""

    def __init__(self, rank, meeting):
        super().__init__(rank, meeting)
        self.nccl = None
        self.backend = backend(f"cupy:{rank}")
        sys.modules["cupy"].cuda.Stream(non_blocking=True).use()

    def _on_gpus(self):
        if self.nccl is None:
            self.nccl = sys.modules["anynet.mpi.nccl_sums"].NcclSums(self, self._lost)
        return self.nccl

    def _lost(self):
        return RankLost(1, "rank 1 has left") if self._meeting.barrier.broken else None

    def sum(self, array):
        return self._on_gpus().sum(array)

    def sum_into(self, array, out):
        self._on_gpus().sum_into(array, out)

    def confirm(self):
        if self.nccl is not None:
            self.nccl.confirm()


@pytest.fixture(scope="module")
def gpus():
    """A machine with three GPUs."""
    with pytest.MonkeyPatch.context() as patch:
        yield put_in_place(patch, count=3, limit=1 << 30)
        sys.modules["anynet.compiler.cuda.cublas"]._here.by_device.clear()


@pytest.fixture
def nccl(gpus, monkeypatch):
    """The stand-in for NCCL, without communicators."""
    ends, chosen = [], gpus.cupy.cuda.nccl
    chosen.NcclCommunicator.made.clear()
    monkeypatch.setattr(sys.modules["anynet.mpi.nccl_sums"], "atexit", SimpleNamespace(register=ends.append))
    yield chosen
    for end in ends:
        end()
    assert all(each.ended for each in chosen.NcclCommunicator.made)


def on_gpus(size, function):
    return on_ranks(size, function, GpuRanks)


def test_they_are_numpys(nccl):
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 20, (4, 6)) for _ in range(3)]
    total = sum(parts)

    def add(ranks):
        put, get = ranks.backend.asarray, ranks.backend.to_host
        for name in ("float16", "float32", "float64", "int8", "int32", "int64", "uint8", "uint32", "uint64"):
            mine = put(parts[ranks.rank].astype(name))
            found = ranks.sum(mine)
            assert found.dtype == name
            assert_array_equal(get(found), total)
            assert_array_equal(get(mine), parts[ranks.rank])  # is not changed
        for view in (lambda x: x.T, lambda x: x[1:3, ::2], lambda x: x[0, 0, ...], lambda x: x[:0]):
            mine, out = put(parts[ranks.rank] * 1.0), put(np.zeros((4, 6)))
            ranks.sum_into(view(mine), view(out))
            expected = np.zeros((4, 6))
            view(expected)[...] = view(total)
            assert_array_equal(get(out), expected)

    on_gpus(3, add)
    assert len(nccl.NcclCommunicator.made) == 3


def test_what_nccl_cannot_add_is_refused(nccl):
    def add(ranks):
        ranks.sum(ranks.backend.asarray(np.ones(3)))
        with pytest.raises(TypeError, match="expected floats, or integers of 8, 32 or 64 bits, got bool; convert it"):
            ranks.sum(ranks.backend.asarray(np.ones(3, bool)))
        with pytest.raises(RanksError, match=r"expected arrays on <CUDA Device \d>, .* got <CUDA Device 2>"):
            ranks.sum(backend("cupy:2").asarray(np.ones(3)))

    on_gpus(2, add)


def loops(target):
    from anynet.compiler.cuda.target import CudaTarget, CupyTarget

    chosen = {"kernels": CudaTarget(), "functions": CupyTarget(), "no graph": CudaTarget(captures=False)}[target]
    return lambda step: compile_loop(step, chosen, lambda *args: pytest.fail("ran plain steps"), strict=True)


@pytest.mark.parametrize("target", ["kernels", "functions", "no graph"])
@pytest.mark.parametrize("steps", [1, 20])
def test_they_are_captured(nccl, target, steps):
    expected = np.zeros(5)
    for row in ROWS[:steps]:
        expected = 0.5 * expected + (2 * row + 1) + (2 * row * 3 + 1)

    def run(ranks):
        put = ranks.backend.asarray

        def step(carry, shared, row):
            return (0.5 * carry[0] + sum_over_ranks(2 * row[0] + 1, ranks),)

        loop = ranks.backend.compile(loops(target)(step))
        rows = put(ROWS[:steps] * (1 + 2 * ranks.rank))
        (found,) = loop((put(np.zeros(5)),), (), (rows,), int)
        (again,) = loop((put(np.zeros(5)),), (), (rows,), int)
        return ranks.backend.to_host(found), ranks.backend.to_host(again)

    for found in on_gpus(2, run):
        assert_allclose(found, [expected] * 2, rtol=1e-12)
    made = nccl.NcclCommunicator.made
    assert len(made) == 2
    assert not any(each.was_capturing for each in made)
    assert {each.done for each in made} == {2 * steps}


@pytest.mark.slow
def test_they_train_as_one_process_does(nccl):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(47, 12)), rng.integers(0, 4, 47)
    net = an.Sequential(an.Linear(16), an.BatchNorm(), an.ReLU(), an.Dropout(0.3), an.Linear(4))
    settings = {"val": 0.2, "epochs": 2, "batch_size": 5, "dtype": "float64"}  # shares of 3 and 2; 3 at the end
    alone = an.fit(net, (x, y), an.SGD(0.05), **settings)

    def train(ranks):
        return an.fit(net, (x, y), an.SGD(0.05), backend=f"cupy:{ranks.rank}", compile="on", ranks=ranks, **settings)

    for run in on_gpus(2, train):
        assert run.execution == "CUDA graph"
        assert_allclose(run.backend.to_host(run.last.params), alone.last.params, rtol=1e-9, atol=1e-12)
        for one, other in zip(run.history, alone.history, strict=True):
            assert_allclose([one.train_cost, one.val_loss], [other.train_cost, other.val_loss], rtol=1e-10)
    assert not any(each.was_capturing for each in nccl.NcclCommunicator.made)


def test_a_call_is_known_by_the_memory_that_it_uses(nccl):
    from anynet.compiler.cuda.dependences import address_range
    from anynet.compiler.cuda.launch import RanksCall

    cupy, added = sys.modules["cupy"], []
    x, out = cupy.ones((3, 4))[:, 1], cupy.zeros(3)
    group = type("Group", (), {"sum_into": lambda self, *arrays: added.append(arrays)})()
    call = RanksCall(x, group, out)
    assert call.footprint == ((address_range(x),), (address_range(out),))
    call()
    assert added == [(x, out)]


def test_ranks_without_nccl_or_with_one_gpu_are_refused(nccl, monkeypatch):
    check = sys.modules["anynet.mpi.nccl_sums"].check_places
    check([(True, "alpha", "01"), (True, "alpha", "02"), (True, "beta", "01")])
    with pytest.raises(RanksError, match=r"ranks 1 and 2 \(GPU 02 of alpha\); .*CUDA_VISIBLE_DEVICES=\$OMPI_COMM_WOR"):
        check([(True, "alpha", "01"), (True, "alpha", "02"), (True, "alpha", "02")])
    monkeypatch.setattr(nccl, "available", False)
    net = an.Sequential(an.Linear(1))

    def train(ranks):
        with pytest.raises(RanksError, match=r"expected NCCL, .* got none on rank 0 .*; pip install nvidia-nccl-cu12"):
            an.fit(net, (np.zeros((4, 2)), np.zeros(4)), an.SGD(0.1), backend=ranks.backend, ranks=ranks)

    on_gpus(2, train)


def test_a_sum_of_a_rank_that_has_left_ends(nccl):
    def add(ranks):
        x, get = ranks.backend.asarray(np.ones(3)), ranks.backend.to_host
        get(ranks.sum(x))
        ranks.confirm()
        if ranks.rank == 1:
            ranks.leave()
            return
        began = monotonic()
        get(ranks.sum(x))  # which nobody else comes to
        assert monotonic() - began < 5
        for late in (ranks.confirm, lambda: ranks.sum(x), lambda: ranks.sum_into(x, x)):
            with pytest.raises(RankLost):
                late()

    on_gpus(2, add)
    assert next(each for each in nccl.NcclCommunicator.made if each.rank == 0).ended == "aborted"


def test_an_error_of_nccl_ends_its_sums(nccl):
    def add(ranks):
        x, get = ranks.backend.asarray(np.ones(3)), ranks.backend.to_host
        get(ranks.sum(x))
        if ranks.rank == 1:
            return
        own = next(each for each in nccl.NcclCommunicator.made if each.rank == 0)
        own.error = "unhandled system error"
        get(ranks.sum(x))
        with pytest.raises(RanksError, match=r"NCCL cannot reach all GPUs \(unhandled system error\); NCCL_DEBUG=INFO"):
            ranks.confirm()

    on_gpus(2, add)


@pytest.mark.parametrize("dtype", ["float64", "int64"], ids=["of gradients", "of correct answers"])
def test_no_epoch_of_an_aborted_sum_is_kept(nccl, tmp_path, dtype):
    """The rank that is left raises the loss of the other, and its checkpoint is of the last whole epoch."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 2, 12)
    net = an.Sequential(an.Linear(2))
    settings = {"batch_size": 4, "epochs": 5, "dtype": "float64", "compile": "off", "checkpoint": tmp_path / "kept"}

    def train(ranks):
        def leave_once(array):
            if len(called) > 14 and array.dtype == dtype:
                sys.modules["cupy"].cuda.get_current_stream().synchronize()  # the sums before are done
                ranks.leave()
                raise KeyboardInterrupt
            called.append(array)
            return plain(array)

        called, plain = [], ranks.sum
        if ranks.rank == 1:
            ranks.sum = leave_once
        own = {"backend": f"cupy:{ranks.rank}", "ranks": ranks}
        with pytest.raises(RankLost):
            an.fit(net, (x, y), an.SGD(0.1), **own, **settings)

    on_gpus(2, train)
    found = settings["checkpoint"].glob("epoch-*.safetensors")
    assert 1 < max(int(path.stem.removeprefix("epoch-")) for path in found) < 5
    resumed, whole = (
        an.fit(net, (x, y), an.SGD(0.1), **settings | other) for other in ({"resume": True}, {"checkpoint": None})
    )
    assert_allclose(resumed.last.params, whole.last.params, rtol=1e-10)
    for one, other in zip(resumed.history, whole.history, strict=True):
        assert_allclose([one.train_cost, one.train_accuracy], [other.train_cost, other.train_accuracy], rtol=1e-10)


def test_a_step_with_sums_is_not_begun_again(nccl, monkeypatch):
    """The sums of its first step are done; those of a second time would be added to others."""

    def run(ranks):
        def step(carry, shared, row):
            return (carry[0] + sum_over_ranks(row[0], ranks),)

        rows = (ranks.backend.asarray(ROWS),)
        with pytest.raises(CompileError, match=r"cannot run as CUDA graph: .*; choose compile=.off."):
            ranks.backend.loop(step)((ranks.backend.asarray(ROWS[0]),), (), rows, int)

    assert backend("cupy").execution == "CUDA graph"  # the probe has run
    monkeypatch.setattr(sys.modules["anynet.compiler.cuda.capture"].Capture, "graph", lambda *args: 1 / 0)
    on_ranks(1, run, GpuRanks)
    assert nccl.NcclCommunicator.made[0].done == 1
