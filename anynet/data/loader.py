"""Batches on the device, in an order that every array library shares."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.data.augmentation import Augmentation
from anynet.data.dataset import Split
from anynet.seeding import Purpose, generator
from anynet.typing import Array


class Batch(NamedTuple):
    """images: uint8, shape (n, 3072). labels: integers, shape (n,). Both on the device."""

    images: Array
    labels: Array


class Loader:
    """A split, ready to be gone through in batches.

    split: the images, which stay uint8.
    backend: the library and the device the batches go to.
    resident: whether the images stay on the device. Otherwise each batch is gathered on the host and moved through
        page-locked memory, where there is such a thing, one batch ahead of the one in use.
    """

    def __init__(self, split: Split, backend: Backend, *, resident: bool = True) -> None:
        self._host = split.images
        self._backend = backend
        self._images = backend.asarray(split.images) if resident else None
        self._labels = backend.asarray(split.labels.astype(np.int64))
        self.resident = resident

    def __len__(self) -> int:
        return len(self._host)

    def shuffled(
        self,
        batch_size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation | None = None,
        *,
        drop_last: bool = False,
    ) -> Iterator[Batch]:
        """Every image once, in an order drawn for this seed and epoch.

        drop_last: whether to leave out the last batch where it is shorter than the others.

        Raises ValueError for a batch size that is not in 1 .. the number of images.
        """
        check_batch_size(batch_size, len(self))
        whole = generator(seed, Purpose.ORDER, epoch).permutation(len(self))
        order = whole[: len(whole) // batch_size * batch_size] if drop_last else whole
        if augmentation is None:
            yield from self._batches(order, batch_size)
            return
        # Drawn for every image of the set, so that dropping some changes nothing for the others.
        drawn = augmentation.draw(seed, epoch, whole, batch_size)
        draws = {name: self._backend.asarray(d) for name, d in drawn.items()}
        for i, (images, labels) in enumerate(self._batches(order, batch_size)):
            rows = slice(i * batch_size, i * batch_size + labels.shape[0])
            yield Batch(augmentation(images, {name: d[rows, ...] for name, d in draws.items()}), labels)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Every image once, as they stand; the last batch may be shorter.

        Raises ValueError for a batch size below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch size: expected 1 or more, got {batch_size}")
        return self._batches(np.arange(len(self)), batch_size)

    def _batches(self, order: NDArray[np.int64], batch_size: int) -> Iterator[Batch]:
        take, on_device = self._backend.xp.take, self._backend.asarray(order)
        starts = range(0, len(order), batch_size)
        gathered = self._streamed(order, batch_size) if self._images is None else None
        for start in starts:
            index = on_device[start : start + batch_size]
            images = next(gathered) if gathered else take(self._images, index, axis=0)
            yield Batch(images, take(self._labels, index, axis=0))

    def _streamed(self, order: NDArray[np.int64], batch_size: int) -> Iterator[Array]:
        staging = self._backend.staging((batch_size, self._host.shape[1]))
        ahead = None
        try:
            for start in range(0, len(order), batch_size):
                index, buffer = order[start : start + batch_size], staging.host()
                np.take(self._host, index, axis=0, out=buffer[: len(index)], mode="clip")  # "raise" copies once more
                sent = staging.send(len(index))
                if ahead is not None:
                    yield ahead
                ahead = sent
            yield ahead
        finally:
            staging.wait()


def check_batch_size(batch_size: int, images: int) -> None:
    """Raises ValueError for a batch size that is not in 1 .. images."""
    if not 1 <= batch_size <= images:
        raise ValueError(f"batch size: expected 1 to {images}, the number of training images, got {batch_size}")
