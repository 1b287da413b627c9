"""The samples of a training on the device, and the order of their batches."""

import math
import sys
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend, DeviceMemory, backend_of, to_numpy
from anynet.backends import backend as choose_backend
from anynet.core.pixels import Shape, channels_last, rows_to_pixels
from anynet.core.ranks import Ranks
from anynet.data import Augmentation, Dataset, Loader, Normalization, normalization
from anynet.data.sample_pass import Pass
from anynet.data.samples import Split, is_uint8
from anynet.data.views import Views
from anynet.nn.losses import Loss, mean_squared_error, softmax_cross_entropy
from anynet.training.errors import format_bytes, format_free_memory, raise_out_of_memory
from anynet.training.moved_pixels import warn_of_moved_pixels
from anynet.training.settings import TrainSettings


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that training reads besides parameters, the same for all nets that are trained on it.

    Parameters
    ----------
    data : Dataset
        The samples, as given.
    settings : TrainSettings
        Settings of the training.
    backend : Backend
        As `settings` name it, with their precision.
    loss : callable
        Of the settings, or the usual one for the targets.
    train : Loader
        Training samples on the device, or ready to be streamed to it.
    val, test : Loader or None
        Validation and test samples likewise.
    normalization : Normalization
        Scale and shift of the values of a sample, on the device, in the order of the data set.
    image_shape : (int, int, int) or None
        Channels, rows and columns of the images that the nets take; None for nets of features.
    augmentation : Augmentation or None
        Random changes of the training samples.
    ranks : Ranks or None
        Processes that train one net together, on a share of each batch each; None if this one trains alone.
    """

    data: Dataset
    settings: TrainSettings
    backend: Backend
    loss: Loss
    train: Loader
    val: Loader | None
    test: Loader | None
    normalization: Normalization
    image_shape: Shape | None
    augmentation: Augmentation | None
    ranks: Ranks | None = None

    @property
    def batch_normalization(self) -> Normalization:
        """Scale and shift of the values of a sample in the order of batches."""
        if self.image_shape is None:
            return self.normalization
        return Normalization(*(channels_last(part[None, :], self.image_shape)[0, :] for part in self.normalization))

    @property
    def views(self) -> Views:
        """Test-time augmentation of batches."""
        own = self.image_shape
        return Views(self.settings.tta, own or self.data.train.shape, channels_last=own is not None)

    def first_samples(self, n: int) -> NDArray[np.float64]:
        """Return at most `n` training samples, normalized, on the host, as the first layer of a net is given them."""
        scale, shift = map(self.backend.to_host, self.batch_normalization)
        x, shape = to_numpy(self.data.train.x[:n, ...]), self.image_shape
        rows = (x if shape is None else to_numpy(channels_last(x, shape))).astype(np.float64) * scale + shift
        return rows if shape is None else to_numpy(rows_to_pixels(rows, shape))

    @property
    def steps(self) -> int:
        """Number of batches in an epoch."""
        return self.settings.steps(len(self.train))

    def batches(self, epoch: int) -> Pass:
        """Return the batches of an epoch, of which this rank serves its share.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        Pass
        """
        whole, ranks = self.whole_batches(epoch), self.ranks
        return whole if ranks is None else whole.parts(lambda n: ranks.share(n).samples)

    def whole_batches(self, epoch: int) -> Pass:
        """Return the batches of an epoch, the same on all ranks."""
        settings = self.settings
        return self.train.shuffled(
            settings.batch_size, settings.order, epoch, self.augmentation, drop_last=settings.drop_last
        )


def load_inputs(
    data: Dataset, settings: TrainSettings, image_shape: Shape | None = None, ranks: Ranks | None = None
) -> Inputs:
    """Choose the backend and move samples to its device.

    Parameters
    ----------
    data : Dataset
    settings : TrainSettings
    image_shape : (int, int, int), optional
        Channels, rows and columns of the images that the nets take. Default: they take features.
    ranks : Ranks, optional
        Processes that train one net together.

    Returns
    -------
    Inputs

    Raises
    ------
    BackendError
        If the backend or the precision is not available.
    ValueError
        If there is no such precision or dtype.
    OutOfMemoryError
        If the samples do not fit the device's memory.
    """
    backend = settings.backend
    if backend is None:
        backend = backend_of(data.train.x)  # arrays of PyTorch, JAX or CuPy stay where they are
    if not isinstance(backend, Backend):
        backend = choose_backend(backend)
    if settings.precision is not None:
        backend = backend.with_precision(settings.precision)
    backend.dtype(settings.dtype)
    loaders = _load(data, backend, settings, image_shape, ranks)
    shape, x = data.train.shape, data.train.x
    samples = array_namespace(x).reshape(x, (-1, *shape))
    host = cast(tuple[NDArray[np.float64], ...], normalization(settings.normalize, samples, settings.dtype))
    pictured = image_shape or shape
    if len(pictured) == 3:
        warn_of_moved_pixels(host[0], 255.0 if is_uint8(x) else 1.0, pictured, settings)
    return Inputs(
        data=data,
        settings=settings,
        backend=backend,
        loss=settings.loss or default_loss(data),
        train=loaders["train"],
        val=loaders.get("val"),
        test=loaders.get("test"),
        normalization=Normalization(*(backend.asarray(part.astype(settings.dtype)) for part in host)),
        image_shape=image_shape,
        augmentation=settings.augmentation(image_shape or shape, channels_last=image_shape is not None),
        ranks=ranks,
    )


def default_loss(data: Dataset) -> Loss:
    """Return the usual loss for the targets: softmax cross-entropy of classes, mean squared error of numbers."""
    return softmax_cross_entropy if data.classes else mean_squared_error


def _load(
    data: Dataset, backend: Backend, settings: TrainSettings, image_shape: Shape | None, ranks: Ranks | None
) -> dict[str, Loader]:
    """Return loaders of the parts of a data set by name: resident as long as the memory budget lasts.

    The same parts are resident on all ranks, because they must run the same graphs, and streamed steps are others.
    """
    memory, budget = backend.memory(), settings.memory_budget
    if budget is None:
        budget = sys.maxsize if memory is None else memory.free // 2
    if ranks is not None:
        budget = min(ranks.all(budget))
    loaders, dtype = {}, np.dtype(settings.dtype)
    for name, part in data.parts.items():
        size = _size(part, dtype)
        resident = size <= budget
        budget -= size if resident else 0
        with raise_out_of_memory(backend, lambda: _message(data, backend, memory, dtype)):
            loaders[name] = Loader(part, backend, dtype=settings.dtype, resident=resident, image_shape=image_shape)
    return loaders


def _size(part: Split, dtype: np.dtype[Any]) -> int:
    """Return the number of bytes that samples take on the device."""
    return int(math.prod(part.x.shape) * (1 if is_uint8(part.x) else dtype.itemsize))


def _message(data: Dataset, backend: Backend, memory: DeviceMemory | None, dtype: np.dtype[Any]) -> str:
    size = sum(_size(part, dtype) for part in data.parts.values())
    return (
        f"moving samples to the device, where all of {data.name} take {format_bytes(size)}, and "
        f"{format_free_memory(backend, memory)}; "
        "a smaller --memory-budget, in GB, streams those that do not fit it, and 0 streams all"
    )
