"""Batches on the device, in an order that every array library shares."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
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


class Plan(NamedTuple):
    """Which batches to make, on the device.

    index: numbers of images, shape (n,) for one batch, (S, n) for S of them.
    draws: how to vary them, as from ``Augmentation.draw``, each of shape (n, ...) or (S, n, ...).
    """

    index: Array
    draws: dict[str, Array]

    def row(self, i: int) -> "Plan":
        """The plan of batch i alone."""
        return Plan(self.index[i, ...], {name: drawn[i, ...] for name, drawn in self.draws.items()})


def gather(images: Array, labels: Array, plan: Plan, augmentation: Augmentation | None) -> Batch:
    """Make one batch of images and labels that are all on the device."""
    take = array_namespace(images).take
    return Batch(vary(take(images, plan.index, axis=0), plan, augmentation), take(labels, plan.index, axis=0))


def vary(images: Array, plan: Plan, augmentation: Augmentation | None) -> Array:
    """A batch's images, varied as planned."""
    return images if augmentation is None else augmentation(images, plan.draws)


class Loader:
    """A split, ready to be gone through in batches.

    split: the images, which stay uint8.
    backend: the library and the device the batches go to.
    resident: whether the images stay on the device. Otherwise each batch is gathered on the host and moved through
        page-locked memory, where there is such a thing, one batch ahead of the one in use.

    images, labels: all of them on the device; ``images`` is None where they are not resident.
    """

    def __init__(self, split: Split, backend: Backend, *, resident: bool = True) -> None:
        self.host = split.images
        self.backend = backend
        self.images = backend.asarray(split.images) if resident else None
        self.labels = backend.asarray(split.labels.astype(np.int64))

    @property
    def resident(self) -> bool:
        """Whether the images stay on the device."""
        return self.images is not None

    @property
    def device_bytes(self) -> int:
        """Of the device's memory that the images take."""
        return 0 if self.images is None or self.backend.shares_memory else self.host.nbytes

    def __len__(self) -> int:
        return len(self.host)

    def shuffled(
        self,
        batch_size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation | None = None,
        *,
        drop_last: bool = False,
    ) -> "Pass":
        """Every image once, in an order drawn for this seed and epoch.

        drop_last: whether to leave out the last batch where it is shorter than the others.

        Raises ValueError for a batch size that is not in 1 .. the number of images.
        """
        check_batch_size(batch_size, len(self))
        order = generator(seed, Purpose.ORDER, epoch).permutation(len(self))
        # Drawn for every image of the set, so that dropping some changes nothing for the others.
        draws = {} if augmentation is None else augmentation.draw(seed, epoch, order, batch_size)
        n = len(order) // batch_size * batch_size if drop_last else len(order)
        return Pass(self, order[:n], batch_size, augmentation, {name: drawn[:n] for name, drawn in draws.items()})

    def in_order(self, batch_size: int) -> "Pass":
        """Every image once, as they stand; the last batch may be shorter.

        Raises ValueError for a batch size below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch size: expected 1 or more, got {batch_size}")
        return Pass(self, np.arange(len(self)), batch_size)


class Pass:
    """All images once, in batches; to iterate over once or more often.

    order: numbers of images. draws: how to vary each, by its place in the order; see ``Augmentation``.
    """

    def __init__(
        self,
        loader: Loader,
        order: NDArray[np.int64],
        batch_size: int,
        augmentation: Augmentation | None = None,
        draws: Mapping[str, NDArray[Any]] = MappingProxyType({}),
    ) -> None:
        self.loader, self.augmentation = loader, augmentation
        self._order, self._batch_size, self._draws = order, batch_size, draws

    def plans(self) -> Iterator[Plan]:
        """All full batches in one plan, and the last in another where it is shorter."""
        full = len(self._order) // self._batch_size * self._batch_size
        for rows, n in ((slice(0, full), self._batch_size), (slice(full, None), len(self._order) - full)):
            if n and len(self._order[rows]):
                index, *drawn = (
                    self.loader.backend.asarray(a[rows].reshape(-1, n, *a.shape[1:]))
                    for a in (self._order, *self._draws.values())
                )
                yield Plan(index, dict(zip(self._draws, drawn, strict=True)))

    def __iter__(self) -> Iterator[Batch]:
        loader, take = self.loader, self.loader.backend.xp.take
        streamed = None if loader.resident else self._streamed()
        for plan in self.plans():
            for i in range(plan.index.shape[0]):
                own = plan.row(i)
                if streamed is None:
                    yield gather(loader.images, loader.labels, own, self.augmentation)
                else:
                    yield Batch(vary(next(streamed), own, self.augmentation), take(loader.labels, own.index, axis=0))

    def _streamed(self) -> Iterator[Array]:
        staging = self.loader.backend.staging((self._batch_size, self.loader.host.shape[1]))
        ahead = None
        try:
            for start in range(0, len(self._order), self._batch_size):
                index, buffer = self._order[start : start + self._batch_size], staging.host()
                # mode "raise" would copy once more
                np.take(self.loader.host, index, axis=0, out=buffer[: len(index)], mode="clip")
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
