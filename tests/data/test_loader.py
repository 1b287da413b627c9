"""Loading: every image once, with its own label, the same on every array library, resident or streamed."""

import os
import subprocess
import sys

import numpy as np
import pytest
from array_api_compat import device

from anynet.backends.numpy import Numpy
from anynet.backends.staging import PinnedStaging
from anynet.core.seeding import Purpose, generator
from anynet.data import Augmentation, Loader, Split
from anynet.data import sample_pass as loading

N = 23
BATCH_SIZES = (1, 5, N)


@pytest.fixture
def split(rng):
    """Random images, each with a different label, by which a test identifies it."""
    return Split(rng.integers(0, 256, (N, 3072), np.uint8), np.arange(N))


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    """A streamed block holds two batches of 5."""
    in_blocks(monkeypatch, 10)


def in_blocks(monkeypatch, images):
    """Limit the number of images of a block."""
    monkeypatch.setattr(loading, "BLOCK_BYTES", images * 3072)


@pytest.fixture(params=[True, False], ids=["resident", "streamed"])
def loader(request, split, backend_here):
    return Loader(split, backend_here, resident=request.param)


def on_host(backend, batches):
    """All batches as pairs of NumPy arrays; the first is read after the last is made."""
    return [(backend.to_host(batch.x), backend.to_host(batch.y)) for batch in list(batches)]


def concatenated(backend, batches):
    """Images and labels of all batches."""
    images, labels = zip(*on_host(backend, batches), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def order_of(loader, backend, seed, epoch):
    return tuple(concatenated(backend, loader.shuffled(5, seed, epoch))[1].tolist())


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_every_image_comes_once_with_its_own_label(loader, split, backend_here, batch_size):
    images, labels = concatenated(backend_here, loader.shuffled(batch_size, seed=3, epoch=1))
    assert sorted(labels) == list(range(N))
    np.testing.assert_array_equal(images, split.x[labels])


def test_order_is_the_generators_on_every_backend(loader, backend_here):
    for seed, epoch in ((0, 0), (0, 3), (7, 0), (7, 3)):
        expected = generator(seed, Purpose.ORDER, epoch).permutation(N)
        assert order_of(loader, backend_here, seed, epoch) == tuple(expected)


def test_epochs_and_seeds_have_orders_of_their_own(loader, backend_here):
    chosen = [(seed, epoch) for seed in range(3) for epoch in range(3)]
    orders = [order_of(loader, backend_here, *each) for each in chosen]
    assert len({*orders, tuple(range(N))}) == len(chosen) + 1
    assert order_of(loader, backend_here, *chosen[0]) == orders[0]


@pytest.mark.parametrize(("batch_size", "short"), [(1, 0), (5, 3), (22, 1), (N, 0)])
def test_a_short_last_batch_is_kept_or_dropped(loader, backend_here, batch_size, short):
    full = [batch_size] * (N // batch_size)
    kept = on_host(backend_here, loader.shuffled(batch_size, 0, 0))
    dropped = on_host(backend_here, loader.shuffled(batch_size, 0, 0, drop_last=True))
    assert [len(labels) for _, labels in kept] == full + [short] * bool(short)
    assert [images.shape for images, _ in dropped] == [(n, 3072) for n in full]
    for one, other in zip(kept[: len(full)], dropped, strict=True):
        np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("batch_size", [*BATCH_SIZES, N + 1])
def test_in_order_gives_every_image_as_it_stands(loader, split, backend_here, batch_size):
    batches = on_host(backend_here, loader.in_order(batch_size))
    assert {len(labels) for _, labels in batches[:-1]} <= {batch_size}
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), split.y)
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), split.x)


@pytest.mark.parametrize(("augmentation", "drop_last"), [(None, True), (Augmentation(True, 4, True), False)])
def test_resident_and_streamed_are_equal_bit_for_bit(split, backend_here, augmentation, drop_last):
    resident, streamed = (
        on_host(
            backend_here,
            Loader(split, backend_here, resident=resident).shuffled(5, 1, 2, augmentation, drop_last=drop_last),
        )
        for resident in (True, False)
    )
    assert len(resident) == len(streamed) == N // 5 + (not drop_last)
    for one, other in zip(resident, streamed, strict=True):
        assert one[0].tobytes() == other[0].tobytes()
        assert one[1].tobytes() == other[1].tobytes()


@pytest.mark.parametrize("augmentation", [None, Augmentation(True, 4, True)])
def test_a_batch_stays_what_it_was_while_later_ones_are_loaded(loader, backend_here, augmentation):
    held, at_once = [], []
    for images, labels, *_ in loader.shuffled(5, 0, 0, augmentation):
        held.append(images)
        at_once.append((backend_here.to_host(images), backend_here.to_host(labels)))
    for later, (images, _), (again, _) in zip(
        held, at_once, on_host(backend_here, loader.shuffled(5, 0, 0, augmentation)), strict=True
    ):
        np.testing.assert_array_equal(backend_here.to_host(later), images)
        np.testing.assert_array_equal(again, images)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_what_happens_to_an_image_depends_on_nothing_but_seed_and_epoch(loader, split, backend_here, batch_size):
    augmentation = Augmentation(True, 4)
    for seed, epoch in ((0, 0), (5, 1)):
        images, labels = concatenated(backend_here, loader.shuffled(batch_size, seed, epoch, augmentation))
        draws = augmentation.draw(seed, epoch, np.arange(N), batch_size)
        varied = augmentation(split.x, draws)  # image by image, before any order
        assert sorted(labels) == list(range(N))
        np.testing.assert_array_equal(images, varied[labels])


