"""A small data set: 600 generated images, and no network."""

from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from anynet.data import Batches, DownloadError, sources
from anynet.data.sets import RemoteSet
from anynet.data.synthetic import draw


@cache
def few_images(seed: int = 0) -> Batches:
    """Return 100 images in each of the six files, generated once."""
    return draw(seed, per_batch=100)


def use_few_images(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let commands find these images alone, and work in a folder."""

    def unreachable(official: RemoteSet, cache: Path) -> NoReturn:
        raise DownloadError("the data could not be reached")

    patch.setattr(sources, "fetch", unreachable)
    patch.setattr(sources, "draw", few_images)
    patch.chdir(folder)
