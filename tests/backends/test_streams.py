"""Images are copied to a GPU beside the computation, on a stream of their own, and each waits where it must."""

from contextlib import contextmanager

import numpy as np
import pytest
from fake_cupy import put_in_place
from fake_gpu import Work

from anynet.backends import backend
from anynet.data import Loader, Split
from anynet.data import sample_pass as loading

BLOCKS, ROWS = 6, 4


@pytest.fixture
def fake(monkeypatch):
    """A GPU that runs nothing before somebody waits for it. ``ran`` has the names of the work that has run."""
    fake = put_in_place(monkeypatch)
    fake.ran, plain = [], fake.gpu.run
    monkeypatch.setattr(fake.gpu, "run", lambda work: (plain(work), fake.ran.append(work.name)))
    return fake


@pytest.fixture
def split(rng):
    return Split(rng.integers(0, 255, (BLOCKS * ROWS, 3072), np.uint8), np.arange(BLOCKS * ROWS))  # unset is 255


@pytest.fixture
def plans(fake, split, monkeypatch):
    """A pass over images in blocks of 4."""
    monkeypatch.setattr(loading, "BLOCK_BYTES", ROWS * 3072)
    return Loader(split, backend("cupy"), resident=False).in_order(ROWS).plans()


def computed(fake, plans, first):
    """Return the images that computations of the current stream see, while the `first` stream is ahead.

    first: "copies", "computation", or "" if both run when they must.
    """
    seen = []
    for k, plan in enumerate(plans):
        images = plan.x
        fake.gpu.current.push(Work(f"compute {k}", lambda images=images: seen.append(images.values.copy())))
        if first == "copies":
            fake.gpu.streams[-1].synchronize()
        elif first:
            fake.gpu.current.synchronize()
    fake.gpu.finish()
    return np.concatenate(seen).reshape(-1, 3072)


@pytest.mark.parametrize("first", ["", "copies", "computation"])
def test_every_computation_sees_its_own_images(fake, plans, split, first):
    np.testing.assert_array_equal(computed(fake, plans, first), split.x)


def test_a_missing_wait_for_the_copy_is_noticed(fake, plans, split, monkeypatch):
    monkeypatch.setattr(type(backend("cupy")), "_join", lambda self, event: None)
    assert (computed(fake, plans, "computation") != split.x).any()


def test_the_next_block_is_copied_while_the_gpu_computes_on_this_one(fake, plans):
    for k, _ in enumerate(plans):
        fake.gpu.current.push(Work(f"compute {k}", int))
        fake.gpu.streams[-1].synchronize()
        assert fake.ran.count("set") == min(k + 2, BLOCKS)
        assert f"compute {k}" not in fake.ran


def test_the_gpu_computes_on_a_block_before_the_next_one_is_copied(fake, plans):
    for k, _ in enumerate(plans):
        fake.gpu.current.push(Work(f"compute {k}", int))
        fake.gpu.current.synchronize()
        assert fake.ran.count("set") == k + 1


@pytest.mark.parametrize("waits", [True, False])
def test_memory_of_a_freed_array_is_written_after_the_last_work_that_reads_it(fake, monkeypatch, waits):
    """CuPy gives memory away again as soon as Python has freed it: here at once, with a computation in the queue."""
    if not waits:
        monkeypatch.setattr(fake.cupy.cuda.Stream, "wait_event", lambda stream, event: None)
    staging, freed, seen = (
        backend("cupy").staging((ROWS, 3), np.uint8),
        fake.cupy.asarray(np.full((ROWS, 3), 1, np.uint8)),
        [],
    )
    fake.gpu.current.push(Work("compute", lambda: seen.append(freed.values.copy())))
    monkeypatch.setattr(fake.cupy, "empty", lambda shape, dtype: freed)
    staging.host()[...] = 2
    staging.send(ROWS)
    staging.wait()
    fake.gpu.finish()
    np.testing.assert_array_equal(freed.values, np.full((ROWS, 3), 2))
    np.testing.assert_array_equal(seen[0], np.full((ROWS, 3), 1 if waits else 2))


def test_an_array_is_kept_until_it_is_received(fake):
    staging = backend("cupy").staging((ROWS, 3), np.uint8)
    before = fake.gpu.memory.used
    staging.host()
    staging.send(ROWS)
    fake.gpu.finish()
    assert fake.gpu.memory.used == before + 3 * ROWS
    staging.receive()
    assert fake.gpu.memory.used == before


def test_the_stream_of_the_copies_waits_for_no_other(fake):
    """A blocking stream and the default stream wait for each other."""
    backend("cupy").staging((ROWS, 3), np.uint8)
    assert fake.gpu.streams[-1].is_non_blocking
    assert fake.gpu.current is fake.gpu.null


def test_pytorch_orders_its_streams_the_same_way(monkeypatch):
    torch = pytest.importorskip("torch")
    log = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            log.append(f"{self.name} wait for {other.name}")

        def wait_event(self, event):
            log.append(f"{self.name} waits for the {event}")

        def record_event(self):
            log.append(f"{self.name} record an event")
            return "event"

    @contextmanager
    def on(stream):
        log.append(f"on {stream.name}")
        yield
        log.append(f"off {stream.name}")

    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("computation"))
    monkeypatch.setattr(torch.cuda, "stream", on)
    here, host = backend("torch:cpu"), np.arange(12, dtype=np.uint8).reshape(ROWS, 3)
    array, event = here._copy(Stream("copies"), host)
    here._join(event)
    np.testing.assert_array_equal(array.numpy(), host)
    assert log == [
        "copies wait for computation", "on copies", "off copies", "copies record an event",
        "computation waits for the event",
    ]  # fmt: skip
