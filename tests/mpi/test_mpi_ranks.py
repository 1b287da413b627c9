"""Ranks that MPI connects, in processes of their own."""

import sys

import pytest

SCRIPT = """
import sys, time
import numpy as np
import anynet as an

ranks = an.mpi.ranks()
rng = np.random.default_rng(0)
x, y = rng.normal(size=(67, 12)), rng.integers(0, 4, 67)
net = an.Sequential(an.Linear(12, 16), an.BatchNorm(), an.ReLU(), an.Dropout(0.3), an.Linear(4))
for backend in sys.argv[1:]:
    settings = {"val": 0.2, "epochs": 3, "batch_size": 13, "dtype": "float64", "backend": backend}
    together, alone = (an.fit(net, (x, y), an.SGD(0.05), ranks=each, **settings) for each in (ranks, None))
    params = [np.asarray(run.backend.to_host(run.last.params)) for run in (together, alone)]
    np.testing.assert_allclose(*params, rtol=1e-10, atol=1e-12)
    costs = [[row.train_cost for row in run.history] for run in (together, alone)]
    np.testing.assert_allclose(*costs, rtol=1e-10)
    assert all(np.array_equal(params[0], other) for other in ranks.all(params[0])), "the ranks differ"
values = ranks.all(ranks.rank)
ranks.is_first or time.sleep(0.3)  # until the first one has done its part and is about to end
first = ranks.of_first({"rank": ranks.rank})
if ranks.is_first:
    print(values, first)
"""


def test_they_train_as_one_process_does(on_mpi):
    code, out, err = on_mpi(2, "-c", SCRIPT, "numpy")
    assert (code, out.strip()) == (0, "[0, 1] {'rank': 0}"), err


@pytest.mark.slow
def test_on_other_backends(on_mpi):
    code, out, err = on_mpi(3, "-c", SCRIPT, "numpy", "torch", "jax")
    assert (code, out.strip()) == (0, "[0, 1, 2] {'rank': 0}"), err


@pytest.mark.usefixtures("others_go_on")
@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_of_one_rank_ends_all(on_mpi, rank):
    script = f"import anynet as an; r = an.mpi.ranks(); 1 / (r.rank != {rank}); r.all(0)"
    code, _, err = on_mpi(2, "-c", script)
    assert code != 0
    assert err.count("ZeroDivisionError: division by zero") == 1
    assert err.count("Traceback") == 1
    assert f"anynet: rank {rank} of 2 (" in err
    assert "has stopped: ZeroDivisionError" in err or "has stopped: division by zero" in err


@pytest.mark.usefixtures("others_go_on")
def test_a_rank_that_ends_without_an_error_ends_all(on_mpi):
    script = "import sys, anynet as an; r = an.mpi.ranks(); r.is_first or sys.exit(3); r.all(0)"
    code, _, err = on_mpi(2, "-c", script)
    assert code != 0
    assert "rank 1 of 2 (" in err
    assert "has ended without a word" in err


def test_without_mpi4py(monkeypatch):
    from anynet.core.ranks import RanksError
    from anynet.mpi import ranks

    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(
        RanksError, match=r"one of 4 that MPI has started, but mpi4py .*pip install 'anynet-array\[mpi\]'"
    ):
        ranks()


def test_another_mpi_than_that_of_mpi4py(on_mpi):
    script = "import os; os.environ['OMPI_COMM_WORLD_SIZE'] = '3'; import anynet as an; an.mpi.ranks()"
    code, _, err = on_mpi(2, "-c", script)
    assert code != 0
    assert "one of 3 that MPI has started, but mpi4py's MPI finds 2: it is another MPI" in err
