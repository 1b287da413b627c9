"""Settings of a training, refused before any work where they are out of range."""

import math

from anynet.core.seeding import check_seed
from anynet.data.dataset import IMAGE_SHAPE, Dataset, Split
from anynet.data.loader import check_batch_size
from anynet.nn import Sequential
from anynet.optim import Optimizer


def check(
    net: Sequential,
    data: Dataset,
    optimizer: Optimizer,
    *,
    l2: float,
    epochs: int,
    batch_size: int,
    seed: int,
    flip: bool = False,
    crop: int = 0,
    reverse: bool = False,
) -> None:
    """Raises TypeError or ValueError for settings out of range, and for a net that does not fit the data."""
    for name, value, kind in (("net", net, Sequential), ("data", data, Dataset), ("optimizer", optimizer, Optimizer)):
        if not isinstance(value, kind):
            raise TypeError(f"{name}: expected a {kind.__name__}, got {value!r}")
    for name in optimizer.PER_MEMBER:
        if isinstance(getattr(optimizer, name), tuple):
            raise ValueError(
                f'{optimizer}: {name} of a net is one number; nets that differ are members=[{{"{name}": ...}}]'
            )
    check_seed(seed)
    if epochs < 1:
        raise ValueError(f"epochs: expected 1 or more, got {epochs}")
    if not 0 <= l2 < math.inf:
        raise ValueError(f"l2: expected 0 or more, got {l2}")
    _check_images(data, flip=flip, crop=crop, reverse=reverse)
    check_batch_size(batch_size, len(data.train))
    pixels = data.train.images.shape[1]
    if net.n_in not in (None, pixels):
        raise ValueError(f"{net} takes {net.n_in} features, but the images of {data.name} have {pixels}")
    if net.n_out not in (None, len(data.classes)):
        raise ValueError(f"{net} gives {net.n_out} logits, but {data.name} has {len(data.classes)} classes")
    for epoch in range(epochs):
        try:
            rate = optimizer.schedule(epoch)
        except OverflowError:
            rate = math.inf
        if not 0 <= rate < math.inf:
            raise ValueError(f"{optimizer}: the learning rate of epoch {epoch + 1} is {rate}")


def _check_images(data: Dataset, *, flip: bool, crop: int, reverse: bool) -> None:
    pixels = data.train.images.shape[1]
    for which in ("train", "val", "test"):
        part: Split = getattr(data, which)
        if not len(part):
            raise ValueError(f"the {which} set of {data.name} is empty; it needs an image at least")
        if part.images.shape[1] != pixels:
            raise ValueError(f"the {which} set of {data.name} has {part.images.shape[1]} pixels an image, not {pixels}")
        low, high = part.labels.min(), part.labels.max()
        if low < 0 or high >= len(data.classes):
            raise ValueError(
                f"the {which} set of {data.name}: expected labels 0 to {len(data.classes) - 1}, one for each class, "
                f"got {low} to {high}"
            )
    if not 0 <= crop < IMAGE_SHAPE[-1]:
        raise ValueError(f"crop: expected 0 to {IMAGE_SHAPE[-1] - 1} pixels, got {crop}")
    if (flip or crop or reverse) and pixels != math.prod(IMAGE_SHAPE):
        raise ValueError(
            f"flip, crop and reverse need images of shape {IMAGE_SHAPE}, and those of {data.name} have {pixels} values"
        )
