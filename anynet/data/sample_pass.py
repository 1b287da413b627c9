"""A pass over samples in batches."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import starmap
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.batch import Batch, Plan, gather
from anynet.data.streamed_plans import streamed

BLOCK_BYTES = 8_000_000
"""Largest size of the samples of a streamed block: as many whole batches as fit, at least one.

A block is run as one loop, and starting a loop has a cost.
"""


class Samples(Protocol):
    """Source of the samples of a pass: a `Loader`, which has these attributes."""

    backend: Backend
    dtype: str
    x: Array | None
    y: Array
    weights: Array | None

    @property
    def resident(self) -> bool:
        """True if all samples are kept on the device."""

    @property
    def arrays(self) -> tuple[Array | None, ...]:
        """Arrays on the device that all batches are gathered from."""

    @property
    def host(self) -> NDArray[Any]:
        """All samples, on the host."""

    def arranged(self, x: Array) -> Array:
        """Return samples on the device with their values in the order of batches."""


class Pass:
    """One pass over samples, in batches. Iterating gives each `Batch`; a pass can be iterated more than once.

    Parameters
    ----------
    loader : Loader
    order : ndarray of int64, shape (n,)
        Indices of the samples.
    batch_size : int
    augmentation : Augmentation, optional
    draws : mapping of str to ndarray, shapes (n, ...)
        Random numbers from `Augmentation.draw`, in the order of `order`.
    part_of : callable, optional
        ``part_of(n)`` returns the place of the samples to serve in each batch of n. Default: all.
    """

    def __init__(
        self,
        loader: Samples,
        order: NDArray[np.int64],
        batch_size: int,
        augmentation: Augmentation | None = None,
        draws: Mapping[str, NDArray[Any]] = MappingProxyType({}),
        part_of: Callable[[int], slice] = lambda n: slice(None),
    ) -> None:
        self.loader, self.augmentation, self._part_of = loader, augmentation, part_of
        self._order, self._batch_size, self._draws = order, batch_size, draws

    @property
    def counts(self) -> dict[int, int]:
        """Number of batches by their size."""
        full, rest = divmod(len(self._order), self._batch_size)
        return {self._batch_size: full} | ({rest: 1} if rest else {})

    def size(self, batch: int) -> int:
        """Return the number of samples of a batch, counted from 0."""
        return min(self._batch_size, len(self._order) - batch * self._batch_size)

    def parts(self, part_of: Callable[[int], slice]) -> "Pass":
        """Return a pass that serves a part of each batch; `part_of` as for `Pass`."""
        return Pass(self.loader, self._order, self._batch_size, self.augmentation, self._draws, part_of)

    def plans(self) -> Iterator[Plan]:
        """Yield plans that together make every batch once.

        Yields
        ------
        Plan
            One for all full batches and one for a shorter last batch. If the samples are not resident, one for each
            block of batches, with its samples.
        """
        return self._whole() if self.loader.resident else self._streamed()

    def part(self, start: int, stop: int) -> "Pass":
        """Return a pass over the batches from `start` on and ahead of `stop`, counted from 0."""
        rows = slice(start * self._batch_size, stop * self._batch_size)
        draws = {name: drawn[rows] for name, drawn in self._draws.items()}
        return Pass(self.loader, self._order[rows], self._batch_size, self.augmentation, draws, self._part_of)

    def __iter__(self) -> Iterator[Batch]:
        loader = self.loader
        for plan in self.plans():
            for i in range(plan.index.shape[0]):
                yield gather(loader.x, loader.y, plan.rows(i), self.augmentation, loader.weights)

    def _whole(self) -> Iterator[Plan]:
        for cut in self._cuts():
            index, *drawn = map(self.loader.backend.asarray, map(cut, (self._order, *self._draws.values())))
            yield Plan(index, dict(zip(self._draws, drawn, strict=True)))

    def _cuts(self) -> Iterator[Callable[[NDArray[Any]], NDArray[Any]]]:
        """Yield functions that cut an array of all samples into batches: the full ones, then a shorter last one."""
        full = len(self._order) // self._batch_size * self._batch_size
        for rows, n in ((slice(0, full), self._batch_size), (slice(full, None), len(self._order) - full)):
            if n and len(self._order[rows]):
                yield partial(_cut, rows=rows, n=n, part=self._part_of(n))

    def _streamed(self) -> Iterator[Plan]:
        """Yield plans with samples, of blocks of batches."""
        loader, width = self.loader, self.loader.host.shape[1]
        most = max(1, BLOCK_BYTES // (self._batch_size * width * np.dtype(loader.dtype).itemsize))
        plans = (plan.rows(slice(i, i + most)) for plan in self._whole() for i in range(0, plan.index.shape[0], most))
        longest = min(most * self._batch_size, len(self._order))
        order = np.concatenate([cut(self._order).ravel() for cut in self._cuts()])

        def received(plan: Plan, x: Array) -> Plan:
            return plan._replace(x=loader.backend.xp.reshape(loader.arranged(x), (*plan.index.shape, width)))

        with closing(streamed(plans, loader.host, order, longest, loader.backend, loader.dtype)) as blocks:
            yield from starmap(received, blocks)  # keeps no samples


def _cut(array: NDArray[Any], rows: slice, n: int, part: slice) -> NDArray[Any]:
    """Return rows of an array in batches of n, of each a part, as a new array unless all of them are wanted."""
    return np.ascontiguousarray(array[rows].reshape(-1, n, *array.shape[1:])[:, part])
