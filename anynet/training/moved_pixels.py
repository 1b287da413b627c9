"""A warning about pixels that are moved to others with much smaller deviations."""

import warnings

import numpy as np
from numpy.typing import NDArray

from anynet.core.errors import TrainingWarning
from anynet.core.pixels import Shape
from anynet.training.settings import TrainSettings

FACTOR = 20.0
"""Ratio of deviations that a training is warned of; in CIFAR-10 it is below 1.4 within a channel."""


def warn_of_moved_pixels(scale: NDArray[np.float64], unit: float, shape: Shape, settings: TrainSettings) -> None:
    """Give a `TrainingWarning` if a pixel may be divided by a deviation that is a small part of its own.

    Parameters
    ----------
    scale : ndarray, shape (values,)
        Factors of the values of an image, of `anynet.data.normalization`.
    unit : float
        Divisor of values that do not vary.
    shape : (int, int, int)
        Channels, rows and columns of images.
    settings : TrainSettings
    """
    factor = scale.reshape(shape)
    deviation = np.where(factor == 1 / unit, 0, 1 / factor)
    near = {"crop": settings.crop > 0, 'tta="shift"': settings.tta == "shift"}
    mirrored = {
        "flip": settings.flip,
        "alternate_flip": settings.alternate_flip,
        'tta="mirror"': settings.tta == "mirror",
    }
    for names, ratios in (
        (near, deviation.max(axis=(1, 2)) * factor.max(axis=(1, 2))),
        (mirrored, deviation[..., ::-1] * factor),
    ):
        found = [name for name, used in names.items() if used]
        if found and ratios.max() > FACTOR:
            warnings.warn(
                f"{' and '.join(found)} moves pixels to others whose deviations are up to {ratios.max():.0f} times as "
                "small, and which divide them, so the net sees numbers that large; give "
                'normalize="standardize:channel"',
                TrainingWarning,
                stacklevel=4,
            )
            return
