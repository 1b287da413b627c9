"""The handwritten digits that scikit-learn contains, which need no download."""

import numpy as np

from anynet.data.dataset import Batches, DataError
from anynet.data.splits import TEST
from anynet.data.stratified import hold_out

WHITE = 16
"""Largest value of a pixel."""


def read() -> Batches:
    """Read the 1,797 images of 8 x 8 pixels, in scikit-learn's order, a sixth of each class for testing.

    Returns
    -------
    Batches
        Values 0 to 16 are scaled to 0 to 255 and rounded.

    Raises
    ------
    DataError
        If scikit-learn is not installed.

    References
    ----------
    Alpaydin, Kaynak (1998), Optical Recognition of Handwritten Digits, https://doi.org/10.24432/C50P49.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError("digits: expected scikit-learn, which contains them; run pip install scikit-learn") from None
    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images * (255 / WHITE)).astype(np.uint8)
    train, test = map(np.sort, hold_out(labels))
    order = np.concatenate([train, test])
    sizes = {"train": len(train), TEST: len(test)}
    classes = tuple(str(number) for number in range(10))
    return Batches(pixels[order], labels[order].astype(np.int64), sizes, classes, official=False, shape=(1, 8, 8))
