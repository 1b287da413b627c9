"""The images of a training on the device, and the order of their batches."""

import sys
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend, DeviceMemory
from anynet.backends import backend as choose_backend
from anynet.data import Augmentation, Dataset, Loader, Normalization, normalization
from anynet.data.loader import Pass
from anynet.training.errors import format_bytes, format_free_memory, raise_out_of_memory
from anynet.training.settings import TrainSettings


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that training reads besides parameters, the same for all nets that are trained on it.

    Parameters
    ----------
    data : Dataset
        The images on the host.
    settings : TrainSettings
        Settings of the training.
    backend : Backend
        As `settings` name it, with their precision.
    train, val, test : Loader
        Training, validation and test images on the device, or ready to be streamed to it.
    normalization : Normalization
        Scale and shift of the pixels, on the device.
    augmentation : Augmentation or None
        Random changes of the training images.
    """

    data: Dataset
    settings: TrainSettings
    backend: Backend
    train: Loader
    val: Loader
    test: Loader
    normalization: Normalization
    augmentation: Augmentation | None

    @property
    def steps(self) -> int:
        """Number of batches in an epoch."""
        return self.settings.steps(len(self.train))

    def batches(self, epoch: int) -> Pass:
        """Return the batches of an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        Pass
        """
        settings = self.settings
        return self.train.shuffled(
            settings.batch_size, settings.order, epoch, self.augmentation, drop_last=settings.drop_last
        )


def load_inputs(data: Dataset, settings: TrainSettings) -> Inputs:
    """Choose the backend and move images to its device.

    Parameters
    ----------
    data : Dataset
    settings : TrainSettings

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
        If the images do not fit the device's memory.
    """
    backend = settings.backend
    if not isinstance(backend, Backend):
        backend = choose_backend(backend)
    if settings.precision is not None:
        backend = backend.with_precision(settings.precision)
    backend.dtype(settings.dtype)
    train, val, test = _load(data, backend, settings.memory_budget)
    shape = data.train.shape
    images = data.train.x.reshape(-1, *shape)
    augmentation = Augmentation(settings.flip, settings.crop, settings.reverse, shape)
    host = cast(tuple[NDArray[np.float64], ...], normalization(settings.normalize, images))
    return Inputs(
        data=data,
        settings=settings,
        backend=backend,
        train=train,
        val=val,
        test=test,
        normalization=Normalization(*(backend.asarray(part.astype(settings.dtype)) for part in host)),
        augmentation=augmentation if settings.augmented else None,
    )


def _load(data: Dataset, backend: Backend, memory_budget: int | None) -> list[Loader]:
    """Return loaders of the training, validation and test images: resident as long as the budget lasts."""
    memory = backend.memory()
    if memory_budget is None:
        memory_budget = sys.maxsize if memory is None else memory.free // 2
    loaders = []
    for part in (data.train, data.val, data.test):
        resident = part.x.nbytes <= memory_budget
        memory_budget -= part.x.nbytes if resident else 0
        with raise_out_of_memory(backend, lambda: _message(data, backend, memory)):
            loaders.append(Loader(part, backend, resident=resident))
    return loaders


def _message(data: Dataset, backend: Backend, memory: DeviceMemory | None) -> str:
    images = sum(part.x.nbytes for part in (data.train, data.val, data.test))
    return (
        f"moving images to the device, where all of {data.name} take {format_bytes(images)}, and "
        f"{format_free_memory(backend, memory)}; "
        "a smaller --memory-budget, in GB, streams those that do not fit it, and 0 streams all"
    )
