"""Batches of samples on a device, in the same order on every backend."""

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend, to_numpy
from anynet.core.pixels import Shape, channels_last
from anynet.core.seeding import Purpose, generator
from anynet.core.settings_text import in_lines
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.batch import check_batch_size
from anynet.data.sample_pass import Pass
from anynet.data.samples import Split, is_numbers, is_uint8


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
    ) -> Pass:
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

    def in_order(self, batch_size: int, samples: slice = slice(None)) -> Pass:
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