@pytest.mark.parametrize("batch_size", [5, N])
@pytest.mark.parametrize("drop_last", [False, True])
def test_whole_batches_are_reversed_the_same_on_every_backend(loader, split, backend_here, batch_size, drop_last):
    """With batches of 5, the short last one is among those reversed."""
    augmentation, batches = Augmentation(reverse=True), -(-N // batch_size)
    reversals = set()
    for epoch in range(6):
        drawn = generator(2, Purpose.REVERSE, epoch).random(batches) < 0.5
        reached = on_host(backend_here, loader.shuffled(batch_size, 2, epoch, augmentation, drop_last=drop_last))
        for (images, labels), reverse in zip(reached, drawn[: len(reached)], strict=True):
            expected = split.x[labels]
            np.testing.assert_array_equal(images, expected[:, ::-1] if reverse else expected)
            reversals.add((len(labels), bool(reverse)))
    lengths = {batch_size} if drop_last or N % batch_size == 0 else {batch_size, N % batch_size}
    assert reversals == {(length, reverse) for length in lengths for reverse in (False, True)}


@pytest.mark.parametrize("augmentation", [None, Augmentation(True, 4, True)])
def test_images_stay_uint8_and_all_is_on_the_device(loader, backend_here, augmentation):
    xp = backend_here.xp
    for images, labels, *_ in [*loader.shuffled(5, 0, 0, augmentation), *loader.in_order(5)]:
        assert images.dtype == xp.uint8
        assert xp.isdtype(labels.dtype, "integral")
        assert device(images) == device(labels) == backend_here.device


def test_arrays_that_cannot_be_written_to(split, backend_here):
    before = split.x.copy()
    split.x.flags.writeable = split.y.flags.writeable = False
    for resident in (True, False):
        loader = Loader(split, backend_here, resident=resident)
        assert len(loader) == N
        images, labels = concatenated(backend_here, loader.shuffled(5, 0, 0))
        np.testing.assert_array_equal(images, before[labels])
        assert len(concatenated(backend_here, loader.shuffled(5, 0, 0, Augmentation(True, 4)))[0]) == N
    np.testing.assert_array_equal(split.x, before)


@pytest.mark.parametrize("batch_size", [0, -1, N + 1])
def test_a_batch_size_out_of_range_is_refused(loader, batch_size):
    with pytest.raises(ValueError, match=rf"batch_size: expected 1 to {N}, .*got {batch_size}$"):
        loader.shuffled(batch_size, 0, 0)


class LatePinned(Numpy):
    """NumPy with pinned buffers of a GPU that copies as late as it may: when somebody waits for the copy."""

    def __init__(self):
        super().__init__("numpy", "cpu")
        object.__setattr__(self, "sent", [])  # the base class is frozen

    def staging(self, shape, dtype):
        def copy(host):
            array = np.zeros_like(host)
            event = LateCopy(array, host)
            self.sent.append(event)
            return array, event

        return PinnedStaging([np.zeros(shape, dtype) for _ in range(2)], copy, join=lambda event: None)


class LateCopy:
    def __init__(self, array, host):
        self.array, self.host, self.done = array, host, False

    def synchronize(self):
        if not self.done:
            self.array[...] = self.host
            self.done = True


def test_a_batch_is_not_overwritten_while_it_waits_to_be_copied(split):
    late = LatePinned()
    batches = list(Loader(split, late, resident=False).shuffled(5, 0, 0))
    for event in late.sent:
        event.synchronize()
    images, labels = (np.concatenate(part) for part in zip(*(batch[:2] for batch in batches), strict=True))
    np.testing.assert_array_equal(images, split.x[labels])


@pytest.mark.parametrize(
    ("most", "sent"), [(23, [20, 3]), (14, [10, 10, 3]), (15, [15, 5, 3]), (5, [5, 5, 5, 5, 3]), (1, [5, 5, 5, 5, 3])]
)
def test_a_block_is_as_many_whole_batches_as_fit_or_one(split, monkeypatch, most, sent):
    in_blocks(monkeypatch, most)
    late = LatePinned()
    plans = list(Loader(split, late, resident=False).shuffled(5, 0, 0).plans())
    assert [len(event.host) for event in late.sent] == sent
    assert [plan.x.shape for plan in plans] == [(*plan.index.shape, 3072) for plan in plans]
    assert [plan.index.size for plan in plans] == sent


def test_one_block_is_on_its_way_while_another_is_in_use(split, monkeypatch):
    in_blocks(monkeypatch, 5)
    late = LatePinned()
    on_their_way = [len(late.sent) for _ in Loader(split, late, resident=False).shuffled(5, 0, 0)]
    assert on_their_way == [2, 3, 4, 5, 5]


def test_nothing_is_on_its_way_once_the_batches_are_left(split):
    """Half-way or at the end: the page-locked buffers go back when the generator goes."""
    late = LatePinned()
    batches = iter(Loader(split, late, resident=False).shuffled(5, 0, 0))
    next(batches)
    assert not all(copy.done for copy in late.sent)
    batches.close()
    assert all(copy.done for copy in late.sent)


def test_another_device_than_the_first():
    """Three CPU devices of JAX stand for three GPUs: all has to stay on the one chosen."""
    pytest.importorskip("jax")
    program = """
import numpy as np
from array_api_compat import device
from anynet import backend
from anynet.data import Augmentation, Loader, Split
chosen = backend("jax:cpu:2")
split = Split(np.zeros((6, 3072), np.uint8), np.arange(6))
for resident in (True, False):
    for images, labels, *_ in Loader(split, chosen, resident=resident).shuffled(3, 0, 0, Augmentation(flip=True)):
        print(device(images).id, device(labels).id)
"""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=3", "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:-1] == ["2 2"] * 4
