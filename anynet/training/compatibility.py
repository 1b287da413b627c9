"""Checks that a net, a data set, an optimizer and settings can be used together, before anything is trained."""

import math

from anynet.core.checks import describe
from anynet.data import Dataset, Split
from anynet.data.loader import check_batch_size
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.rates import check_rates
from anynet.training.settings import TrainSettings
from anynet.training.single_images import refuse_single_images


def check_compatible(net: Sequential, data: Dataset, optimizer: Optimizer, settings: TrainSettings) -> None:
    """Check that a net, a data set, an optimizer and settings can be used together.

    Parameters
    ----------
    net : Sequential
    data : Dataset
    optimizer : Optimizer
    settings : TrainSettings

    Raises
    ------
    TypeError
        If net, data or optimizer is of another type.
    ValueError
        If the net does not fit the data, a set of images is empty or has labels out of range, the batch size or
        the crop does not fit the images, batches of one are to be normalized, or a learning rate is negative or
        not finite.
    """
    for name, value, kind, expected in (
        ("net", net, Sequential, "a Sequential"),
        ("data", data, Dataset, "a Dataset"),
        ("optimizer", optimizer, Optimizer, "an optimizer, such as SGD(0.01)"),
    ):
        if not isinstance(value, kind):
            raise TypeError(f"{name}: expected {expected}, got {describe(value)}")
    for name in optimizer.PER_MEMBER:
        if isinstance(getattr(optimizer, name), tuple):
            raise ValueError(
                f'{optimizer}: {name} of a net is one number; nets that differ are members=[{{"{name}": ...}}]'
            )
    _check_images(data, settings)
    check_batch_size(settings.batch_size, len(data.train))
    refuse_single_images(net, settings.batch_size)
    pixels = data.train.x.shape[1]
    if net.n_in not in (None, pixels):
        raise ValueError(f"{net} takes {net.n_in} features, but the images of {data.name} have {pixels}")
    n_out = pixels if net.n_out is None else net.n_out
    if n_out != len(data.classes):
        raise ValueError(f"{net} gives {n_out} logits, but {data.name} has {len(data.classes)} classes")
    if not net.n_parameters:
        raise ValueError(f"{net} has no parameters, so there is nothing to train; add a layer such as Linear")
    check_rates(optimizer, settings.epochs, settings.steps(len(data.train)))


def _check_images(data: Dataset, settings: TrainSettings) -> None:
    for which in ("train", "val", "test"):
        part: Split = getattr(data, which)
        if not len(part):
            raise ValueError(f"the {which} set of {data.name} is empty; it needs an image at least")
        same = math.prod(part.shape) == math.prod(data.train.shape)
        if not same or (len(part.shape) == len(data.train.shape) and part.shape != data.train.shape):
            raise ValueError(f"the {which} set of {data.name} has images of shape {part.shape}, not {data.train.shape}")
        low, high = part.y.min(), part.y.max()
        if low < 0 or high >= len(data.classes):
            raise ValueError(
                f"the {which} set of {data.name}: expected labels 0 to {len(data.classes) - 1}, one for each "
                f"class, got {low} to {high}"
            )
    if settings.augmented and len(data.train.shape) != 3:
        raise ValueError(
            f"flip, crop and reverse need images of shape (channels, rows, columns), and those of {data.name} have "
            f"shape {data.train.shape}; Split(images, labels, shape) says what shape they have"
        )
    if not 0 <= settings.crop < (side := min(data.train.shape[1:], default=1)):
        raise ValueError(f"crop: expected 0 to {side - 1} pixels, got {settings.crop}")
