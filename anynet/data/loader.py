"""Batches of samples on a device, in the same order on every backend."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cached_property, partial
from itertools import starmap
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend, to_numpy
from anynet.core.pixels import Shape, channels_last
from anynet.core.seeding import Purpose, generator
from anynet.core.settings_text import in_lines
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.batch import Batch, Plan, check_batch_size, gather
from anynet.data.samples import Split, is_numbers, is_uint8
from anynet.data.streamed_plans import streamed

BLOCK_BYTES = 8_000_000
"""Largest size of the samples of a streamed block: as many whole batches as fit, at least one.

A block is run as one loop, and starting a loop has a cost.
"""


class Loader:
    """A split, served in batches on a device.

    Parameters
    ----------
    split : Split
        Samples and targets, of any array library. uint8 samples stay uint8, others are converted to `dtype`.
    backend : Backend
        Library and device of the batches.
    dtype : {"float32", "float64"}
        Dtype of samples that are not uint8, of numbers to predict and of weights.
    resident : bool
        If True, all samples are kept on the device. Otherwise they are gathered on the host and copied to the device in
        blocks of batches (on GPUs from page-locked memory); one block is copied while the previous one is in use.
        Samples that are on the device already stay there.
    image_shape : (int, int, int), optional
        Channels, rows and columns of images whose values are brought into another order, once on the device: with
        the channels last, as nets of images take them.

    Attributes
    ----------
    x : array, shape (N, values), or None
        All samples, on the device; None if they are not resident.
    y : array, shape (N,) or (N, m)
        All targets, on the device: int64 or `dtype`.
    weights : array, shape (N,), or None
        All weights, on the device.
    nbytes : int
        Memory of all samples as they are on the device, in bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from anynet import backend
    >>> split = Split(np.zeros((5, 3072), np.uint8), np.arange(5))
    >>> [len(batch.y) for batch in Loader(split, backend("numpy")).shuffled(2, seed=0, epoch=0)]
    [2, 2, 1]
    """

    def __init__(
        self,
        split: Split,
        backend: Backend,
        *,
        dtype: str = "float32",
        resident: bool = True,
        image_shape: Shape | None = None,
    ) -> None:
        self._split, self.backend, self._image_shape = split, backend, image_shape
        self.dtype = "uint8" if is_uint8(split.x) else dtype
        self.nbytes = math.prod(split.x.shape) * np.dtype(self.dtype).itemsize
        there = not backend.shares_memory and backend.holds(split.x)
        self.x = self.arranged(backend.put(split.x, self.dtype)) if resident or there else None
        self.y = backend.put(split.y, dtype if is_numbers(split.y) else "int64")
        self.weights = None if split.weights is None else backend.put(split.weights, dtype)

    def __repr__(self) -> str:
        return in_lines(f"Loader({self._split!r}, {self.backend}, {'' if self.resident else 'not '}resident)")

    def arranged(self, x: Array) -> Array:
        """Return samples on the device with their values in the order of batches."""
        return x if self._image_shape is None else channels_last(x, self._image_shape)

    @property
    def resident(self) -> bool:
        """True if all samples are kept on the device."""
        return self.x is not None

    @property
    def device_bytes(self) -> int:
        """Device memory taken by the samples, in bytes."""
        own = self._image_shape is not None or not self.backend.shares_memory
        return self.nbytes if own and self.x is not None else 0

    @property
    def arrays(self) -> tuple[Array | None, ...]:
        """Arrays on the device that all batches are gathered from: `x`, `y`, and `weights` if there are any."""
        return (self.x, self.y) if self.weights is None else (self.x, self.y, self.weights)

    @cached_property
    def host(self) -> NDArray[Any]:
        """All samples, on the host."""
        return to_numpy(self._split.x)

    def __len__(self) -> int:
        return len(self._split)

    def shuffled(
        self,
        batch_size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation | None = None,
        *,
        drop_last: bool = False,
    ) -> "Pass":
        """Return a pass over all samples in random order.

        Parameters
        ----------
        batch_size : int
            Number of samples of a batch, 1 to N.
        seed, epoch : int
            Key of the order and of the augmentation.
        augmentation : Augmentation, optional
            Random changes of the images. Default: none.
        drop_last : bool
            If True, leave out a last batch that is shorter than the others.

        Returns
        -------
        Pass

        Raises
        ------
        ValueError
            If the batch size is not in 1 .. N.
        """
        check_batch_size(batch_size, len(self))
        order = generator(seed, Purpose.ORDER, epoch).permutation(len(self))
        # Drawn for every sample, so that dropping the last batch changes nothing for the others.
        draws = {} if augmentation is None else augmentation.draw(seed, epoch, order, batch_size)
        n = len(order) // batch_size * batch_size if drop_last else len(order)
        return Pass(self, order[:n], batch_size, augmentation, {name: drawn[:n] for name, drawn in draws.items()})

    def in_order(self, batch_size: int, samples: slice = slice(None)) -> "Pass":
        """Return a pass over samples in their order in the split; the last batch may be shorter.

        Parameters
        ----------
        batch_size : int
            Number of samples of a batch, 1 or more.
        samples : slice, optional
            Consecutive samples. Default: all.

        Returns
        -------
        Pass
        """
        if batch_size < 1:
            raise ValueError(f"batch_size: expected 1 or more, got {batch_size}")
        return Pass(self, np.arange(len(self))[samples], batch_size)


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
        loader: Loader,
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
