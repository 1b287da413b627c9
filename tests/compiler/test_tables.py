"""Arrays of which a step takes rows alone, such as samples: they are used where they are, floats too."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import own

from anynet.backends import backend
from anynet.compiler.loop import RecordedLoop
from anynet.compiler.tape import trace

N, STEPS, BATCH = 12, 3, 4


def rows_summed(carry, shared, index):
    xp = array_namespace(carry)
    return carry + xp.sum(xp.take(shared, index, axis=0), axis=0)


def table_used_otherwise(carry, shared, index):
    return rows_summed(carry, shared, index) + shared[0, :]


def arguments(here, seed=0):
    rng = np.random.default_rng(seed)
    carry, table = here.asarray(np.zeros(5, np.float32)), here.asarray(rng.standard_normal((N, 5), np.float32))
    return carry, table, here.asarray(rng.integers(0, N, (STEPS, BATCH)))


def expected(table, index):
    return table[index.reshape(-1)].sum(axis=0)


def ignore(steps):
    pass


@pytest.mark.parametrize(("step", "is_table"), [(rows_summed, True), (table_used_otherwise, False)])
def test_tables_of_a_record(step, is_table):
    here = backend("numpy")
    carry, table, index = arguments(here)
    graph = trace(step, here.xp, carry, table, index[0])
    assert graph.tables == ({graph.inputs[1]} if is_table else set())


def test_no_copy_is_made():
    carry, table, index = arguments(here := backend("numpy"))
    table.flags.writeable = False
    loop = RecordedLoop(rows_summed, None, here.target, strict=True, out_of_memory=here.out_of_memory)
    loop(carry, table, index, ignore)
    (record,) = loop._records.values()
    assert record.program(1)._shared[0] is table


@pytest.mark.parametrize("step", [rows_summed, table_used_otherwise])
def test_other_tables_give_other_results(backend_here, step):
    here = own(backend_here)
    loop = here.loop(step)
    for seed in (0, 1, 0, 2):
        carry, table, index = arguments(here, seed)
        host = here.to_host(table)
        extra = STEPS * host[0] if step is table_used_otherwise else 0
        found = here.to_host(loop(carry, table, index, ignore))
        np.testing.assert_allclose(found, expected(host, here.to_host(index)) + extra, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("turned", [lambda table: table.T.copy().T, lambda table: np.repeat(table, 2, axis=1)[:, ::2]])
def test_tables_of_other_strides(turned):
    here = backend("numpy")
    carry, table, index = arguments(here)
    found = here.loop(rows_summed)(carry, turned(table), index, ignore)
    np.testing.assert_allclose(found, expected(table, index), rtol=1e-5)


def test_a_step_is_recorded_once_for_all_loops():
    here, calls = backend("numpy"), []

    def step(carry, shared, index):
        calls.append(index.shape)
        return rows_summed(carry, shared, index)

    for seed in range(3):
        carry, table, index = arguments(here, seed)
        found = here.loop(step)(carry, table, index, ignore)
        np.testing.assert_allclose(found, expected(table, index), rtol=1e-5)
    assert calls == [(BATCH,)] * 2  # twice, to see that it is a pure function
    here.loop(step)(carry, table, index[:, :2], ignore)
    assert calls == [(BATCH,)] * 2 + [(2,)] * 2
