"""Sums of CuPy arrays over processes that MPI connects, which also stands for NCCL here."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from on_backends import marked

import anynet as an
from anynet.compiler import execution
from anynet.core.collective import sum_over_ranks
from tests.mpi.conftest import ROOT
from tests.thread_ranks import Meeting, ThreadRanks

SCRIPT = """
import atexit, sys, time
sys.path[:0] = sys.argv[2:]
import numpy as np, pytest
from fake_cupy import put_in_place

cupy = put_in_place(pytest.MonkeyPatch(), count=2).cupy
nccl = cupy.cuda.nccl
import anynet as an

ranks = an.mpi.ranks()
from mpi4py import MPI

class Communicator(nccl.NcclCommunicator):
    def join(self, number):
        self.comm = MPI.COMM_WORLD.Dup()

    def exchange(self, number, own):
        parts = np.empty((self.ndev, own.size), own.dtype)
        request = self.comm.Iallgather(own, parts)
        while not request.Test():
            if self.ended:
                return None
            time.sleep(0.001)
        return list(parts)

nccl.NcclCommunicator = Communicator
if ranks.is_first:
    atexit.register(lambda: print(*(each.ended for each in Communicator.made)))
cupy.cuda.Device(ranks.rank).use()
x, out = cupy.full((2, 3), 1.0 + ranks.rank), cupy.zeros((2, 3))
ranks.sum_into(x, out)
ranks.sum_into(ranks.sum(x), out)
found = cupy.asnumpy(out)
ranks.confirm()
if ranks.is_first:
    print(found.tolist(), float(x[0, 0]), flush=True)
if sys.argv[1] == "early":
    ranks.is_first or sys.exit(3)
    cupy.asnumpy(ranks.sum(x))
    ranks.confirm()
    print("not reached")
"""
FOLDERS = [Path("tests"), Path("tests/compiler/cuda/emulator")]


@pytest.mark.parametrize("end", [pytest.param("in order", marks=pytest.mark.slow), "early"])
def test_they_are_mpis(on_mpi, end):
    code, out, err = on_mpi(2, "-c", SCRIPT, end, *(ROOT / folder for folder in FOLDERS))
    lines = out.splitlines()
    assert lines[0] == f"{[[6.0] * 3] * 2} 1.0", err
    if end == "in order":
        assert (code, lines[1:], err) == (0, ["destroyed"], "")
    else:
        assert (code != 0, lines[1:]) == (True, ["aborted"])
        assert "rank 1 of 2 (" in err
        assert "has ended without a word" in err


@pytest.mark.parametrize("name", marked(["cupy"]))
def test_a_sum_of_one_rank_in_a_graph(name):
    try:
        here = an.backend(name)
        from anynet.mpi.nccl_sums import NcclSums, nccl
    except an.BackendError as error:
        pytest.skip(str(error))
    if not nccl.available:
        pytest.skip("NCCL is not installed")
    rows = np.arange(20 * 5.0).reshape(20, 5)
    sums = NcclSums(ThreadRanks(0, Meeting(1)), lambda: None)

    def step(carry, shared, row):
        return (carry[0] + sum_over_ranks(2 * row[0], sums),)

    loop = here.loop(step, "on")
    (found,) = loop((here.asarray(np.zeros(5)),), (), (here.asarray(rows),), int)
    assert execution(loop) == "CUDA graph"
    assert_allclose(here.to_host(found), 2 * rows.sum(0))
