"""Batches on the device, in an order that every array library shares."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.seeding import Purpose, generator
from anynet.core.tree import flatten
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.dataset import Split

BLOCK_BYTES = 8_000_000
"""Images streamed at once: as many whole batches as are no more, or one. They are one loop, which has its own cost."""


class Batch(NamedTuple):
    """images: uint8, shape (n, 3072). labels: integers, shape (n,). Both on the device."""

    images: Array
    labels: Array


class Plan(NamedTuple):
    """Which batches to make, on the device.

    index: numbers of images, shape (n,) for one batch, (S, n) for S of them.
    draws: how to vary them, as from ``Augmentation.draw``, each of shape (n, ...) or (S, n, ...).
    images: those of these numbers, shape (n, 3072) or (S, n, 3072), where not all images are on the device.
    """

    index: Array  # type: ignore[assignment]  # tuple has a method of this name
    draws: dict[str, Array]
    images: Array | None = None

    def rows(self, which: int | slice) -> "Plan":
        """The plan of one batch alone, or of some."""
        leaves, rebuild = flatten(self)
        plan: Plan = rebuild([leaf[which, ...] for leaf in leaves])
        return plan


def gather(images: Array | None, labels: Array, plan: Plan, augmentation: Augmentation | None) -> Batch:
    """Make one batch of labels, and images where the plan does not bring them, that are all on the device."""
    take = array_namespace(labels).take
    own = take(images, plan.index, axis=0) if plan.images is None else plan.images
    varied = own if augmentation is None else augmentation(own, plan.draws)
    return Batch(varied, take(labels, plan.index, axis=0))


class Loader:
    """A split, ready to be gone through in batches.

    split: the images, which stay uint8.
    backend: the library and the device the batches go to.
    resident: whether the images stay on the device. Otherwise they are gathered on the host and moved through
        page-locked memory, where there is such a thing, in blocks of batches, one block ahead of the one in use.

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
        """All full batches in one plan, and the last in another where it is shorter.

        Where the images are not resident, one plan for each block of batches, with its images.
        """
        return self._whole() if self.loader.resident else self._streamed()

    def __iter__(self) -> Iterator[Batch]:
        loader = self.loader
        for plan in self.plans():
            for i in range(plan.index.shape[0]):
                yield gather(loader.images, loader.labels, plan.rows(i), self.augmentation)

    def _whole(self) -> Iterator[Plan]:
        full = len(self._order) // self._batch_size * self._batch_size
        for rows, n in ((slice(0, full), self._batch_size), (slice(full, None), len(self._order) - full)):
            if n and len(self._order[rows]):
                index, *drawn = (
                    self.loader.backend.asarray(a[rows].reshape(-1, n, *a.shape[1:]))
                    for a in (self._order, *self._draws.values())
                )
                yield Plan(index, dict(zip(self._draws, drawn, strict=True)))

    def _streamed(self) -> Iterator[Plan]:
        """A block is on its way while the one before is in use."""
        loader, width, done, ahead = self.loader, self.loader.host.shape[1], 0, None
        most = max(1, BLOCK_BYTES // (self._batch_size * width))
        staging = loader.backend.staging((min(most * self._batch_size, len(self._order)), width))
        whole = self._whole()
        blocks = (plan.rows(slice(i, i + most)) for plan in whole for i in range(0, plan.index.shape[0], most))
        try:
            for block in blocks:
                n, buffer = math.prod(block.index.shape), staging.host()
                # mode "raise" would copy once more
                np.take(loader.host, self._order[done : done + n], axis=0, out=buffer[:n], mode="clip")
                images = loader.backend.xp.reshape(staging.send(n), (*block.index.shape, width))
                if ahead is not None:
                    yield ahead
                ahead, done = block._replace(images=images), done + n
            if ahead is not None:
                yield ahead
        finally:
            staging.wait()


def check_batch_size(batch_size: int, images: int) -> None:
    """Raises ValueError for a batch size that is not in 1 .. images."""
    if not 1 <= batch_size <= images:
        raise ValueError(f"batch size: expected 1 to {images}, the number of training images, got {batch_size}")
