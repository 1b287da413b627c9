"""Steps for CUDA are recorded with NumPy arrays, so that CuPy compiles nothing for it."""

import mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from fake_cupy import Fake, put_in_place
from loops import PLAIN, recorded

from anynet.backends import backend
from anynet.compiler import CompileWarning, recording

ROWS = np.arange(1, 13, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return put_in_place(monkeypatch, limit=1 << 30)


def with_constants(carry, shared, row):
    """Divide by zero in recording, where all arrays are zeros; make constants; name the device."""
    xp, here = array_namespace(carry), {"device": device(row)}
    weights = xp.asarray([0.5, 1.0, 2.0, 4.0], dtype=row.dtype, **here) * xp.arange(4, dtype=row.dtype, **here)
    chosen = xp.take(shared, xp.astype(row, xp.int64, **here) % 5, axis=0)
    made = xp.zeros_like(carry, **here) + xp.full_like(carry, 3.0, **here)
    return carry + made * weights / row + xp.log(row) + xp.astype(chosen, row.dtype)


def run(here, step):
    carry, shared = np.zeros(4, np.float32), np.arange(10, 15)
    arrays = (here.asarray(array) for array in (carry, shared, ROWS))
    return here.to_host(here.loop(step)(*arrays, int))


def test_recording_calls_nothing_of_cupy(fake, monkeypatch):
    calls, record = fake.compilations.calls, recording.record_step

    def watched(step, xp, *args):
        before = len(calls)
        graph = record(step, xp, *args)
        during.append(calls[before:])
        return graph

    during: list[list[str]] = []
    monkeypatch.setattr(recording, "record_step", watched)
    found = run(recorded(backend("cupy")), with_constants)
    assert during == [[], []]  # of the probe, and of the step
    np.testing.assert_allclose(found, run(PLAIN, with_constants), rtol=1e-6)


def test_a_step_that_calls_cupy_itself_runs_as_it_is(fake):
    def step(carry, shared, row):
        return carry + fake.cupy.exp(row) * shared[0]

    with pytest.warns(CompileWarning, match="steps run as plain steps"):
        found = run(backend("cupy"), step)
    np.testing.assert_allclose(found, 10 * np.exp(ROWS).sum(0), rtol=1e-6)


def test_a_step_whose_shapes_depend_on_values_runs_as_it_is(fake):
    """There are none among the zeros of the record, and an empty array could be added to anything."""

    def step(carry, shared, row):
        xp = array_namespace(carry)
        return carry + xp.astype(xp.sum(xp.argwhere(row > 2)), carry.dtype)

    with pytest.warns(CompileWarning, match="argwhere returns an array whose shape depends on values"):
        found = run(backend("cupy"), step)
    np.testing.assert_array_equal(found, [17, 17, 17, 17])  # 2 + 3, and twice 0 + 1 + 2 + 3


def test_products_are_computed_in_recording_only_if_they_are_constants(fake, monkeypatch):
    """They take the longest by far of what the host does."""

    def step(carry, shared, row):
        xp = array_namespace(carry)
        square = xp.reshape(xp.arange(16, dtype=row.dtype, device=device(row)), (4, 4))
        constant = square @ xp.matmul(square, square)
        return carry + xp.reshape(row[None, :] @ constant @ (constant / 1000), (-1,))

    def watched(step, xp, *args):
        with monkeypatch.context() as patched:
            patched.setattr(np, "matmul", lambda a, b: terms.append(a.shape[-1]) or matmul(a, b))
            return record(step, xp, *args)

    terms, matmul, record = [], np.matmul, recording.record_step
    monkeypatch.setattr(recording, "record_step", watched)
    found = run(recorded(backend("cupy")), step)
    assert terms[-8:] == 2 * [4, 4, 0, 0]  # after those of the probe
    np.testing.assert_allclose(found, run(PLAIN, step), rtol=1e-5)


def test_stand_ins_of_images_take_no_memory_of_the_host(fake):
    from anynet.compiler.cuda import stand_ins

    def pages():
        return int(Path("/proc/self/statm").read_text().split()[1])

    class Images(NamedTuple):
        shape: tuple[int, ...] = (100_000, 3072)
        dtype: np.dtype = np.dtype(np.uint8)

    before = pages()
    images = stand_ins.stand_in(Images())
    batch = np.take(images, np.zeros(100, np.int64), axis=0)
    assert (images.nbytes, batch.shape, type(batch)) == (307_200_000, (100, 3072), stand_ins.StandIn)
    assert (pages() - before) * mmap.PAGESIZE < images.nbytes / 10


def test_products_that_do_not_fit_are_refused_as_ever(fake):
    def step(carry, shared, row):
        return carry + (row[None, :] @ row[None, :])[0, ...]

    with pytest.raises(ValueError, match="matmul"):
        run(backend("cupy"), step)
